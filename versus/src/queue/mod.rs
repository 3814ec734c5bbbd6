//! `archipel-versus queue`: how fast our work queue is beside those that people use, on the same disk, with the same
//! tasks, each of them made durable before it is acknowledged.
//!
//! ```text
//!   plan ──▶ rounds ──▶ engine    a queue of somebody: beanstalkd, Redis, ours as one node and as three
//!               │  └──▶ worker    connections of this process: put a task, take one, say that it is done
//!               ▼
//!            outcome ──▶ table, JSON
//! ```

mod beanstalk;
mod engine;
mod outcome;
mod plan;
mod redis;
mod rounds;
mod worker;

/// Measures what these words ask for.
///
/// # Errors
/// What is wrong with the words, or what could not be measured.
pub(crate) fn run(words: &[String]) -> Result<(), String> {
    let plan = plan::read(words)?;
    let outcome = rounds::run(&plan)?;
    if plan.json {
        println!("{}", outcome.json());
    } else {
        print!("{}", outcome.table());
    }
    Ok(())
}

//! `archipel-versus`: how fast ours is beside etcd, on the same disk, under the same load.
//!
//! ```text
//!   plan ──▶ rounds ──▶ contestant   a cluster of processes: etcd, ours, or the null server
//!               │  └──▶ load         clients in this process: puts, reads, watches, a million keys
//!               ▼
//!           outcome ──▶ table, JSON, plot
//! ```
//! `cargo xtask versus etcd` builds what is needed and runs this, `cargo xtask versus queue` the same for work queues
//! (`queue/`). The null server speaks the same gRPC, makes
//! each batch of puts durable, and does nothing else: what it reaches is as fast as anybody could be.

mod contestant;
mod load;
mod null_server;
mod outcome;
mod plan;
mod plot;
mod process;
mod queue;
mod rounds;
mod table;

use std::process::ExitCode;

use plan::{Command, Plan};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "queue") {
        return end(queue::run(&words[1..]));
    }
    let result = match plan::read(&words) {
        Ok(Command::NullServer { port, file }) => null_server::serve(port, &file),
        Ok(Command::Measure(plan)) => measure(&plan),
        Err(message) => Err(message),
    };
    end(result)
}

fn end(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn measure(plan: &Plan) -> Result<(), String> {
    let outcome = rounds::run(plan)?;
    if let Some(path) = &plan.plot {
        std::fs::write(path, plot::draw(&outcome))
            .map_err(|error| format!("{} could not be written: {error}", path.display()))?;
    }
    if plan.json {
        println!("{}", outcome.json());
    } else {
        print!("{}", table::draw(&outcome));
    }
    match outcome.wrong().as_slice() {
        [] => Ok(()),
        wrong => Err(wrong.join("\n")),
    }
}

//! `archipel queue work`: a worker that runs a command for each task.
//!
//! ```text
//!   slot ──▶ take, wait for a task ──▶ command ──▶ complete or fail ──▶ take the next
//!                                        └ lease: a heartbeat extends it while the command runs
//! ```
//! Ctrl-C lets no slot take another task, and waits for the commands that run. A second one ends them and gives their
//! tasks back.

mod command;
mod lease;
mod queue;
mod slot;

use std::{cell::Cell, rc::Rc, time::Duration};

use clap::Args;
use tokio::{
    signal::ctrl_c,
    sync::watch,
    task::{JoinSet, LocalSet},
    time::sleep,
};

use crate::{
    client::ClusterOptions,
    exit::{Exit, Failure, Outcome},
    progress::Progress,
};
use queue::Queue;
use slot::{Slot, Stage};

/// How often the progress is asked for.
const LOOK: Duration = Duration::from_millis(500);

/// Runs a command for each task, with the payload on its standard input, until Ctrl-C.
///
/// A command that ends with exit code 0 completes its task, and what it wrote to standard output is the result. Any
/// other end is a failed attempt, and the end of what it wrote to standard error says why. The command finds
/// ARCHIPEL_TASK_ID, ARCHIPEL_TASK_TYPE, ARCHIPEL_TASK_QUEUE and ARCHIPEL_TASK_RETRIES in its environment. While it
/// runs, the lease is extended.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  archipel queue work --exec 'jq .to'
  archipel queue work --exec ./send.sh --queue mail --type email --concurrency 4
  archipel queue work --exec ./render.sh --drain --json")]
pub(crate) struct WorkOptions {
    /// The command, which sh runs.
    #[arg(long, value_name = "COMMAND")]
    exec: String,
    /// From which queues, of which the most urgent task comes first; may be given several times.
    #[arg(long, value_name = "NAME", default_value = "default")]
    queue: Vec<String>,
    /// Only tasks of this type; may be given several times.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Vec<String>,
    /// How many commands run at a time.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// How long a lease lasts before it must be extended, in milliseconds. Default: what the task says.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(100..))]
    lease_ms: Option<u64>,
    /// Stop when there is nothing left to take.
    #[arg(long)]
    drain: bool,
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// How many tasks ended how.
#[derive(Debug, Default)]
struct Tally {
    completed: Cell<usize>,
    failed: Cell<usize>,
    lost: Cell<usize>,
}

/// Works until Ctrl-C, or until nothing is left.
pub(super) async fn run(options: &WorkOptions) -> Outcome {
    LocalSet::new().run_until(work(options)).await
}

async fn work(options: &WorkOptions) -> Outcome {
    let queue = Rc::new(Queue::new(options)?);
    let tally = Rc::new(Tally::default());
    let (stage, stages) = watch::channel(Stage::Work);
    let mut slots = JoinSet::new();
    for number in 0..options.concurrency {
        let (queue, tally) = (Rc::clone(&queue), Rc::clone(&tally));
        let mut slot = Slot::new(number, options.clone(), queue, tally, stages.clone());
        slots.spawn_local(async move { slot.run().await });
    }
    let progress = Progress::new(options.cluster.json);
    let ended = until_all_end(&mut slots, &stage, (&queue, &tally, &progress)).await;
    progress.done();
    ended?;
    if !options.cluster.json {
        println!("{}", summary(&tally));
    }
    let is_well = tally.failed.get() + tally.lost.get() == 0;
    Ok(if is_well { Exit::Done } else { Exit::Missing })
}

/// Waits for all slots; the first that cannot go on ends the others.
async fn until_all_end(
    slots: &mut JoinSet<Outcome<()>>,
    stage: &watch::Sender<Stage>,
    (queue, tally, progress): (&Queue, &Tally, &Progress),
) -> Outcome<()> {
    let mut ended = Ok(());
    loop {
        tokio::select! {
            slot = slots.join_next() => match slot {
                None => return ended,
                Some(slot) => {
                    let slot = slot.expect("a slot does not panic");
                    if slot.is_err() {
                        let _ = stage.send(Stage::Finish);
                        ended = slot;
                    }
                }
            },
            asked = ctrl_c() => {
                asked.map_err(|error| {
                    Failure::new(Exit::Broken, format!("Signals cannot be received: {error}."))
                })?;
                let next = stage.borrow().after_ctrl_c();
                eprintln!("{}", next.sentence());
                let _ = stage.send(next);
            }
            () = sleep(LOOK) => show(queue, tally, progress).await,
        }
    }
}

async fn show(queue: &Queue, tally: &Tally, progress: &Progress) {
    if !progress.is_shown() {
        return;
    }
    let done = tally.completed.get() + tally.failed.get();
    let Some(left) = queue.left().await else {
        return;
    };
    progress.share(done, done + left, "tasks; Ctrl-C to stop");
}

fn summary(tally: &Tally) -> String {
    let lost = match tally.lost.get() {
        0 => String::new(),
        lost => format!(", {lost} lost to somebody else"),
    };
    format!("{} completed, {} failed{lost}.", tally.completed.get(), tally.failed.get())
}

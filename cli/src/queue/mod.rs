//! `archipel queue`: put tasks, work on them and look after them from a shell.

mod dead;
mod pause;
mod peek;
mod put;
mod retry;
mod shown;
mod stats;
mod work;

use clap::Subcommand;

use crate::exit::Outcome;

/// Put tasks into the work queue, and work.
#[derive(Debug, Subcommand)]
pub(crate) enum QueueCommand {
    /// Put a task.
    Put(put::PutOptions),
    /// Run a command for each task.
    Work(work::WorkOptions),
    /// Show the queues and how many tasks stand where.
    Stats(stats::StatsOptions),
    /// Show a task.
    Peek(peek::PeekOptions),
    /// List tasks that have failed for good.
    Dead(dead::DeadOptions),
    /// Try tasks again that have failed for good.
    Retry(retry::RetryOptions),
    /// Let nothing be taken from a queue.
    Pause(pause::PauseOptions),
    /// End the pause of a queue.
    Resume(pause::ResumeOptions),
}

/// Carries out a command on the queue.
pub(crate) async fn run(command: &QueueCommand) -> Outcome {
    match command {
        QueueCommand::Put(options) => put::run(options).await,
        QueueCommand::Work(options) => work::run(options).await,
        QueueCommand::Stats(options) => stats::run(options).await,
        QueueCommand::Peek(options) => peek::run(options).await,
        QueueCommand::Dead(options) => dead::run(options).await,
        QueueCommand::Retry(options) => retry::run(options).await,
        QueueCommand::Pause(options) => pause::pause(options).await,
        QueueCommand::Resume(options) => pause::resume(options).await,
    }
}

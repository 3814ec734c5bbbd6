//! `archipel bench`: what a running cluster can do, measured from outside.
//!
//! ```text
//!   kv ─▶ step ─▶ client    one step: so many clients, one kind of request, so many seconds
//!     ├ disk                this machine's own fdatasync, measured in the same run
//!     ├ processor           processor time of the nodes, if they run here
//!     └ report
//! ```

mod client;
pub(crate) mod disk;
mod kv;
mod processor;
mod report;
mod step;

use clap::Subcommand;

use crate::exit::Outcome;

/// Measure a running cluster.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Measure the key/value store.
    Kv(kv::KvBenchOptions),
}

/// Carries out a measurement.
pub(crate) async fn run(command: &BenchCommand) -> Outcome {
    let BenchCommand::Kv(options) = command;
    kv::run(options).await
}

//! archipel: real distributed systems that you can run, break and understand.

mod arguments;
mod backup;
mod bench;
mod check;
mod client;
mod dht;
mod doctor;
mod exit;
mod kv;
mod leader;
mod member;
mod node;
mod progress;
mod queue;
mod replay;
mod sim;
mod status;
mod system;
mod table;
mod up;

use std::process::ExitCode;

use arguments::{Command, Parsed};
use exit::{Exit, Failure, Outcome};

fn main() -> ExitCode {
    run()
        .unwrap_or_else(|failure| {
            eprintln!("archipel: {failure}");
            failure.exit
        })
        .into()
}

fn run() -> Outcome {
    let Parsed { command, matches } = arguments::parse(std::env::args_os().collect())?;
    match command {
        Command::Up(options) => wait_for(up::run(&options)),
        Command::Node(options) => node::run(&options, &matches),
        Command::Import(options) => node::import::run(&options),
        Command::Backup(options) => wait_for(backup::run(&options)),
        Command::Restore(options) => node::restore::run(&options),
        Command::Kv(command) => wait_for(kv::run(&command)),
        Command::Queue(command) => wait_for(queue::run(&command)),
        Command::Status(options) => wait_for(status::run(&options)),
        Command::Doctor(options) => wait_for(doctor::run(&options)),
        Command::Member(command) => wait_for(member::run(&command)),
        Command::Leader(command) => wait_for(leader::run(&command)),
        Command::Bench(command) => wait_for(bench::run(&command)),
        Command::Dht(command) => dht::run(&command),
        Command::Check(options) => check::run(&options),
        Command::Sim(options) => sim::run(&options),
        Command::Replay(options) => replay::run(&options),
    }
}

/// Runs a command on this thread alone: clients and supervisors leave the processor to the nodes.
fn wait_for(command: impl Future<Output = Outcome>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::new(Exit::Broken, format!("The system gives no event queue: {error}."))
    })?;
    runtime.block_on(command)
}

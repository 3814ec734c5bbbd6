//! The command line: one enum per group of commands, whose comments are the help.

use std::ffi::OsString;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    backup::BackupOptions,
    bench::BenchCommand,
    check::CheckOptions,
    dht::DhtCommand,
    doctor::DoctorOptions,
    exit::{self, Outcome},
    kv::KvCommand,
    leader::LeaderCommand,
    member::MemberCommand,
    node::{NodeOptions, config_file, import::ImportOptions, restore::RestoreOptions},
    queue::QueueCommand,
    replay::ReplayOptions,
    sim::SimOptions,
    status::StatusOptions,
    up::UpOptions,
};

/// Real distributed systems that you can run, break and understand.
///
/// Start a cluster of three nodes on this machine with `archipel up`, then, in another terminal, read
/// and write with `archipel kv`, and stop nodes while you do.
#[derive(Debug, Parser)]
#[command(name = "archipel", version, arg_required_else_help = true, after_help = exit::TABLE, max_term_width = 100)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a whole cluster on this machine.
    Up(UpOptions),
    /// Run one node.
    Node(Box<NodeOptions>),
    /// Make a node's data of a snapshot of etcd.
    Import(ImportOptions),
    /// Write all that a cluster's store holds to a file.
    Backup(BackupOptions),
    /// Make a node's data of a backup.
    Restore(RestoreOptions),
    /// Read and write keys.
    #[command(subcommand)]
    Kv(KvCommand),
    /// Put tasks into the work queue, and work.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Show how the nodes of a cluster do.
    Status(StatusOptions),
    /// Say what is wrong with a cluster, and what to do.
    Doctor(DoctorOptions),
    /// Show and change who belongs to a cluster.
    #[command(subcommand)]
    Member(MemberCommand),
    /// Hand leadership over.
    #[command(subcommand)]
    Leader(LeaderCommand),
    /// Run nodes of a distributed hash table, and store and find values in it.
    #[command(subcommand)]
    Dht(DhtCommand),
    /// Measure a running cluster.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Judge a history of what clients asked and were told.
    Check(CheckOptions),
    /// Break simulated clusters, from seeds, and say what was found.
    Sim(Box<SimOptions>),
    /// Run the last inputs of a node that broke an invariant again.
    Replay(ReplayOptions),
}

/// The command line as it was understood.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// What was asked for.
    pub(crate) command: Command,
    /// Where each value came from, for printing the configuration.
    pub(crate) matches: ArgMatches,
}

/// Reads the command line, and the configuration file if it names one. Ends the process itself for
/// `--help`, `--version` and mistakes, with the help or the mistake on the terminal.
pub(crate) fn parse(words: Vec<OsString>) -> Outcome<Parsed> {
    let mut matches = Arguments::command().get_matches_from(&words);
    if let Some(("node", node)) = matches.subcommand()
        && let Some(path) = node.get_one::<std::path::PathBuf>("config")
    {
        let flags = config_file::flags(path, &node_command(), node)?;
        let place = 1 + words.iter().position(|word| word == "node").expect("it was just read");
        let (before, after) = words.split_at(place);
        let all = before.iter().chain(&flags).chain(after).cloned();
        matches = Arguments::command().get_matches_from(all);
    }
    let parsed = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    Ok(Parsed { command: parsed.command, matches })
}

/// The description of `archipel node`.
pub(crate) fn node_command() -> clap::Command {
    let all = Arguments::command();
    all.find_subcommand("node").expect("there is a command node").clone()
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_makes_sense() {
        Arguments::command().debug_assert();
    }
}

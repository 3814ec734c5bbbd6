//! `archipel dht`: nodes of BitTorrent's hash table, values in it, and rings on paper.
//!
//! ```text
//!   node      runs one           up      runs many
//!   put, get  ask through a node of their own that nobody remembers
//!   ring      shows who owns a key on a circle
//! ```

mod get;
mod joined;
mod key;
mod node;
mod put;
mod ring;
mod ring_svg;
mod up;
mod value;

use clap::Subcommand;

use crate::exit::Outcome;

/// Run nodes of a distributed hash table, and store and find values in it.
#[derive(Debug, Subcommand)]
pub(crate) enum DhtCommand {
    /// Run one node.
    Node(node::NodeOptions),
    /// Run many nodes in this process, which know each other.
    Up(up::UpOptions),
    /// Store a value.
    Put(put::PutOptions),
    /// Find a value.
    Get(get::GetOptions),
    /// Show who owns which key on a ring.
    Ring(ring::RingOptions),
}

/// Carries out a command.
pub(crate) fn run(command: &DhtCommand) -> Outcome {
    match command {
        DhtCommand::Node(options) => node::run(options),
        DhtCommand::Up(options) => up::run(options),
        DhtCommand::Put(options) => put::run(options),
        DhtCommand::Get(options) => get::run(options),
        DhtCommand::Ring(options) => ring::run(options),
    }
}

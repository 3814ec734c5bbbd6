//! Clusters of real processes, killed with `kill -9`, cut off by proxies and given damaged disks for
//! real. What clients saw is recorded, and the history is judged.
//!
//! ```text
//!   cluster   processes, their folders, ports and log lines      network   links that can be cut
//!   client    HTTP over one connection                           load      clients that record all
//! ```
//! `ARCHIPEL_KILLS=100` makes the loop of kills that long; `ARCHIPEL_LONG=1` makes the other tests
//! long. The folder of a test that failed is kept, below the target folder.
#![expect(clippy::unwrap_used, reason = "what a test cannot have fails it")]

mod client;
mod cluster;
mod load;
mod network;
mod recorder;
mod report;

mod bad_input;
mod basic;
mod commands;
mod damage;
mod exactly_once;
mod failover;
mod full_disk;
mod idle_connections;
mod kills;
mod members;
mod partition;
mod persistence;
mod queue;
mod sizes;
mod up;

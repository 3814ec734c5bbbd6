//! What `archipel up` can be told.

use std::path::PathBuf;

use clap::Args;
use serve::System;

use crate::system;

/// Starts a cluster on this machine, each node a process of its own, and keeps it running.
///
/// It runs the key/value store, or with --system queue the work queue, which clients of beanstalkd reach on the ports
/// 11300, 11301, ...: 8299 above those for HTTP. The nodes answer clients on the ports 3001, 3002, ... and each other a
/// thousand above. On a terminal a live table shows how they do, and what to try next. A node that dies is started
/// again. Ctrl-C stops them all; the data stays for the next start.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel up
  archipel up --nodes 5 --dir /tmp/five --port 3101
  archipel up --system queue --dir ./queue
  archipel up -- --log json --heartbeat-ms 20")]
pub(crate) struct UpOptions {
    /// What the cluster runs: the key/value store, or the work queue. Default: as in the folder, kv if it is new.
    #[arg(long, value_name = "SYSTEM", value_parser = system::parser())]
    pub(crate) system: Option<System>,

    /// How many nodes: 1, 3 or 5. Default: as many as the folder has, 3 if it is new.
    #[arg(long, value_name = "COUNT", value_parser = ["1", "3", "5"])]
    pub(crate) nodes: Option<String>,

    /// The folder for the nodes' data and log files.
    #[arg(long, value_name = "FOLDER", default_value = "./archipel-data")]
    pub(crate) dir: PathBuf,

    /// The first node's port for clients; the others follow. Default: as in the folder, 3001 if it is
    /// new.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=64_000))]
    pub(crate) port: Option<u16>,

    /// Options for every node, after two dashes; see `archipel node --help`.
    #[arg(last = true, value_name = "NODE OPTIONS")]
    pub(crate) node_options: Vec<String>,
}

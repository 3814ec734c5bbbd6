//! `archipel up`: a whole cluster on this machine, each node a process of its own.
//!
//! ```text
//!   folder      whose data this is: one cluster, one `up` at a time
//!   process     one node's process: start, end, start again
//!   supervisor  all of them, and what is known of each
//!   view        a live table on a terminal, a line per change elsewhere
//! ```

mod folder;
mod health;
mod options;
mod ports;
mod process;
mod supervisor;
mod view;

pub(crate) use options::UpOptions;

use crate::exit::{Exit, Outcome};

/// Starts a cluster and keeps it running until Ctrl-C.
pub(crate) async fn run(options: &UpOptions) -> Outcome {
    let folder = folder::ClusterFolder::open(options)?;
    ports::check(&folder)?;
    folder.save()?;
    let shown = folder.path().display().to_string();
    let mut supervisor = supervisor::Supervisor::new(folder, &options.node_options)?;
    let ended = supervisor.run().await;
    supervisor.stop().await;
    ended?;
    println!("Stopped. The data stays in {shown}; `archipel up` goes on from there.");
    Ok(Exit::Done)
}

//! `archipel queue peek`.

use clap::Args;
use serve::encode;

use super::shown;
use crate::{
    client::{ClusterOptions, Request},
    exit::{Exit, Outcome},
};

/// Shows a task: where it stands, its attempts and its result. Without a number, the one that is next.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel queue peek 17
  archipel queue peek --queue print
  archipel queue peek --queue print --state failed")]
pub(crate) struct PeekOptions {
    /// The task's number.
    task: Option<u64>,
    /// The queue whose next task is shown.
    #[arg(long, value_name = "NAME", default_value = "default", conflicts_with = "task")]
    queue: String,
    /// Of those that are so.
    #[arg(long, value_name = "STATE", value_parser = ["ready", "delayed", "failed"], default_value = "ready",
        conflicts_with = "task")]
    state: String,
    #[command(flatten)]
    cluster: ClusterOptions,
}

pub(super) async fn run(options: &PeekOptions) -> Outcome {
    let path = match options.task {
        Some(task) => format!("/task/{task}"),
        None => format!("/peek?queue={}&state={}", encode(&options.queue), options.state),
    };
    let task = options.cluster.cluster()?.ask(&Request::get(&path)).await?.done()?.body;
    if options.cluster.json {
        println!("{task}");
    } else {
        shown::print(&task);
    }
    Ok(Exit::Done)
}

//! `archipel queue retry`.

use clap::Args;
use serve::encode;

use crate::{
    client::{ClusterOptions, Request},
    exit::{Exit, Outcome},
};

/// Tries tasks again that have failed for good, with as many attempts as at first.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel queue retry 17 18
  archipel queue retry --all --queue print")]
pub(crate) struct RetryOptions {
    /// The tasks' numbers.
    #[arg(required_unless_present = "all")]
    tasks: Vec<u64>,
    /// All of the queue.
    #[arg(long, conflicts_with = "tasks")]
    all: bool,
    /// The queue.
    #[arg(long, value_name = "NAME", default_value = "default", conflicts_with = "tasks")]
    queue: String,
    #[command(flatten)]
    cluster: ClusterOptions,
}

pub(super) async fn run(options: &RetryOptions) -> Outcome {
    let cluster = options.cluster.cluster()?;
    let paths: Vec<String> = match options.all {
        true => vec![format!("/dead/retry?queue={}", encode(&options.queue))],
        false => options.tasks.iter().map(|task| format!("/dead/{task}/retry")).collect(),
    };
    for path in &paths {
        let request = Request { method: "POST", path, headers: "", body: "" };
        let body = cluster.ask(&request).await?.done()?.body;
        match body["taskId"].as_str() {
            _ if options.cluster.json => println!("{body}"),
            Some(task) => println!("Task {task} is tried again."),
            None => println!("Tried again: {}.", body["retried"]),
        }
    }
    Ok(Exit::Done)
}

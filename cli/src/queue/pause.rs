//! `archipel queue pause` and `archipel queue resume`.

use clap::Args;
use serde_json::json;
use serve::encode;

use crate::{
    client::{ClusterOptions, Request},
    exit::{Exit, Outcome},
};

/// Lets nothing be taken from a queue, until it is resumed or for a while. Tasks can still be put.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel queue pause print
  archipel queue pause print --for-ms 600000")]
pub(crate) struct PauseOptions {
    /// The queue.
    #[arg(default_value = "default")]
    queue: String,
    /// For so many milliseconds.
    #[arg(long, value_name = "MS")]
    for_ms: Option<u64>,
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// Ends the pause of a queue.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel queue resume print")]
pub(crate) struct ResumeOptions {
    /// The queue.
    #[arg(default_value = "default")]
    queue: String,
    #[command(flatten)]
    cluster: ClusterOptions,
}

pub(super) async fn pause(options: &PauseOptions) -> Outcome {
    let body = options.for_ms.map(|for_ms| json!({ "forMs": for_ms }).to_string());
    let said = format!("The queue {} is paused.", options.queue);
    change(&options.cluster, &options.queue, ("pause", &body.unwrap_or_default()), &said).await
}

pub(super) async fn resume(options: &ResumeOptions) -> Outcome {
    let said = format!("The queue {} goes on.", options.queue);
    change(&options.cluster, &options.queue, ("resume", ""), &said).await
}

async fn change(
    cluster: &ClusterOptions,
    queue: &str,
    (what, body): (&str, &str),
    said: &str,
) -> Outcome {
    let path = format!("/queues/{}/{what}", encode(queue));
    let request = Request { method: "POST", path: &path, headers: "", body };
    let reply = cluster.cluster()?.ask(&request).await?.done()?;
    let shown = if cluster.json { reply.body.to_string() } else { said.to_owned() };
    println!("{shown}");
    Ok(Exit::Done)
}

//! `archipel kv get`.

use std::io::{IsTerminal, Write, stdout};

use clap::Args;

use super::{is_answer, print_json};
use crate::{
    client::{ClusterOptions, Request},
    exit::{Exit, Outcome},
    table,
};

/// Reads a key and prints its value.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel kv get greeting
  archipel kv get greeting --stale --cluster 127.0.0.1:3002
  archipel kv get page --raw > page.html")]
pub(crate) struct GetOptions {
    /// The key.
    key: String,
    /// Read the node's own copy: at once, without a majority, and perhaps out of date.
    #[arg(long)]
    stale: bool,
    /// Print the value exactly as it is, with no line end after it.
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    cluster: ClusterOptions,
}

pub(super) async fn run(options: &GetOptions) -> Outcome {
    let consistency = if options.stale { "?consistency=stale" } else { "" };
    let path = format!("/kv/{}{consistency}", serve::encode(&options.key));
    let reply = options.cluster.cluster()?.ask(&Request::get(&path)).await?;
    if options.cluster.json && is_answer(&reply) {
        return Ok(print_json(&reply));
    }
    let reply = reply.done()?;
    let value = reply.body["value"].as_str().unwrap_or_default();
    let mut shown = value.to_owned();
    if !options.raw {
        shown = if stdout().is_terminal() { table::harmless(value) } else { shown } + "\n";
    }
    // A reader that has seen enough is no failure.
    let _ = stdout().write_all(shown.as_bytes());
    Ok(Exit::Done)
}

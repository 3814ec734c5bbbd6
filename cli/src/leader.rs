//! `archipel leader`: leadership handed over.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    client::{ClusterOptions, Request},
    exit::{Exit, Outcome},
};

/// Hand leadership over.
#[derive(Debug, Subcommand)]
pub(crate) enum LeaderCommand {
    /// Hand leadership to another voter, calmly: no request is lost.
    Transfer(TransferOptions),
}

/// Hands leadership to another voter, calmly: no request is lost.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel leader transfer
  archipel leader transfer --to node2")]
pub(crate) struct TransferOptions {
    /// Who should lead, by name or id. Default: the voter that is furthest.
    #[arg(long, value_name = "MEMBER")]
    to: Option<String>,
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// Carries out a command on leadership.
pub(crate) async fn run(command: &LeaderCommand) -> Outcome {
    let LeaderCommand::Transfer(options) = command;
    let body = json!({ "to": options.to }).to_string();
    let request = Request { method: "POST", path: "/leader/transfer", headers: "", body: &body };
    let reply = options.cluster.cluster()?.ask(&request).await?.done()?;
    if options.cluster.json {
        println!("{}", reply.body);
    } else {
        let leader = reply.body["leader"].as_str().unwrap_or("another node");
        println!("{leader} leads now, in term {}.", reply.body["term"]);
    }
    Ok(Exit::Done)
}

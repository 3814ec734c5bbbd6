//! `archipel kv delete`.

use clap::Args;
use serde_json::json;

use super::{expectation, is_answer, print_json};
use crate::{
    client::{ClusterOptions, Request, session_headers},
    exit::{Exit, Outcome},
};

/// Removes a key. A key that does not exist is exit code 1.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel kv delete greeting
  archipel kv delete lock --if-value me")]
pub(crate) struct DeleteOptions {
    /// The key.
    key: String,
    /// Remove only if the key has this value.
    #[arg(long, value_name = "VALUE", group = "expectation")]
    if_value: Option<String>,
    /// Remove only if the key was last changed at this revision.
    #[arg(long, value_name = "REVISION", group = "expectation")]
    if_revision: Option<u64>,
    #[command(flatten)]
    cluster: ClusterOptions,
}

pub(super) async fn run(options: &DeleteOptions) -> Outcome {
    let path = format!("/kv/{}", serve::encode(&options.key));
    let expect = expectation(false, options.if_value.as_ref(), options.if_revision);
    let body = expect.map_or_else(String::new, |expect| json!({ "expect": expect }).to_string());
    let headers = session_headers();
    let request = Request { method: "DELETE", path: &path, headers: &headers, body: &body };
    let reply = options.cluster.cluster()?.ask(&request).await?;
    let was_there = reply.body["deleted"] == true;
    let exit = if was_there { Exit::Done } else { Exit::Missing };
    if options.cluster.json && is_answer(&reply) {
        print_json(&reply);
        return Ok(exit);
    }
    reply.done()?;
    println!("{}", if was_there { "Removed." } else { "There was no such key." });
    Ok(exit)
}

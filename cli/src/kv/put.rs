//! `archipel kv put`.

use std::io::Read;

use clap::Args;
use serde_json::json;

use super::{expectation, is_answer, print_json};
use crate::{
    client::{ClusterOptions, Request, session_headers},
    exit::{Exit, Failure, Outcome},
};

/// Writes a key, and says at which revision.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel kv put greeting hello
  archipel kv put lock me --if-absent
  archipel kv put greeting hallo --if-value hello
  archipel kv put page - < page.html")]
pub(crate) struct PutOptions {
    /// The key.
    key: String,
    /// The value; - reads it from standard input.
    value: String,
    /// Write only if the key does not exist.
    #[arg(long, group = "expectation")]
    if_absent: bool,
    /// Write only if the key has this value.
    #[arg(long, value_name = "VALUE", group = "expectation")]
    if_value: Option<String>,
    /// Write only if the key was last changed at this revision.
    #[arg(long, value_name = "REVISION", group = "expectation")]
    if_revision: Option<u64>,
    #[command(flatten)]
    cluster: ClusterOptions,
}

pub(super) async fn run(options: &PutOptions) -> Outcome {
    let value = if options.value == "-" { from_stdin()? } else { options.value.clone() };
    let mut body = json!({ "key": options.key, "value": value });
    let expect = expectation(options.if_absent, options.if_value.as_ref(), options.if_revision);
    if let Some(expect) = expect {
        body["expect"] = expect;
    }
    let (headers, body) = (session_headers(), body.to_string());
    let request = Request { method: "POST", path: "/kv", headers: &headers, body: &body };
    let reply = options.cluster.cluster()?.ask(&request).await?;
    if options.cluster.json && is_answer(&reply) {
        return Ok(print_json(&reply));
    }
    let reply = reply.done()?;
    println!("Written at revision {}.", reply.revision.unwrap_or_default());
    Ok(Exit::Done)
}

fn from_stdin() -> Outcome<String> {
    let mut value = String::new();
    std::io::stdin().read_to_string(&mut value).map_err(|error| {
        Failure::usage(format!("The value cannot be read from standard input: {error}."))
    })?;
    Ok(value)
}

//! `archipel member add`, `promote` and `remove`.

use clap::Args;
use serde_json::json;

use crate::{
    client::{ClusterOptions, Reply, Request},
    exit::{Exit, Outcome},
};

/// Adds a node as a learner. A node that is started with `archipel node --join` does this by itself.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  archipel member add node4 --peer-address 10.0.0.4:4000 --client-address 10.0.0.4:3000")]
pub(crate) struct AddOptions {
    /// The node's name.
    name: String,
    /// Where other nodes reach it, host:port.
    #[arg(long, value_name = "HOST:PORT")]
    peer_address: String,
    /// Where clients reach it, host:port.
    #[arg(long, value_name = "HOST:PORT")]
    client_address: String,
    /// The id in its data folder, if it has one already.
    #[arg(long)]
    id: Option<u64>,
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// Gives a learner a vote once it has caught up.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel member promote node4
  archipel member promote node4 --replacing node2")]
pub(crate) struct PromoteOptions {
    /// The learner, by name or id.
    member: String,
    /// A voter that goes in the same step, by name or id.
    #[arg(long, value_name = "MEMBER")]
    replacing: Option<String>,
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// Lets a member go. Its process can then be stopped and its data removed.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  archipel member remove node4")]
pub(crate) struct RemoveOptions {
    /// The member, by name or id.
    member: String,
    #[command(flatten)]
    cluster: ClusterOptions,
}

pub(super) async fn add(options: &AddOptions) -> Outcome {
    let mut body = json!({
        "name": options.name,
        "peerAddress": options.peer_address,
        "clientAddress": options.client_address,
    });
    if let Some(id) = options.id {
        body["id"] = id.to_string().into();
    }
    let reply = ask(&options.cluster, "POST", "/members", &body.to_string()).await?;
    say(&options.cluster, &reply, "is a learner now; promote it once it has caught up");
    Ok(Exit::Done)
}

pub(super) async fn promote(options: &PromoteOptions) -> Outcome {
    let path = format!("/members/{}/promote", serve::encode(&options.member));
    let body = json!({ "replacing": options.replacing }).to_string();
    let reply = ask(&options.cluster, "POST", &path, &body).await?;
    say(&options.cluster, &reply, "has a vote now");
    Ok(Exit::Done)
}

pub(super) async fn remove(options: &RemoveOptions) -> Outcome {
    let path = format!("/members/{}", serve::encode(&options.member));
    let reply = ask(&options.cluster, "DELETE", &path, "").await?;
    say(&options.cluster, &reply, "is no member any more; its process can be stopped");
    Ok(Exit::Done)
}

async fn ask(
    cluster: &ClusterOptions,
    method: &'static str,
    path: &str,
    body: &str,
) -> Outcome<Reply> {
    cluster.cluster()?.ask(&Request { method, path, headers: "", body }).await?.done()
}

fn say(cluster: &ClusterOptions, reply: &Reply, what: &str) {
    if cluster.json {
        println!("{}", reply.body);
    } else {
        println!("{} {what}.", reply.body["name"].as_str().unwrap_or("The node"));
    }
}

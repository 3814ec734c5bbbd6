//! `archipel status`: how the nodes of a cluster do.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    client::{Cluster, ClusterOptions, Request},
    exit::{Exit, Failure, Outcome},
    table::Table,
};

/// How long one node may take.
const WAIT: Duration = Duration::from_secs(1);
/// How long a node may take to find out whether it is ready: longer than it gives itself.
const READY_WAIT: Duration = Duration::from_secs(3);

/// Shows each node's role, term and progress: the nodes named with --cluster and all members that they
/// know. Exit code 3 if there is no leader, or, with --ready, if the node is not ready.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel status
  archipel status --cluster 10.0.0.1:3000 --json
  archipel status --ready --cluster 127.0.0.1:3000")]
pub(crate) struct StatusOptions {
    /// Ask only the first node named, and only whether it is ready: it knows a leader, and what is read
    /// there is the latest. For whoever starts, stops and balances processes.
    #[arg(long)]
    ready: bool,
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// Shows the status.
pub(crate) async fn run(options: &StatusOptions) -> Outcome {
    let cluster = options.cluster.cluster()?;
    if options.ready {
        return ready(&cluster, options.cluster.json).await;
    }
    let nodes = gather(&cluster).await;
    let has_leader = nodes.iter().any(|(_, status)| status["role"] == "leader");
    if options.cluster.json {
        let nodes: Vec<Value> = nodes
            .into_iter()
            .map(|(address, status)| json!({ "address": address, "status": status }))
            .collect();
        println!("{}", json!({ "nodes": nodes }));
    } else {
        table(&nodes).print();
        if !has_leader {
            eprintln!("No leader answers. Are a majority of the nodes up? Try `archipel up`.");
        }
    }
    Ok(if has_leader { Exit::Done } else { Exit::Unavailable })
}

/// Whether the first node is ready.
async fn ready(cluster: &Cluster, json: bool) -> Outcome {
    let address = &cluster.addresses[0];
    let reply = cluster.ask_one(address, &Request::get("/ready"), READY_WAIT).await;
    let reply = reply.map_err(|_| {
        Failure::new(Exit::Unavailable, format!("{address} does not answer. Is the node running?"))
    })?;
    let reply = reply.done()?;
    if json {
        println!("{}", reply.body);
    } else {
        println!("{address} is ready; {} leads.", reply.body["leader"].as_str().unwrap_or("-"));
    }
    Ok(Exit::Done)
}

/// The status of every node that can be heard of; null for one that does not answer.
pub(crate) async fn gather(cluster: &Cluster) -> Vec<(String, Value)> {
    let mut wanted: Vec<String> = cluster.addresses.clone();
    let mut asked = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(address) = wanted.pop() {
        if !asked.insert(address.clone()) {
            continue;
        }
        let status = of_node(cluster, &address).await;
        for member in status["members"].as_array().into_iter().flatten() {
            wanted.extend(member["clientAddress"].as_str().map(str::to_owned));
        }
        found.push((address, status));
    }
    // An address that nobody knows and nobody answers at is noise of the default addresses.
    let known = members_of(&found);
    let here: BTreeSet<String> =
        found.iter().filter_map(|(_, status)| id(&status["node"])).collect();
    // Nor is it news that a node which answers here has an address that leads there only from elsewhere.
    found.retain(|(address, status)| {
        !status.is_null()
            || known.is_empty()
            || known.get(address).is_some_and(|member| !here.contains(member))
    });
    found.sort_by(|(_, a), (_, b)| name(a).cmp(name(b)));
    found
}

/// The status of the node at `address`; null if it does not answer.
pub(crate) async fn of_node(cluster: &Cluster, address: &str) -> Value {
    match cluster.ask_one(address, &Request::get("/status"), WAIT).await {
        Ok(reply) if reply.status == 200 => reply.body,
        _ => Value::Null,
    }
}

/// The ids of all members, by their addresses.
fn members_of(found: &[(String, Value)]) -> BTreeMap<String, String> {
    let members = found.iter().flat_map(|(_, status)| status["members"].as_array());
    members
        .flatten()
        .filter_map(|member| Some((member["clientAddress"].as_str()?.to_owned(), id(member)?)))
        .collect()
}

fn id(of: &Value) -> Option<String> {
    of["id"].as_str().map(str::to_owned)
}

fn name(status: &Value) -> &str {
    status["node"]["name"].as_str().unwrap_or("~")
}

fn table(nodes: &[(String, Value)]) -> Table {
    let mut table =
        Table::new(&["node", "role", "term", "commit", "applied", "log", "address", "process"]);
    for (address, status) in nodes {
        if status.is_null() {
            let mut row = vec!["-".to_owned(); 8];
            row[1] = "no answer".to_owned();
            row[6].clone_from(address);
            table.row(row);
            continue;
        }
        table.row(vec![
            name(status).to_owned(),
            role(status),
            status["term"].to_string(),
            status["commit"].to_string(),
            status["applied"].to_string(),
            status["log"]["last"].to_string(),
            address.clone(),
            status["node"]["processId"].to_string(),
        ]);
    }
    table
}

/// A node's part in the membership, as it knows it.
pub(crate) fn part(status: &Value) -> Option<&str> {
    let members = status["members"].as_array();
    let own = members.into_iter().flatten().find(|it| it["id"] == status["node"]["id"]);
    own.and_then(|own| own["part"].as_str())
}

/// A node's role in a word: a member without a vote is a learner.
pub(crate) fn role(status: &Value) -> String {
    let is_learner = part(status) == Some("learner");
    let role = status["role"].as_str().unwrap_or("?");
    if is_learner && role == "follower" { "learner".to_owned() } else { role.to_owned() }
}

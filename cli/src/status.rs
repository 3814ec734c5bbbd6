//! `archipel status`: how the nodes of a cluster do.

use std::{collections::BTreeSet, time::Duration};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    client::{Cluster, ClusterOptions, Request},
    exit::{Exit, Outcome},
    table::Table,
};

/// How long one node may take.
const WAIT: Duration = Duration::from_secs(1);

/// Shows each node's role, term and progress: the nodes named with --cluster and all members that they
/// know. Exit code 3 if there is no leader.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel status
  archipel status --cluster 10.0.0.1:3000 --json")]
pub(crate) struct StatusOptions {
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// Shows the status.
pub(crate) async fn run(options: &StatusOptions) -> Outcome {
    let cluster = options.cluster.cluster()?;
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

/// The status of every node that can be heard of; null for one that does not answer.
async fn gather(cluster: &Cluster) -> Vec<(String, Value)> {
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
    let known: BTreeSet<String> = members_of(&found);
    found.retain(|(address, status)| {
        known.is_empty() || !status.is_null() || known.contains(address)
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

fn members_of(found: &[(String, Value)]) -> BTreeSet<String> {
    let members = found.iter().flat_map(|(_, status)| status["members"].as_array());
    members
        .flatten()
        .filter_map(|member| member["clientAddress"].as_str().map(str::to_owned))
        .collect()
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

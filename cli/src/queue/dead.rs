//! `archipel queue dead`.

use clap::Args;
use serde_json::{Value, json};
use serve::encode;

use super::shown;
use crate::{
    client::{Cluster, ClusterOptions, Request},
    exit::{Exit, Outcome},
    table::Table,
};

/// Lists the tasks of a queue that have failed for good, those first that failed first.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel queue dead
  archipel queue dead --queue print --json
  archipel queue dead --queue print --purge")]
pub(crate) struct DeadOptions {
    /// The queue.
    #[arg(long, value_name = "NAME", default_value = "default")]
    queue: String,
    /// Delete them all instead. They cannot be brought back.
    #[arg(long)]
    purge: bool,
    #[command(flatten)]
    cluster: ClusterOptions,
}

pub(super) async fn run(options: &DeadOptions) -> Outcome {
    let cluster = options.cluster.cluster()?;
    if options.purge {
        return purge(options, &cluster).await;
    }
    let tasks = all(&cluster, &options.queue).await?;
    if options.cluster.json {
        println!("{}", json!({ "tasks": tasks }));
        return Ok(Exit::Done);
    }
    if tasks.is_empty() {
        println!("No task of the queue {} has failed for good.", options.queue);
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["task", "type", "retries", "error", "payload"]);
    for task in &tasks {
        let cell = |name: &str| shown::line(&task[name]);
        table.row(vec![cell("id"), cell("type"), cell("retries"), cell("error"), cell("payload")]);
    }
    table.print();
    Ok(Exit::Done)
}

async fn all(cluster: &Cluster, queue: &str) -> Outcome<Vec<Value>> {
    let (mut tasks, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/dead?queue={}{after}", encode(queue));
        let page = cluster.ask(&Request::get(&path)).await?.done()?.body;
        tasks.extend(page["tasks"].as_array().into_iter().flatten().cloned());
        let Some(last) = page["after"].as_str() else {
            return Ok(tasks);
        };
        after = format!("&after={last}");
    }
}

async fn purge(options: &DeadOptions, cluster: &Cluster) -> Outcome {
    let path = format!("/dead?queue={}", encode(&options.queue));
    let request = Request { method: "DELETE", path: &path, headers: "", body: "" };
    let body = cluster.ask(&request).await?.done()?.body;
    if options.cluster.json {
        println!("{body}");
    } else {
        println!("Deleted: {}.", body["purged"]);
    }
    Ok(Exit::Done)
}

//! `archipel queue stats`.

use clap::Args;
use serde_json::{Value, json};
use serve::encode;

use crate::{
    client::{Cluster, ClusterOptions, Request},
    exit::{Exit, Outcome},
    table::{Table, harmless},
};

/// Shows all queues, and how many tasks stand where.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel queue stats
  archipel queue stats --json")]
pub(crate) struct StatsOptions {
    #[command(flatten)]
    cluster: ClusterOptions,
}

/// The columns that are numbers, by their names in JSON.
const NUMBERS: [&str; 5] = ["ready", "delayed", "processing", "failed", "completed"];

pub(super) async fn run(options: &StatsOptions) -> Outcome {
    let cluster = options.cluster.cluster()?;
    let queues = queues(&cluster).await?;
    if options.cluster.json {
        println!("{}", json!({ "queues": queues }));
        return Ok(Exit::Done);
    }
    if queues.is_empty() {
        println!("There are no queues: a queue comes with its first task.");
        return Ok(Exit::Done);
    }
    table(&queues).print();
    Ok(Exit::Done)
}

/// All queues that have a row when they are asked for.
async fn queues(cluster: &Cluster) -> Outcome<Vec<Value>> {
    let (mut queues, mut after) = (Vec::new(), String::new());
    loop {
        let page = cluster.ask(&Request::get(&format!("/queues{after}"))).await?.done()?.body;
        for name in page["queues"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let path = format!("/queues/{}", encode(name));
            let reply = cluster.ask(&Request::get(&path)).await?;
            // It may have gone meanwhile.
            if reply.status != 404 {
                queues.push(reply.done()?.body);
            }
        }
        let Some(last) = page["after"].as_str() else {
            return Ok(queues);
        };
        after = format!("?after={}", encode(last));
    }
}

fn table(queues: &[Value]) -> Table {
    let mut table =
        Table::new(&["queue", "ready", "delayed", "held", "dead", "completed", "state"]);
    for queue in queues {
        let mut row = vec![harmless(queue["queue"].as_str().unwrap_or_default())];
        row.extend(NUMBERS.iter().map(|name| queue["stats"][*name].to_string()));
        let is_paused = queue["paused"].as_bool().unwrap_or_default();
        row.push(if is_paused { "paused" } else { "open" }.to_owned());
        table.row(row);
    }
    table
}

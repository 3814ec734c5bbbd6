//! `archipel sim --bench`: how fast the simulator is.

use std::time::Duration;

use serde_json::{Value, json};
use worlds::speed::{Speed, measure};

use super::{options::SimOptions, say};
use crate::{
    exit::{Exit, Failure, Outcome},
    progress::Progress,
    table::Table,
};

/// How long each size is measured.
const EACH: Duration = Duration::from_secs(5);

/// Measures and prints.
pub(super) fn run(options: &SimOptions) -> Outcome {
    let progress = Progress::new(options.json);
    let mut speeds = Vec::new();
    let sizes = sizes(options)?;
    for (place, nodes) in sizes.iter().enumerate() {
        progress.step(place, sizes.len(), &format!("{nodes} nodes"));
        speeds.push(measure(*nodes, EACH));
    }
    progress.done();
    if options.json {
        say(Value::Array(speeds.iter().map(json).collect()));
    } else {
        print(&speeds);
    }
    Ok(Exit::Done)
}

/// The numbers of nodes to measure.
fn sizes(options: &SimOptions) -> Outcome<Vec<u64>> {
    let text = options.scenario.value("nodes").unwrap_or("3,5,7");
    let sizes: Result<Vec<u64>, _> = text.split(',').map(str::parse).collect();
    sizes.ok().filter(|sizes| !sizes.contains(&0)).ok_or_else(|| {
        Failure::usage(format!(
            "--nodes {text}: with --bench, say how many nodes: `--nodes 3,5,7`."
        ))
    })
}

fn print(speeds: &[Speed]) {
    say(format_args!(
        "One thread, seconds of its processor time; heartbeat 50 ms, every kind of mishap, tables in memory, \
         messages as values, no trace."
    ));
    let mut table = Table::new(&[
        "nodes",
        "cluster seconds a second",
        "events a second",
        "events a cluster second",
        "operations a cluster second",
        "mishaps",
    ]);
    for speed in speeds {
        let operations = speed.operations_in_100_s();
        table.row(vec![
            speed.nodes.to_string(),
            speed.cluster_seconds_a_second().to_string(),
            speed.a_second(speed.counters.events).to_string(),
            events_a_cluster_second(speed).to_string(),
            format!("{}.{:02}", operations / 100, operations % 100),
            speed.counters.mishaps.to_string(),
        ]);
    }
    table.print();
}

fn json(speed: &Speed) -> Value {
    json!({
        "nodes": speed.nodes,
        "cluster_seconds_a_second": speed.cluster_seconds_a_second(),
        "events_a_second": speed.a_second(speed.counters.events),
        "events_a_cluster_second": events_a_cluster_second(speed),
        "worlds": speed.worlds,
        "elapsed_ms": u64::try_from(speed.elapsed.as_millis()).unwrap_or(u64::MAX),
    })
}

fn events_a_cluster_second(speed: &Speed) -> u64 {
    speed.counters.events * 1_000 / speed.counters.virtual_ms.max(1)
}

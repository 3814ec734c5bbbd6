//! The fourth exercise: all nodes are killed at once, all are started again, and nothing is lost.

use std::sync::Arc;

use crate::{
    cluster::Cluster,
    load::{Load, read_everything, wait_for_writes},
    recorder::Recorder,
    report::{is_long, report},
};

#[test]
fn nothing_is_lost_when_all_nodes_are_killed_and_started_again() {
    let mut cluster = Cluster::start("persistence", 3);
    let recorder = Arc::new(Recorder::new());
    for round in 0..if is_long() { 10 } else { 2 } {
        let key = format!("round{round}");
        assert_eq!(cluster.client(round % 3).put(&key, "1").unwrap().status, 200);
        let load = Load::start(&recorder, &cluster.client_ports(), 6);
        wait_for_writes(&recorder, 100);
        cluster.kill_all();
        load.stop();
        cluster.start_all();
        let pairs = cluster.wait_until_same();
        assert!((0..=round).all(|round| pairs.contains_key(&format!("round{round}"))), "{pairs:?}");
        read_everything(&recorder, &cluster.client_ports());
    }
    report(&format!("persistence: {:?}", recorder.judge(&cluster.folder.path)));
}

#[test]
fn nothing_is_lost_when_all_nodes_are_asked_to_stop() {
    let mut cluster = Cluster::start("clean-stop", 3);
    for number in 0..20 {
        let key = format!("key{number}");
        assert_eq!(cluster.client(number % 3).put(&key, "1").unwrap().status, 200);
    }
    for node in &mut cluster.nodes {
        let status = node.stop();
        assert_eq!(status.code(), Some(0), "{}", node.last_lines());
    }
    cluster.start_all();
    assert_eq!(cluster.wait_until_same().len(), 20);
}

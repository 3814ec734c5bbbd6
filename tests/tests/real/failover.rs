//! The second exercise: the leader is killed while clients write.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    cluster::{Cluster, IMPATIENT, wait_for},
    load::{Load, read_everything, wait_for_writes},
    recorder::Recorder,
    report::{is_long, report, times},
};

/// The longest a follower waits before it calls an election, by default.
const ELECTION_TIMEOUT: Duration = Duration::from_millis(300);

#[test]
fn writes_go_on_under_a_new_leader_and_the_old_one_comes_back_as_a_follower() {
    let mut cluster = Cluster::start_alone("failover", 3, &IMPATIENT);
    let recorder = Arc::new(Recorder::new());
    let load = Load::start(&recorder, &cluster.client_ports(), 6);
    let mut without_leader = Vec::new();
    let mut without_writes = Vec::new();
    for _ in 0..if is_long() { 25 } else { 5 } {
        wait_for_writes(&recorder, 30);
        let old = cluster.wait_for_leader();
        let old_term = term(&cluster, old);
        cluster.nodes[old].kill();
        let killed = Instant::now();
        let new = wait_for("a new leader", || {
            let others = (0..3).filter(|place| *place != old);
            others.into_iter().find(|place| leads_after(&cluster, *place, old_term))
        });
        without_leader.push(killed.elapsed());
        wait_for("a write", || {
            (cluster.plain_client(new).put("next", "1").ok()?.status == 200).then_some(())
        });
        without_writes.push(killed.elapsed());
        cluster.start_all();
        wait_for("the old leader to follow and to catch up", || {
            let status = cluster.status(old)?;
            let is_caught_up = status["applied"].as_u64() >= Some(commit(&cluster, new)?);
            (status["role"] == "follower" && is_caught_up).then_some(())
        });
    }
    load.stop();
    read_everything(&recorder, &cluster.client_ports());
    cluster.wait_until_same();
    let tally = recorder.judge(&cluster.folder.path);
    report(&format!("failover: {tally:?}"));
    report(&format!("failover, time without a leader: {}", times(&without_leader)));
    report(&format!("failover, time until the next write: {}", times(&without_writes)));
    without_leader.sort_unstable();
    let median = without_leader[without_leader.len() / 2];
    let goal = ELECTION_TIMEOUT * 2;
    let verdict = if median < goal { "reached" } else { "missed" };
    report(&format!("failover, goal of {} ms: {verdict}", goal.as_millis()));
}

fn term(cluster: &Cluster, place: usize) -> u64 {
    wait_for("a status", || cluster.status(place)?["term"].as_u64())
}

fn commit(cluster: &Cluster, place: usize) -> Option<u64> {
    cluster.status(place)?["commit"].as_u64()
}

fn leads_after(cluster: &Cluster, place: usize, term: u64) -> bool {
    let status = cluster.status(place).unwrap_or_default();
    status["role"] == "leader" && status["term"].as_u64() > Some(term)
}

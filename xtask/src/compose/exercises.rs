//! The exercises of the course's chapter on the whole system, with the results that it states.

use super::cluster::{Cluster, expect};

/// One exercise.
#[derive(Clone, Copy)]
pub(super) struct Exercise {
    pub(super) name: &'static str,
    /// What was seen once it has been played.
    pub(super) shows: &'static str,
    pub(super) play: fn(&Cluster<'_>) -> Result<(), String>,
}

/// What is written on the leader is read on all nodes.
pub(super) const BASIC: Exercise = Exercise {
    name: "exercise 1, basic",
    shows: "what was written on the leader is read on every node",
    play: basic,
};

/// The leader is killed.
pub(super) const FAILOVER: Exercise = Exercise {
    name: "exercise 2, failover",
    shows: "another node leads, writes go on, the killed one is back as a follower and has caught up",
    play: failover,
};

/// Two of five are cut off.
pub(super) const PARTITION: Exercise = Exercise {
    name: "exercise 3, partition",
    shows: "three of five commit, the two that are cut off do not, and catch up once they are back",
    play: partition,
};

/// All nodes are killed.
pub(super) const PERSISTENCE: Exercise = Exercise {
    name: "exercise 4, persistence",
    shows: "all were killed, and everything written is there",
    play: persistence,
};

fn all(cluster: &Cluster<'_>) -> Vec<u32> {
    (1..=cluster.nodes).collect()
}

fn basic(cluster: &Cluster<'_>) -> Result<(), String> {
    let leader = cluster.leader(&all(cluster))?;
    cluster.put(leader, "x", "10")?;
    for node in all(cluster) {
        let told = cluster.kv(node, &["get", "x"])?;
        expect(told.exit == 0 && told.text == "10", || format!("node {node} says {told:?}"))?;
    }
    Ok(())
}

fn failover(cluster: &Cluster<'_>) -> Result<(), String> {
    let leader = cluster.leader(&all(cluster))?;
    cluster.put(leader, "before", "1")?;
    cluster.docker("kill", leader)?;
    let others: Vec<u32> = all(cluster).into_iter().filter(|node| *node != leader).collect();
    let next = cluster.leader(&others)?;
    cluster.put(next, "after", "2")?;
    let told = cluster.kv(next, &["get", "before"])?;
    expect(told.text == "1", || format!("what was written before the kill is {told:?}"))?;
    cluster.docker("start", leader)?;
    cluster.wait_for_health(leader, "healthy")?;
    cluster.wait_for_copy(leader, "after", "2")?;
    let now = cluster.leader(&all(cluster))?;
    expect(now != leader, || {
        format!("node {leader}, which was killed, took over when it came back")
    })
}

fn partition(cluster: &Cluster<'_>) -> Result<(), String> {
    let leader = cluster.leader(&all(cluster))?;
    // The leader among those cut off: the harder half of the exercise.
    let minority = [leader, leader % cluster.nodes + 1];
    let majority: Vec<u32> =
        all(cluster).into_iter().filter(|node| !minority.contains(node)).collect();
    for node in minority {
        cluster.network("disconnect", node)?;
    }
    let next = cluster.leader(&majority)?;
    for node in &majority {
        cluster.put(*node, &format!("by-node{node}"), "1")?;
    }
    for node in minority {
        let told = cluster.kv(node, &["put", "minority", "1", "--timeout", "5"])?;
        expect(matches!(told.exit, 3 | 4), || format!("node {node}, cut off, writes: {told:?}"))?;
        let told = cluster.kv(node, &["get", &format!("by-node{next}"), "--timeout", "5"])?;
        expect(told.exit == 3, || format!("node {node}, cut off, reads: {told:?}"))?;
        cluster.wait_for_health(node, "unhealthy")?;
    }
    for node in minority {
        cluster.network("connect", node)?;
    }
    cluster.wait_until_all_are_ready()?;
    for node in minority {
        for other in &majority {
            cluster.wait_for_copy(node, &format!("by-node{other}"), "1")?;
        }
        let told = cluster.kv(node, &["get", "minority"])?;
        expect(told.exit == 1, || {
            format!("what a minority was asked to write is there: {told:?}")
        })?;
    }
    Ok(())
}

fn persistence(cluster: &Cluster<'_>) -> Result<(), String> {
    let leader = cluster.leader(&all(cluster))?;
    cluster.put(leader, "kept", "3")?;
    for command in ["kill", "start"] {
        all(cluster).into_iter().try_for_each(|node| cluster.docker(command, node))?;
    }
    cluster.wait_until_all_are_ready()?;
    for node in all(cluster) {
        for (key, value) in [("x", "10"), ("before", "1"), ("after", "2"), ("kept", "3")] {
            let told = cluster.kv(node, &["get", key])?;
            expect(told.text == value, || format!("node {node} says that {key} is {told:?}"))?;
        }
    }
    Ok(())
}

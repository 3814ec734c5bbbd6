//! Members come and go while clients write: a fourth node, a promotion, the leader's removal.

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, Node, archipel, wait_for},
    load::{Load, read_everything, wait_for_writes},
    recorder::Recorder,
    report::report,
};

#[test]
fn a_fourth_node_joins_and_the_leader_leaves_while_clients_write() {
    let mut cluster = Cluster::start("members", 3);
    let recorder = Arc::new(Recorder::new());
    let load = Load::start(&recorder, &cluster.client_ports(), 4);
    wait_for_writes(&recorder, 30);
    let node = joiner(&cluster, "node4", &[]);
    cluster.nodes.push(node);
    cluster.start_all();
    wait_for_part(&cluster, 0, "node4", "voter");
    wait_for_writes(&recorder, 30);

    let leader = cluster.wait_for_leader();
    let name = cluster.nodes[leader].name.clone();
    let removed = archipel(&["member", "remove", &name, "--cluster", &cluster.addresses()]);
    assert_eq!(removed.code, Some(0), "{removed:?}");
    let others: Vec<usize> = (0..4).filter(|place| *place != leader).collect();
    let next = cluster.wait_for_leader_among(&others);
    wait_for("the removal to be known", || part(&cluster, next, &name).is_none().then_some(()));
    load.stop();
    cluster.nodes.remove(leader).kill();

    let load = Load::start(&recorder, &cluster.client_ports(), 4);
    wait_for_writes(&recorder, 30);
    // Of the three that are left, any two are a majority: the new one counts.
    let victim = cluster.nodes.iter().position(|node| node.name != "node4").expect("two are old");
    cluster.nodes[victim].kill();
    wait_for_writes(&recorder, 30);
    cluster.start_all();
    load.stop();
    read_everything(&recorder, &cluster.client_ports());
    cluster.wait_until_same();
    report(&format!("members: {:?}", recorder.judge(&cluster.folder.path)));
}

#[test]
fn a_learner_has_the_data_and_no_vote_until_it_is_promoted() {
    let mut cluster = Cluster::start("learner", 3);
    assert_eq!(cluster.client(0).put("a", "1").unwrap().status, 200);
    let node = joiner(&cluster, "node4", &["--learner"]);
    cluster.nodes.push(node);
    cluster.start_all();
    wait_for_part(&cluster, 0, "node4", "learner");
    cluster.wait_until_same_at("a", "1");

    let mut client = cluster.client(1);
    let wrong = client.post("/members/node9/promote", &json!({})).unwrap();
    assert_eq!(wrong.error(), (404, "no_such_member".to_owned()));
    wait_for("the promotion", || {
        let answer = client.post("/members/node4/promote", &json!({})).unwrap();
        assert!([200, 409, 503].contains(&answer.status), "{}", answer.text());
        (answer.status == 200).then_some(())
    });
    wait_for_part(&cluster, 2, "node4", "voter");
    // Three of four are a majority, and they need the new one's vote.
    cluster.nodes[0].kill();
    wait_for("a write", || (cluster.client(3).put("a", "2").ok()?.status == 200).then_some(()));
    cluster.start_all();
    cluster.wait_until_same_at("a", "2");
}

#[test]
fn leadership_is_handed_over_on_request() {
    let cluster = Cluster::start("transfer", 3);
    let leader = cluster.wait_for_leader();
    let target = (leader + 1) % 3;
    let name = cluster.nodes[target].name.as_str();
    let addresses = cluster.addresses();
    let done = archipel(&["leader", "transfer", "--to", name, "--json", "--cluster", &addresses]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let answer: Value = serde_json::from_str(&done.stdout).expect("it is JSON");
    assert_eq!(answer["leader"], name);
    assert_eq!(cluster.wait_for_leader(), target);
    assert_eq!(cluster.client(leader).put("a", "1").unwrap().status, 200);
}

#[test]
fn a_node_that_lagged_far_behind_gets_a_snapshot_and_the_log_stays_small() {
    const VALUES: usize = 60;
    const MIB: u64 = 1 << 20;
    let mut cluster =
        Cluster::start_with_options("snapshot", 3, &["--segment-mib", "8", "--retain-mib", "8"]);
    cluster.nodes[2].kill();
    let value = "v".repeat(MIB as usize - 100);
    for number in 0..VALUES {
        let mut client = cluster.client(number % 2);
        wait_for("a write", || {
            (client.put(&format!("key{number}"), &value).ok()?.status == 200).then_some(())
        });
    }
    wait_for("a log that is smaller than what went through it", || {
        (folder_bytes(&cluster.nodes[0].folder.join("log")) < 45 * MIB).then_some(())
    });
    cluster.start_all();
    assert_eq!(cluster.wait_until_same().len(), VALUES);
    let metrics = cluster.client(2).get("/metrics").unwrap().text();
    assert!(metrics.contains("\narchipel_snapshots_received_total 1\n"), "{metrics}");
    cluster.kill_all();
    cluster.start_all();
    assert_eq!(cluster.wait_until_same().len(), VALUES);
}

/// A node that will join `cluster`.
pub(crate) fn joiner(cluster: &Cluster, name: &str, options: &[&str]) -> Node {
    let mut node = Node::new(&cluster.folder.path, name);
    node.options.extend([String::from("--join"), cluster.addresses()]);
    node.options.extend(options.iter().copied().map(String::from));
    node
}

/// What part a member has, as the node in this place knows it.
pub(crate) fn part(cluster: &Cluster, place: usize, name: &str) -> Option<String> {
    let members = cluster.client(place).get("/members").ok()?.json();
    let mut members = members["members"].as_array().into_iter().flatten();
    let member = members.find(|member| member["name"] == name)?;
    member["part"].as_str().map(str::to_owned)
}

/// Waits until the node in this place knows that a member has this part.
pub(crate) fn wait_for_part(cluster: &Cluster, place: usize, name: &str, wanted: &str) {
    wait_for(&format!("{name} as {wanted}"), || {
        (part(cluster, place, name).as_deref() == Some(wanted)).then_some(())
    });
}

fn folder_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("a node has a log").flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|file| file.len()).sum()
}

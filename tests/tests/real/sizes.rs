//! Clusters of one, two, four and five nodes serve, survive a restart, and know what a majority is.

use crate::cluster::{Cluster, IMPATIENT, wait_for};

#[test]
fn a_single_node_serves_and_survives_a_restart() {
    let mut cluster = Cluster::start("one", 1);
    serves_and_survives(&mut cluster);
}

#[test]
fn two_nodes_serve_and_one_of_two_is_no_majority() {
    let mut cluster = Cluster::start_with_options("two", 2, &IMPATIENT);
    serves_and_survives(&mut cluster);
    cluster.nodes[1].kill();
    is_refused(&cluster, 0);
    cluster.start_all();
    assert_eq!(cluster.client(0).put("again", "1").unwrap().status, 200);
}

#[test]
fn four_nodes_serve_and_two_of_four_are_no_majority() {
    let mut cluster = Cluster::start_with_options("four", 4, &IMPATIENT);
    serves_and_survives(&mut cluster);
    cluster.nodes[3].kill();
    cluster.wait_until_ready();
    assert_eq!(cluster.client(0).put("three", "1").unwrap().status, 200);
    cluster.nodes[2].kill();
    is_refused(&cluster, 0);
    cluster.start_all();
    assert_eq!(cluster.client(0).put("again", "1").unwrap().status, 200);
    cluster.wait_until_same();
}

#[test]
fn five_nodes_stand_the_loss_of_two_and_not_of_three() {
    let mut cluster = Cluster::start_with_options("five", 5, &IMPATIENT);
    let leader = cluster.wait_for_leader();
    cluster.nodes[leader].kill();
    cluster.nodes[(leader + 1) % 5].kill();
    cluster.wait_until_ready();
    let left = (leader + 2) % 5;
    assert_eq!(cluster.client(left).put("two", "1").unwrap().status, 200);
    cluster.nodes[(leader + 3) % 5].kill();
    is_refused(&cluster, left);
    cluster.start_all();
    assert_eq!(cluster.client(leader).get("/kv/two").unwrap().json()["value"], "1");
}

fn serves_and_survives(cluster: &mut Cluster) {
    let count = cluster.nodes.len();
    for number in 0..10 {
        let mut client = cluster.client(number % count);
        assert_eq!(client.put(&format!("key{number}"), "1").unwrap().status, 200);
    }
    cluster.kill_all();
    cluster.start_all();
    for number in 0..10 {
        let mut client = cluster.client(number % count);
        assert_eq!(client.get(&format!("/kv/key{number}")).unwrap().json()["value"], "1");
    }
    assert_eq!(cluster.wait_until_same().len(), 10);
}

fn is_refused(cluster: &Cluster, place: usize) {
    wait_for("a refusal, since there is no majority", || {
        let answer = cluster.plain_client(place).put("refused", "1").unwrap();
        assert_ne!(answer.status, 200, "nothing is acknowledged without a majority");
        (answer.status == 503).then(|| assert_eq!(answer.error().1, "no_leader"))
    });
}

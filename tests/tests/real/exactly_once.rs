//! A client that repeats a request under the same id and serial has it done once.

use serde_json::{Value, json};

use crate::{
    client::Answer,
    cluster::{Cluster, IMPATIENT, wait_for},
};

#[test]
fn a_repeat_through_another_node_and_after_a_kill_takes_effect_once() {
    let mut cluster = Cluster::start_with_options("once", 3, &IMPATIENT);
    let create = json!({ "key": "a", "value": "1", "expect": Value::Null });
    let first = cluster.client(0).put_once("client", 1, &create).unwrap();
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(cluster.client(2).put("a", "2").unwrap().status, 200);

    // Done again it would find the key, and be refused; done twice it would undo the second write.
    for place in 0..3 {
        same(&first, &cluster.client(place).put_once("client", 1, &create).unwrap());
    }
    let leader = cluster.wait_for_leader();
    cluster.nodes[leader].kill();
    let other = (leader + 1) % 3;
    let repeated = wait_for("an answer of the new leader", || {
        let answer = cluster.client(other).put_once("client", 1, &create).ok()?;
        (answer.status != 503 && answer.status != 504).then_some(answer)
    });
    same(&first, &repeated);
    cluster.start_all();
    assert_eq!(cluster.client(leader).get("/kv/a").unwrap().json()["value"], "2");

    cluster.kill_all();
    cluster.start_all();
    same(&first, &cluster.client(leader).put_once("client", 1, &create).unwrap());
    assert_eq!(cluster.client(other).get("/kv/a").unwrap().json()["value"], "2");

    let again = cluster.client(0).put_once("client", 2, &create).unwrap();
    assert_eq!(again.error(), (409, "mismatch".to_owned()), "a new serial is a new request");
    let stranger = cluster.client(0).put_once("stranger", 1, &create).unwrap();
    assert_eq!(stranger.error(), (409, "mismatch".to_owned()), "serials are each client's own");
}

fn same(first: &Answer, repeated: &Answer) {
    assert_eq!(first.parts(), repeated.parts());
    assert_eq!(first.header("x-revision"), repeated.header("x-revision"));
}

#[test]
fn a_serial_far_behind_the_latest_is_forgotten_and_does_nothing() {
    let cluster = Cluster::start("forgotten", 1);
    let mut client = cluster.client(0);
    let pair = |value: u64| json!({ "key": "a", "value": value.to_string() });
    for serial in 1..=100 {
        assert_eq!(client.put_once("client", serial, &pair(serial)).unwrap().status, 200);
    }
    let late = client.put_once("client", 1, &pair(0)).unwrap();
    assert_eq!(late.error(), (409, "forgotten".to_owned()));
    assert_eq!(client.get("/kv/a").unwrap().json()["value"], "100");
}

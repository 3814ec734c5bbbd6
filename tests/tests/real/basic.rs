//! The chapter's first exercise: write on one node, read on every node, with exactly the chapter's JSON.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cluster::Cluster;

#[test]
fn what_is_written_through_any_node_is_read_from_every_node() {
    let cluster = Cluster::start("basic", 3);
    for writer in 0..3 {
        let (key, value) = (format!("key{writer}"), format!("value of {writer}"));
        let pair = json!({ "key": key, "value": value });
        let answer = cluster.client(writer).put(&key, &value).unwrap();
        assert_eq!(answer.parts(), (200, pair.clone()));
        let revision = answer.header("x-revision").expect("a write has a revision").to_owned();
        for reader in 0..3 {
            let answer = cluster.client(reader).get(&format!("/kv/{key}")).unwrap();
            assert_eq!(answer.parts(), (200, pair.clone()), "on node {reader}");
            assert_eq!(answer.header("x-revision"), Some(revision.as_str()));
        }
    }
}

#[test]
fn a_delete_is_honest_and_a_missing_key_is_404() {
    let cluster = Cluster::start("delete", 3);
    let leader = cluster.wait_for_leader();
    let follower = (leader + 1) % 3;
    let mut client = cluster.client(follower);
    assert_eq!(client.get("/kv/foo").unwrap().error(), (404, "not_found".to_owned()));
    let gone = |deleted: bool| (200, json!({ "key": "foo", "deleted": deleted }));
    assert_eq!(client.delete("/kv/foo").unwrap().parts(), gone(false));
    assert_eq!(client.put("foo", "bar").unwrap().status, 200);
    assert_eq!(cluster.client(leader).delete("/kv/foo").unwrap().parts(), gone(true));
    assert_eq!(client.delete("/kv/foo").unwrap().parts(), gone(false));
    for reader in 0..3 {
        let answer = cluster.client(reader).get("/kv/foo").unwrap();
        assert_eq!(answer.error(), (404, "not_found".to_owned()));
    }
}

#[test]
fn debug_has_exactly_the_fields_of_the_chapter() {
    let cluster = Cluster::start("debug", 3);
    let leader = cluster.wait_for_leader();
    cluster.client(leader).put("foo", "bar").unwrap();
    cluster.wait_until_same();
    for place in 0..3 {
        let debug = cluster.client(place).get("/debug").unwrap().json();
        let fields: BTreeSet<&str> =
            debug.as_object().expect("an object").keys().map(String::as_str).collect();
        let expected =
            ["nodeId", "state", "term", "leaderId", "logLength", "commitIndex", "stateMachine"];
        assert_eq!(fields, BTreeSet::from(expected));
        assert_eq!(debug["nodeId"], cluster.nodes[place].name.as_str());
        assert_eq!(debug["leaderId"], cluster.nodes[leader].name.as_str());
        assert_eq!(debug["state"], if place == leader { "leader" } else { "follower" });
        assert_eq!(debug["stateMachine"], json!({ "foo": "bar" }));
        assert!(debug["term"].as_u64() >= Some(1));
        assert!(debug["commitIndex"].as_u64() <= debug["logLength"].as_u64());
    }
}

#[test]
fn any_text_is_a_key_and_a_value() {
    let cluster = Cluster::start("text", 1);
    let mut client = cluster.client(0);
    let texts = [
        ("a/b c?d=e#f%", "a%2Fb%20c%3Fd%3De%23f%25"),
        ("clé", "cl%C3%A9"),
        ("\u{0}\n\"", "%00%0A%22"),
        ("..", ".."),
    ];
    for (text, encoded) in texts {
        let pair = json!({ "key": text, "value": text });
        assert_eq!(client.post("/kv", &pair).unwrap().parts(), (200, pair.clone()));
        assert_eq!(client.get(&format!("/kv/{encoded}")).unwrap().parts(), (200, pair));
    }
    let empty = json!({ "key": "empty", "value": "" });
    assert_eq!(client.post("/kv", &empty).unwrap().parts(), (200, empty.clone()));
    assert_eq!(client.get("/kv/empty").unwrap().parts(), (200, empty));
}

#[test]
fn a_write_may_expect_what_is_there() {
    let cluster = Cluster::start("expect", 3);
    let mut client = cluster.client(1);
    let mut put = |value: &str, expect: Value| {
        let answer = client.post("/kv", &json!({ "key": "a", "value": value, "expect": expect }));
        let answer = answer.unwrap();
        let revision = answer.header("x-revision").and_then(|text| text.parse::<u64>().ok());
        (answer.status, revision)
    };
    let (status, first) = put("1", Value::Null);
    assert_eq!(status, 200);
    assert_eq!(put("2", Value::Null), (409, first));
    assert_eq!(put("2", json!("0")), (409, first));
    let (status, second) = put("2", json!("1"));
    assert_eq!(status, 200);
    assert!(second > first);
    assert_eq!(put("3", json!({ "revision": first })), (409, second));
    assert_eq!(put("3", json!({ "revision": second })).0, 200);
    assert_eq!(cluster.client(2).get("/kv/a").unwrap().json()["value"], "3");
}

#[test]
fn pairs_are_listed_in_order_and_in_pages() {
    let cluster = Cluster::start("list", 3);
    let mut client = cluster.client(0);
    for key in ["b/2", "a/1", "b/1", "b/3", "c/1"] {
        assert_eq!(client.put(key, key).unwrap().status, 200);
    }
    let keys = |query: &str| {
        let page = cluster.client(2).get(&format!("/kv?{query}")).unwrap().json();
        let items = page["items"].as_array().expect("a page has items");
        let keys: Vec<String> =
            items.iter().map(|item| item["key"].as_str().expect("a key").to_owned()).collect();
        (keys.join(" "), page["after"].as_str().map(str::to_owned))
    };
    assert_eq!(keys(""), ("a/1 b/1 b/2 b/3 c/1".to_owned(), None));
    assert_eq!(keys("prefix=b/&limit=2"), ("b/1 b/2".to_owned(), Some("b/2".to_owned())));
    assert_eq!(keys("prefix=b/&limit=2&after=b/2"), ("b/3".to_owned(), None));
}

#[test]
fn every_node_tells_how_it_does() {
    let cluster = Cluster::start("observe", 3);
    let leader = cluster.wait_for_leader();
    for place in 0..3 {
        let mut client = cluster.client(place);
        assert_eq!(client.get("/health").unwrap().json()["healthy"], true);
        assert_eq!(client.get("/ready").unwrap().json()["ready"], true);
        let status = client.get("/status").unwrap().json();
        assert_eq!(status["node"]["name"], cluster.nodes[place].name.as_str());
        assert_eq!(status["role"] == "leader", place == leader);
        assert_eq!(status["members"].as_array().map(Vec::len), Some(3));
        let metrics = client.get("/metrics").unwrap().text();
        assert!(metrics.contains("\narchipel_raft_voters 3\n"), "{metrics}");
    }
}

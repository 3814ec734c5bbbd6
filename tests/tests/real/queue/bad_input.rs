//! What clients do wrong is answered with a clear error, and changes nothing.

use serde_json::json;

use super::{email, put, start};
use crate::cluster::{Cluster, Turn};

#[test]
fn wrong_tasks_are_refused_with_a_reason() {
    let cluster = start("queue-bodies");
    let mut client = cluster.client(1);
    let cases: &[(&[u8], &str)] = &[
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"[]", "not_json"),
        (br#"{"payload": 1}"#, "bad_task"),
        (br#"{"type": "email"}"#, "bad_task"),
        (br#"{"type": "", "payload": 1}"#, "bad_task"),
        (br#"{"type": 5, "payload": 1}"#, "bad_field"),
        (br#"{"type": "a", "payload": 1, "prio": 1}"#, "bad_field"),
        (br#"{"type": "a", "payload": 1, "priority": "urgent"}"#, "bad_field"),
        (br#"{"type": "a", "payload": 1, "delayMs": -1}"#, "bad_field"),
        (br#"{"type": "a", "payload": 1, "delayMs": 1.5}"#, "bad_field"),
        (br#"{"type": "a", "payload": 1, "executeAt": "tomorrow"}"#, "bad_field"),
        (br#"{"type": "a", "payload": 1, "executeAt": 1, "delayMs": 1}"#, "bad_field"),
        (br#"{"type": "a", "payload": 1, "jitterPercent": 101}"#, "bad_field"),
        (br#"{"type": "a", "payload": 1, "queue": ""}"#, "bad_queue"),
        (br#"{"type": "a", "payload": 1, "key": ""}"#, "bad_key"),
    ];
    for (body, code) in cases {
        let answer = client.ask("POST", "/task", &[], body).unwrap();
        let shown = String::from_utf8_lossy(body);
        assert_eq!(answer.error(), (400, (*code).to_owned()), "{shown}");
    }
    let long = "x".repeat(201);
    let answer = client.post("/task", &json!({ "type": long, "payload": 1 })).unwrap();
    assert_eq!(answer.error(), (400, "bad_type".to_owned()));
    assert_eq!(client.get("/stats").unwrap().json()["put"], 0, "nothing was put");
}

#[test]
fn payloads_have_a_limit() {
    let cluster = start("queue-limits");
    let mut client = cluster.client(0);
    // Two bytes more: the quotes of a JSON text.
    put(&mut client, &email("x".repeat((1 << 20) - 2)));
    let answer = client.post("/task", &email("x".repeat((1 << 20) - 1))).unwrap();
    assert_eq!(answer.error(), (413, "payload_too_large".to_owned()));
    assert_eq!(answer.json()["limitBytes"], 1 << 20);
}

#[test]
fn wrong_paths_parameters_and_leases_are_refused() {
    let cluster = start("queue-routes");
    let mut client = cluster.client(2);
    let id = put(&mut client, &email("x"));
    for (method, path, body, expected) in [
        ("GET", "/task/x", "", (400, "bad_path")),
        ("GET", "/task/999", "", (404, "not_found")),
        ("GET", "/nothing", "", (404, "no_such_route")),
        ("GET", "/kv/a", "", (404, "no_such_route")),
        ("GET", "/debug", "", (404, "no_such_route")),
        ("HEAD", "/dequeue", "", (405, "")),
        ("PUT", "/task", "", (405, "method_not_allowed")),
        ("GET", "/dequeue?wait=x", "", (400, "bad_query")),
        ("GET", "/dequeue?wait=301", "", (400, "bad_query")),
        ("GET", "/dequeue?tpye=email", "", (400, "bad_query")),
        ("GET", "/dequeue?queue=", "", (400, "bad_queue")),
        ("GET", "/dequeue?type=", "", (400, "bad_type")),
        ("GET", "/dead?after=x", "", (400, "bad_query")),
        ("GET", "/queues/nothing-in-it", "", (404, "not_found")),
        ("POST", "/complete/1", "{}", (400, "bad_lease")),
        ("POST", "/complete/1", r#"{"lease": "mine"}"#, (400, "bad_lease")),
        ("POST", "/complete/1", r#"{"lease": "1"}"#, (409, "not_held")),
        ("POST", "/complete/999", r#"{"lease": "1"}"#, (404, "not_found")),
        ("POST", "/dead/1/retry", "", (409, "wrong_state")),
    ] {
        let path = path.replace("/1", &format!("/{id}"));
        let answer = client.ask(method, &path, &[], body.as_bytes()).unwrap();
        let (status, code) = expected;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        if method != "HEAD" {
            assert_eq!(answer.error().1, code, "{method} {path}");
        }
    }
    assert_eq!(client.get("/stats").unwrap().json()["ready"], 1, "nothing was taken");
}

#[test]
fn options_of_another_system_are_refused() {
    let cluster = Cluster::new("queue-options", 1, Turn::shared());
    let node = &cluster.nodes[0];
    let mut command = node.command();
    command.args(["--beanstalkd-address", "127.0.0.1:1"]);
    crate::cluster::run_to_end(command).expect(2, "knows no --beanstalkd-address");
    let mut command = node.command();
    command.args(["--system", "chat"]);
    let ended = crate::cluster::run_to_end(command);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("[possible values: kv, queue]"), "{}", ended.stderr);
}

//! The work queue: over HTTP, for clients of beanstalkd, from the command line, and while nodes and workers die.

mod bad_input;
mod course;
mod crashes;
mod history;
mod interfaces;
mod shell;
mod systems;
mod under_kills;

use serde_json::{Value, json};

use crate::{
    client::Client,
    cluster::{Cluster, Turn, free_port, wait_for},
};

/// Nodes that run the queue.
const SYSTEM: [&str; 2] = ["--system", "queue"];

/// A cluster of three.
fn start(test: &str) -> Cluster {
    Cluster::start_with_options(test, 3, &SYSTEM)
}

/// A cluster of three, and each node's port for clients of beanstalkd.
fn start_with_beanstalkd(test: &str) -> (Cluster, Vec<u16>) {
    let mut cluster = Cluster::new(test, 3, Turn::shared());
    cluster.introduce(None);
    cluster.add_options(&SYSTEM);
    let ports: Vec<u16> = cluster.nodes.iter().map(|_| free_port()).collect();
    for (node, port) in cluster.nodes.iter_mut().zip(&ports) {
        node.options.extend(["--beanstalkd-address".to_owned(), format!("127.0.0.1:{port}")]);
    }
    cluster.start_all();
    (cluster, ports)
}

/// Puts a task and gives its number.
#[track_caller]
fn put(client: &mut Client, task: &Value) -> String {
    let answer = client.post("/task", task).unwrap();
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["taskId"].as_str().unwrap().to_owned()
}

/// A task of the type `email` with this payload.
fn email(payload: impl Into<Value>) -> Value {
    json!({ "type": "email", "payload": payload.into() })
}

/// Takes a task; nothing if there is none.
#[track_caller]
fn dequeue(client: &mut Client, query: &str) -> Option<Value> {
    let answer = client.get(&format!("/dequeue{query}")).unwrap();
    match answer.status {
        200 => Some(answer.json()),
        204 => None,
        _ => panic!("{}", answer.text()),
    }
}

/// Takes a task that is there, or soon will be.
fn take(client: &mut Client, query: &str) -> Value {
    wait_for("a task", || dequeue(client, query))
}

/// Ends a delivery, and gives the status of the answer.
fn end(client: &mut Client, how: &str, task: &Value, body: Value) -> u16 {
    let id = task["id"].as_str().unwrap();
    let mut body = body;
    body["lease"] = task["lease"].clone();
    client.post(&format!("/{how}/{id}"), &body).unwrap().status
}

/// What is known of a task.
fn get(client: &mut Client, id: &str) -> Value {
    let answer = client.get(&format!("/task/{id}")).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

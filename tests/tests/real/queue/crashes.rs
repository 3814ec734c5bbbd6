//! Workers and nodes that die: whatever was accepted is done.

use serde_json::json;

use super::{email, end, get, put, start, take};
use crate::{client::Client, cluster::wait_for};

#[test]
fn a_worker_that_dies_with_a_task_is_not_waited_for_longer_than_its_lease() {
    let cluster = start("queue-dead-worker");
    let mut client = cluster.client(0);
    let mut task = email("x");
    (task["leaseMs"], task["backoffMs"]) = (json!(400), json!(1));
    let id = put(&mut client, &task);
    // The worker is a process of its own, killed while its command runs.
    let mut worker = std::process::Command::new(crate::cluster::program())
        .args(["queue", "work", "--exec", "sleep 100", "--cluster", &cluster.addresses()])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the worker to have it", || {
        (get(&mut client, &id)["status"] == "processing").then_some(())
    });
    // A heartbeat keeps it meanwhile.
    std::thread::sleep(std::time::Duration::from_millis(1200));
    assert_eq!(get(&mut client, &id)["deliveries"], 1);
    worker.kill().unwrap();
    worker.wait().unwrap();
    let task = take(&mut cluster.client(1), "?wait=20");
    assert_eq!((&task["id"], &task["retries"]), (&json!(id), &json!(1)));
    assert_eq!(end(&mut client, "complete", &task, json!({})), 200);
}

#[test]
fn three_workers_share_twelve_tasks_and_one_of_them_leaves() {
    let cluster = start("queue-twelve");
    let mut client = cluster.client(0);
    let ids: Vec<String> = (0..12)
        .map(|number| {
            let mut task = email(number);
            (task["leaseMs"], task["backoffMs"]) = (json!(500), json!(1));
            put(&mut client, &task)
        })
        .collect();
    let workers: Vec<_> = cluster
        .client_ports()
        .into_iter()
        .enumerate()
        .map(|(number, port)| {
            std::thread::spawn(move || {
                let mut client = Client::new(port).that_asks_again();
                let mut done = Vec::new();
                while let Some(task) = super::dequeue(&mut client, "?wait=2") {
                    if number == 0 && done.len() == 1 {
                        // It leaves with a task in its hands.
                        return done;
                    }
                    assert_eq!(end(&mut client, "complete", &task, json!({})), 200);
                    done.push(task["id"].as_str().unwrap().to_owned());
                }
                done
            })
        })
        .collect();
    let mut done: Vec<String> =
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    let mut expected = ids;
    done.sort();
    expected.sort();
    assert_eq!(done, expected, "all are done, and each by one worker");
}

#[test]
fn what_was_accepted_is_there_after_all_nodes_were_killed() {
    let mut cluster = start("queue-durable");
    let ids: Vec<String> =
        (0..30).map(|number| put(&mut cluster.client(number % 3), &email(number))).collect();
    let task = take(&mut cluster.client(0), "?leaseMs=3600000");
    for node in &mut cluster.nodes {
        node.kill();
    }
    cluster.start_all();
    let mut client = cluster.client(1);
    for id in &ids {
        let known = get(&mut client, id);
        let expected = if task["id"] == id.as_str() { "processing" } else { "pending" };
        assert_eq!(known["status"], expected);
    }
    assert_eq!(end(&mut client, "complete", &task, json!({ "result": 1 })), 200, "its lease holds");
}

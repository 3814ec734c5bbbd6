//! `archipel queue`, as people and scripts use it.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{email, get, put, start};
use crate::cluster::{Cluster, Ended, archipel, program, wait_for};

/// Runs `archipel queue` with these words against `cluster`.
fn queue(cluster: &Cluster, words: &[&str]) -> Ended {
    let addresses = cluster.addresses();
    archipel(&[&["queue"], words, &["--cluster", &addresses]].concat())
}

fn json_of(ended: &Ended) -> Value {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Starts a worker.
fn worker(cluster: &Cluster, words: &[&str]) -> Child {
    let mut command = Command::new(program());
    command.args(["queue", "work", "--cluster", &cluster.addresses(), "--json"]).args(words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    command.spawn().unwrap()
}

fn interrupt(worker: &Child) {
    kill_process(Pid::from_child(worker), Signal::INT).unwrap();
}

/// Waits for its end; what it wrote.
fn finish(mut worker: Child) -> (Option<i32>, String) {
    let mut said = String::new();
    worker.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    (worker.wait().unwrap().code(), said)
}

#[test]
fn tasks_are_put_shown_done_and_tried_again() {
    let cluster = start("queue-shell");
    let id = json_of(&queue(&cluster, &["put", r#"{"n": 1}"#, "--type", "sum", "--json"]));
    assert_eq!(id["taskId"], "1");
    queue(&cluster, &["put", "bad", "--max-retries", "1", "--priority", "low"]);
    let once = queue(&cluster, &["put", "x", "--key", "k", "--queue", "other"]);
    assert!(once.stdout.contains("is in the queue other"), "{once:?}");
    let again = queue(&cluster, &["put", "x", "--key", "k", "--queue", "other"]);
    assert!(again.stdout.contains("there is no new one"), "{again:?}");

    let next = json_of(&queue(&cluster, &["peek", "--json"]));
    assert_eq!(next["payload"], json!({ "n": 1 }));
    let command = r#"p=$(cat)
        [ "$p" = bad ] && { echo "cannot $p" >&2; exit 7; }
        echo "$ARCHIPEL_TASK_TYPE $p""#;
    let worked = queue(&cluster, &["work", "--exec", command, "--drain", "--concurrency", "2"]);
    assert_eq!(worked.code, Some(1), "{worked:?}");
    assert!(worked.stdout.contains("1 completed, 1 failed."), "{worked:?}");
    assert!(worked.stderr.contains("Task 2: exit code 7: cannot bad."), "{worked:?}");
    assert_eq!(get(&mut cluster.client(1), "1")["result"], r#"sum {"n":1}"#);

    let dead = json_of(&queue(&cluster, &["dead", "--json"]));
    assert_eq!(dead["tasks"][0]["error"], "exit code 7: cannot bad");
    let stats = queue(&cluster, &["stats"]);
    let rows: Vec<Vec<&str>> =
        stats.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["default", "0", "0", "0", "1", "1", "open"]);
    assert!(queue(&cluster, &["retry", "2"]).stdout.contains("Task 2 is tried again."));
    assert!(queue(&cluster, &["pause", "other"]).stdout.contains("is paused"));
    let idle = queue(&cluster, &["work", "--exec", "true", "--queue", "other", "--drain"]);
    assert!(idle.stdout.contains("0 completed, 0 failed."), "{idle:?}");
    assert!(queue(&cluster, &["resume", "other"]).stdout.contains("goes on"));
    let done = queue(&cluster, &["work", "--exec", "true", "--queue", "other", "--drain"]);
    assert_eq!(done.code, Some(0), "{done:?}");
}

#[test]
fn what_does_not_exist_or_makes_no_sense_has_an_exit_code_and_a_sentence() {
    let cluster = start("queue-shell-wrong");
    queue(&cluster, &["peek", "99"]).expect(1, "There is no task 99");
    queue(&cluster, &["peek", "--queue", "nothing"]).expect(1, "No task of this queue is ready");
    queue(&cluster, &["retry", "99"]).expect(1, "There is no such task");
    queue(&cluster, &["put", "x", "--priority", "urgent"]).expect(2, "\"priority\"");
    queue(&cluster, &["put", "x", "--lines"]).expect(2, "standard input");
    queue(&cluster, &["work", "--exec", "true", "--type", ""]).expect(2, "a type");
}

#[test]
fn a_worker_finishes_what_it_does_when_it_is_asked_to_stop() {
    let cluster = start("queue-shell-stop");
    let mut client = cluster.client(0);
    let first = put(&mut client, &email(1));
    let second = put(&mut client, &email(2));
    let worker = worker(&cluster, &["--exec", "sleep 1.5; echo done"]);
    wait_for("the worker to have a task", || {
        (get(&mut client, &first)["status"] == "processing").then_some(())
    });
    interrupt(&worker);
    let (code, said) = finish(worker);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(get(&mut client, &first)["result"], "done");
    assert_eq!(get(&mut client, &second)["deliveries"], 0, "it took no other");
}

#[test]
fn a_worker_that_is_asked_twice_gives_its_task_back() {
    let cluster = start("queue-shell-abandon");
    let mut client = cluster.client(0);
    let id = put(&mut client, &email(1));
    let worker = worker(&cluster, &["--exec", "sleep 100"]);
    wait_for("the worker to have a task", || {
        (get(&mut client, &id)["status"] == "processing").then_some(())
    });
    interrupt(&worker);
    std::thread::sleep(std::time::Duration::from_millis(300));
    interrupt(&worker);
    finish(worker);
    let task = get(&mut client, &id);
    assert_eq!((&task["status"], &task["retries"]), (&json!("pending"), &json!(0)));
}

#[test]
fn a_worker_that_waits_stops_at_once_and_nothing_is_taken_for_it() {
    let cluster = start("queue-shell-idle");
    let mut client = cluster.client(0);
    let worker = worker(&cluster, &["--exec", "cat", "--concurrency", "3"]);
    let waiting = |place: usize| {
        let page = cluster.client(place).get("/metrics").unwrap().text();
        let line = page.lines().find_map(|it| it.strip_prefix("archipel_queue_consumers_waiting "));
        line.unwrap().parse::<u64>().unwrap()
    };
    wait_for("three in line", || ((0..3).map(waiting).sum::<u64>() == 3).then_some(()));
    interrupt(&worker);
    assert_eq!(finish(worker).0, Some(0));
    wait_for("nobody in line", || ((0..3).map(waiting).sum::<u64>() == 0).then_some(()));
    let id = put(&mut client, &email(1));
    assert_eq!(get(&mut client, &id)["status"], "pending");
}

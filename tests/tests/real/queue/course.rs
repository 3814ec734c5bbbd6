//! The course's interface, feature by feature, on any node.

use serde_json::json;

use super::{dequeue, email, end, get, put, start, take};
use crate::cluster::wait_for;

#[test]
fn a_task_goes_from_its_producer_to_its_result() {
    let cluster = start("queue-life");
    let (mut producer, mut worker, mut looker) =
        (cluster.client(0), cluster.client(1), cluster.client(2));
    let answer = producer.post("/task", &email(json!({ "to": "ada" }))).unwrap();
    assert_eq!(answer.status, 202);
    let accepted = answer.json();
    assert_eq!(accepted["message"], "Task enqueued");
    let stats = json!({ "pending": 1, "processing": 0, "completed": 0, "failed": 0 });
    assert_eq!(accepted["stats"], stats);
    let id = accepted["taskId"].as_str().unwrap();

    let task = dequeue(&mut worker, "").unwrap();
    assert_eq!(task["id"], id);
    assert_eq!(task["type"], "email");
    assert_eq!(task["payload"], json!({ "to": "ada" }));
    assert_eq!((&task["retries"], &task["maxRetries"]), (&json!(0), &json!(3)));
    assert_eq!(get(&mut looker, id)["status"], "processing");
    assert!(dequeue(&mut worker, "").is_none());
    assert_eq!(end(&mut worker, "complete", &task, json!({ "result": { "sent": true } })), 200);

    let done = get(&mut looker, id);
    assert_eq!((&done["status"], &done["result"]), (&json!("completed"), &json!({ "sent": true })));
    let stats = looker.get("/stats").unwrap().json();
    assert_eq!((&stats["pending"], &stats["completed"]), (&json!(0), &json!(1)));
}

#[test]
fn every_payload_that_is_there_is_a_payload() {
    let cluster = start("queue-payloads");
    let mut client = cluster.client(0);
    for payload in [json!(0), json!(""), json!(false), json!(null), json!({}), json!([1, "é"])] {
        put(&mut client, &email(payload.clone()));
        let task = take(&mut client, "");
        assert_eq!(task["payload"], payload);
        assert_eq!(end(&mut client, "complete", &task, json!({})), 200);
    }
}

#[test]
fn a_failed_task_is_tried_again_later_and_is_then_a_dead_letter() {
    let cluster = start("queue-retries");
    let (mut client, mut other) = (cluster.client(0), cluster.client(2));
    let mut task = email("x");
    task["backoffMs"] = json!(30);
    let id = put(&mut client, &task);
    for attempt in 0..3 {
        let task = take(&mut client, "");
        assert_eq!(task["retries"], attempt);
        let body = json!({ "error": format!("oh {attempt}") });
        assert_eq!(end(&mut client, "fail", &task, body), 200);
    }
    let dead = get(&mut client, &id);
    assert_eq!((&dead["status"], &dead["error"]), (&json!("failed"), &json!("oh 2")));
    assert_eq!(dead["attempts"].as_array().unwrap().len(), 3);
    let listed = other.get("/dead").unwrap().json();
    assert_eq!(listed["tasks"][0]["id"], id.as_str());

    assert_eq!(other.post(&format!("/dead/{id}/retry"), &json!({})).unwrap().status, 200);
    let task = take(&mut client, "");
    assert_eq!((&task["id"], &task["retries"]), (&json!(id), &json!(0)), "it begins anew");
    assert_eq!(end(&mut client, "complete", &task, json!({})), 200);
}

#[test]
fn dead_letters_are_tried_again_or_deleted_all_together() {
    let cluster = start("queue-dead");
    let mut client = cluster.client(1);
    // More than one entry of the log does at a time.
    const COUNT: u64 = 300;
    for number in 0..COUNT {
        let mut task = email(number);
        task["maxRetries"] = json!(1);
        put(&mut client, &task);
        let task = take(&mut client, "");
        assert_eq!(end(&mut client, "fail", &task, json!({ "error": "no" })), 200);
    }
    assert_eq!(client.get("/stats").unwrap().json()["failed"], COUNT);
    let retried = client.post("/dead/retry", &json!({})).unwrap().json();
    assert_eq!(retried["retried"], COUNT);
    for _ in 0..COUNT {
        let task = take(&mut client, "");
        assert_eq!(end(&mut client, "fail", &task, json!({})), 200);
    }
    assert_eq!(client.delete("/dead").unwrap().json()["purged"], COUNT);
    assert_eq!(client.get("/stats").unwrap().json()["failed"], 0);
}

#[test]
fn who_lost_a_lease_can_end_nothing() {
    let cluster = start("queue-stale");
    let (mut slow, mut quick) = (cluster.client(0), cluster.client(1));
    let mut task = email("x");
    (task["leaseMs"], task["backoffMs"]) = (json!(200), json!(1));
    let id = put(&mut slow, &task);
    let first = take(&mut slow, "");
    let second = take(&mut quick, "?leaseMs=60000");
    assert_eq!(second["id"], id.as_str());
    assert_ne!(first["lease"], second["lease"]);
    for how in ["complete", "fail", "extend", "release"] {
        assert_eq!(end(&mut slow, how, &first, json!({})), 409, "{how}");
    }
    assert_eq!(end(&mut quick, "complete", &second, json!({ "result": 1 })), 200);
    assert_eq!(end(&mut slow, "complete", &first, json!({ "result": 2 })), 409);
    assert_eq!(get(&mut slow, &id)["result"], 1);
    assert_eq!(get(&mut slow, &id)["timeouts"], 1);
}

#[test]
fn a_lease_that_is_extended_goes_on() {
    let cluster = start("queue-extend");
    let mut client = cluster.client(2);
    let id = put(&mut client, &email("x"));
    let task = take(&mut client, "?leaseMs=2000");
    for _ in 0..6 {
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert_eq!(end(&mut client, "extend", &task, json!({})), 200);
    }
    assert_eq!(get(&mut client, &id)["deliveries"], 1);
    assert_eq!(end(&mut client, "complete", &task, json!({})), 200);
}

#[test]
fn high_comes_before_normal_before_low_and_then_the_oldest() {
    let cluster = start("queue-priorities");
    let mut client = cluster.client(0);
    for (place, priority) in [json!("low"), json!("normal"), json!("high"), json!(7), json!("high")]
        .into_iter()
        .enumerate()
    {
        let mut task = email(place);
        task["priority"] = priority;
        put(&mut client, &task);
    }
    let mut other = cluster.client(1);
    let order: Vec<u64> =
        (0..5).map(|_| take(&mut other, "")["payload"].as_u64().unwrap()).collect();
    assert_eq!(order, [3, 2, 4, 1, 0]);
}

#[test]
fn a_task_is_not_served_before_its_time() {
    let cluster = start("queue-schedule");
    let mut client = cluster.client(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now_ms = u64::try_from(now.as_millis()).unwrap();
    let mut scheduled = email("at");
    scheduled["executeAt"] = json!(now_ms + 1500);
    put(&mut client, &scheduled);
    let mut delayed = email("after");
    delayed["delayMs"] = json!(700);
    put(&mut client, &delayed);
    let mut past = email("past");
    past["executeAt"] = json!(1000);
    put(&mut client, &past);
    let order: Vec<_> = (0..3).map(|_| take(&mut client, "?wait=5")["payload"].clone()).collect();
    assert_eq!(order, [json!("past"), json!("after"), json!("at")]);
    let later = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!(later - now >= std::time::Duration::from_millis(1490), "{:?}", later - now);
}

#[test]
fn a_worker_that_waits_is_given_what_comes() {
    let cluster = start("queue-wait");
    let ports = cluster.client_ports();
    let workers: Vec<_> = ports
        .iter()
        .map(|port| {
            let mut client = crate::client::Client::new(*port);
            std::thread::spawn(move || dequeue(&mut client, "?wait=25&type=email"))
        })
        .collect();
    let mut client = cluster.client(0);
    wait_for("workers in line", || {
        let waiting = |place: usize| {
            let page = cluster.client(place).get("/metrics").ok()?.text();
            page.contains("archipel_queue_consumers_waiting 1\n").then_some(())
        };
        (0..3).try_for_each(waiting)
    });
    put(&mut client, &json!({ "type": "image", "payload": 0 }));
    for number in 0..3 {
        put(&mut client, &email(number));
    }
    let mut got: Vec<u64> = workers
        .into_iter()
        .map(|worker| worker.join().unwrap().unwrap()["payload"].as_u64().unwrap())
        .collect();
    got.sort_unstable();
    assert_eq!(got, [0, 1, 2]);
    let begun = std::time::Instant::now();
    assert!(dequeue(&mut client, "?wait=1&type=email").is_none());
    assert!(begun.elapsed() >= std::time::Duration::from_secs(1));
}

#[test]
fn a_queue_has_settings_and_can_be_full_or_paused() {
    let cluster = start("queue-settings");
    let (mut client, mut other) = (cluster.client(0), cluster.client(1));
    let settings = json!({ "maxLength": 2, "leaseMs": 5000, "maxRetries": 1 });
    let body = settings.to_string();
    let answer = client.ask("PUT", "/queues/print", &[], body.as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut task = email("x");
    task["queue"] = json!("print");
    put(&mut other, &task);
    put(&mut client, &task);
    let full = client.post("/task", &task).unwrap();
    assert_eq!(full.error(), (429, "full".to_owned()));
    assert_eq!(full.header("retry-after"), Some("1"));

    assert_eq!(client.post("/queues/print/pause", &json!({})).unwrap().status, 200);
    assert_eq!(other.get("/queues/print").unwrap().json()["paused"], true);
    assert!(dequeue(&mut other, "?queue=print").is_none());
    assert_eq!(client.post("/queues/print/resume", &json!({})).unwrap().status, 200);
    let task = take(&mut other, "?queue=print");
    assert_eq!((&task["leaseMs"], &task["maxRetries"]), (&json!(5000), &json!(1)));
    let names = client.get("/queues").unwrap().json();
    assert_eq!(names["queues"], json!(["print"]));
}

#[test]
fn a_key_and_a_session_make_a_repeat_one_task() {
    let cluster = start("queue-once");
    let (mut client, mut other) = (cluster.client(0), cluster.client(1));
    let mut task = email("x");
    task["key"] = json!("nightly");
    let id = put(&mut client, &task);
    let again = other.post("/task", &task).unwrap().json();
    assert_eq!((&again["taskId"], &again["duplicate"]), (&json!(id), &json!(true)));
    let body = email("y").to_string();
    let headers = [("X-Client-Id", "producer-1"), ("X-Serial", "1")];
    let first = client.ask("POST", "/task", &headers, body.as_bytes()).unwrap().json();
    let second = other.ask("POST", "/task", &headers, body.as_bytes()).unwrap().json();
    assert_eq!(first["taskId"], second["taskId"]);
    assert_eq!(client.get("/stats").unwrap().json()["pending"], 2);
}

#[test]
fn a_task_that_nobody_does_in_time_expires() {
    let cluster = start("queue-ttl");
    let mut client = cluster.client(0);
    let mut task = email("x");
    task["ttlMs"] = json!(100);
    let id = put(&mut client, &task);
    wait_for("the end of its time", || {
        (get(&mut client, &id)["status"] == "expired").then_some(())
    });
    assert!(dequeue(&mut client, "").is_none());
}

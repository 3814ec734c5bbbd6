//! The same tasks over HTTP and for clients of beanstalkd, on any node.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::json;

use super::{dequeue, email, end, get, put, start_with_beanstalkd, take};
use crate::cluster::wait_for;

/// A client of beanstalkd.
struct Beanstalk(BufReader<TcpStream>);

impl Beanstalk {
    fn connect(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(format!("{text}\r\n").as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ask(&mut self, text: &str) -> String {
        self.send(text);
        self.line()
    }

    /// The body of a reply whose line was read.
    fn body(&mut self, line: &str) -> String {
        let length: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
        let mut body = vec![0; length + 2];
        self.0.read_exact(&mut body).unwrap();
        String::from_utf8(body[..length].to_vec()).unwrap()
    }
}

#[test]
fn both_interfaces_show_the_same_tasks() {
    let (cluster, ports) = start_with_beanstalkd("queue-both");
    let (mut http, mut jobs) = (cluster.client(0), Beanstalk::connect(ports[1]));
    let id = put(&mut http, &email(json!({ "to": "ada" })));
    let line = jobs.ask("reserve");
    assert_eq!(line, format!("RESERVED {id} 12"));
    assert_eq!(jobs.body(&line), r#"{"to":"ada"}"#);
    assert_eq!(get(&mut http, &id)["status"], "processing");
    assert_eq!(jobs.ask(&format!("bury {id} 7")), "BURIED");
    assert_eq!(http.get("/dead").unwrap().json()["tasks"][0]["priority"], 7);
    assert_eq!(http.post(&format!("/dead/{id}/retry"), &json!({})).unwrap().status, 200);
    let task = take(&mut http, "");
    assert_eq!(task["id"], id.as_str());
    assert_eq!(jobs.ask(&format!("delete {id}")), "NOT_FOUND", "somebody else holds it");
    assert_eq!(end(&mut http, "complete", &task, json!({})), 200);
    assert_eq!(jobs.ask(&format!("peek {id}")), "NOT_FOUND", "what is done is no job");

    assert_eq!(jobs.ask("put 5 0 60 5\r\nhello"), "INSERTED 2");
    let task = take(&mut http, "");
    assert_eq!((&task["payload"], &task["type"]), (&json!("hello"), &json!(null)));
    assert_eq!(task["maxRetries"], json!(null), "without end, as in beanstalkd");
}

#[test]
fn requests_sent_together_are_replied_to_in_order() {
    let (_cluster, ports) = start_with_beanstalkd("queue-pipeline");
    let mut jobs = Beanstalk::connect(ports[2]);
    const COUNT: usize = 2000;
    let puts: String = (0..COUNT).map(|number| format!("put {number} 0 60 1\r\nx\r\n")).collect();
    let mut sender = jobs.0.get_ref().try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        sender.write_all(b"use p\r\nwatch p\r\nignore default\r\n").unwrap();
        sender.write_all(puts.as_bytes()).unwrap();
        sender.write_all(b"reserve\r\nstats-tube p\r\n").unwrap();
    });
    assert_eq!([jobs.line(), jobs.line(), jobs.line()], ["USING p", "WATCHING 2", "WATCHING 1"]);
    let ids: Vec<u64> = (0..COUNT)
        .map(|_| jobs.line().strip_prefix("INSERTED ").unwrap().parse().unwrap())
        .collect();
    assert!(ids.is_sorted());
    let line = jobs.line();
    assert_eq!(line, format!("RESERVED {} 1", ids[0]));
    jobs.body(&line);
    let line = jobs.line();
    let page = jobs.body(&line);
    assert!(page.contains(&format!("\ncurrent-jobs-ready: {}\n", COUNT - 1)), "{page}");
    sending.join().unwrap();
    // A job is released and deleted in this order, though both are sent at once.
    let first = ids[0];
    jobs.send(&format!("release {first} 0 0\r\ntouch {first}\r\ndelete {first}\r\npeek {first}"));
    let replies: Vec<String> = (0..4).map(|_| jobs.line()).collect();
    assert_eq!(replies, ["RELEASED", "NOT_FOUND", "DELETED", "NOT_FOUND"]);
}

#[test]
fn a_lost_connection_lets_go_of_what_it_holds() {
    let (cluster, ports) = start_with_beanstalkd("queue-lost");
    let mut holder = Beanstalk::connect(ports[0]);
    holder.ask("put 1 0 1000 1\r\nx");
    let line = holder.ask("reserve");
    holder.body(&line);
    let mut http = cluster.client(2);
    assert!(dequeue(&mut http, "").is_none());
    drop(holder);
    let task = take(&mut http, "?wait=20");
    assert_eq!(end(&mut http, "complete", &task, json!({})), 200);
}

#[test]
fn a_lost_nodes_reservations_end() {
    let (mut cluster, ports) = start_with_beanstalkd("queue-lost-node");
    let leader = cluster.wait_for_leader();
    let victim = (leader + 1) % 3;
    let mut holder = Beanstalk::connect(ports[victim]);
    holder.ask("put 1 0 2 1\r\nx");
    holder.ask("put 1 0 1000 1\r\ny");
    for _ in 0..2 {
        let line = holder.ask("reserve");
        holder.body(&line);
    }
    cluster.nodes[victim].kill();
    let mut http = cluster.client(leader);
    let task = take(&mut http, "?wait=20");
    assert_eq!(task["payload"], "x", "its lease has ended");
    assert_eq!(end(&mut http, "complete", &task, json!({})), 200);
    // The node's next life lets go of what the last one held.
    cluster.start_all();
    let task = take(&mut http, "?wait=20");
    assert_eq!(task["payload"], "y");
}

#[test]
fn a_leader_that_dies_is_not_felt_by_who_waits() {
    let (mut cluster, ports) = start_with_beanstalkd("queue-failover");
    let leader = cluster.wait_for_leader();
    let (mut waiting, mut producer) = {
        let others: Vec<u16> =
            (0..3).filter(|place| *place != leader).map(|place| ports[place]).collect();
        (Beanstalk::connect(others[0]), Beanstalk::connect(others[1]))
    };
    waiting.send("reserve-with-timeout 25");
    wait_for("a client in line", || {
        producer.ask("use default");
        let other = (0..3).find(|place| *place != leader).unwrap();
        let page = cluster.client(other).get("/metrics").ok()?.text();
        page.contains("archipel_queue_consumers_waiting 1\n").then_some(())
    });
    cluster.nodes[leader].kill();
    // What had left for the leader is unknown, and said to be; what comes later waits for a new one.
    let job = wait_for("a job to be put", || {
        let reply = producer.ask("put 1 0 60 1\r\nx");
        reply.strip_prefix("INSERTED ").map(str::to_owned)
    });
    let line = waiting.line();
    assert!(line.starts_with("RESERVED "), "{line}");
    waiting.body(&line);
    assert_eq!(producer.ask(&format!("stats-job {job}")).split(' ').next(), Some("OK"));
    let reserved = line.split(' ').nth(1).unwrap();
    assert_eq!(waiting.ask(&format!("delete {reserved}")), "DELETED");
}

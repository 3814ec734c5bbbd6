//! What clients see when the leader dies: a lock stays held, an election goes on, a watch misses nothing.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use super::{Etcdctl, interrupt, wait_for};

impl Etcdctl {
    /// The place of the member that leads.
    fn leader(&self) -> usize {
        let said = self.ok(&["endpoint", "status", "-w", "json"]);
        let statuses: Vec<Value> = serde_json::from_str(&said).unwrap();
        let leads = |one: &Value| one["Status"]["leader"] == one["Status"]["header"]["member_id"];
        statuses.iter().position(leads).expect("one leads")
    }

    /// Ends the leader at once and waits until the others serve; gives its place.
    fn kill_leader(&mut self) -> usize {
        let leader = self.leader();
        self.cluster.members[leader].kill();
        let rest = (leader + 1) % 3;
        let address = self.cluster.members[rest].host_and_port();
        wait_for("another leader", || {
            let put = self.command_at(&address, &["put", "after", "failover"]).output().unwrap();
            put.status.success().then_some(())
        });
        leader
    }
}

#[test]
fn a_lock_outlives_the_leader() {
    let Some(mut etcdctl) = Etcdctl::start() else { return };
    let mut holder = etcdctl.command(&["lock", "door", "--ttl", "20"]).spawn().unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let held = lines.next().unwrap().unwrap();
    let leader = etcdctl.kill_leader();
    let first = etcdctl.ok(&["get", "door", "--prefix", "--keys-only", "--limit=1"]);
    assert_eq!(first.trim(), held, "it is still held by the same");
    etcdctl.cluster.start_member(leader);
    interrupt(&holder);
    holder.wait().unwrap();
    let next = etcdctl.ok(&["lock", "door", "--", "echo", "mine"]);
    assert_eq!(next, "mine\n");
}

#[test]
fn whoever_is_elected_stays_elected_without_the_leader() {
    let Some(mut etcdctl) = Etcdctl::start() else { return };
    let mut first = etcdctl.command(&["elect", "chair", "anna"]).spawn().unwrap();
    let mut lines = BufReader::new(first.stdout.take().unwrap()).lines();
    let key = lines.next().unwrap().unwrap();
    let mut second = etcdctl.command(&["elect", "chair", "bert"]).spawn().unwrap();
    // A candidate's first writes are not tried again, so it must have written them.
    wait_for("a second candidate", || {
        let keys = etcdctl.ok(&["get", "chair/", "--prefix", "--keys-only"]);
        (keys.matches("chair/").count() == 2).then_some(())
    });
    etcdctl.kill_leader();
    assert_eq!(etcdctl.ok(&["get", &key]), format!("{key}\nanna\n"));
    interrupt(&first);
    first.wait().unwrap();
    let mut lines = BufReader::new(second.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("chair/"));
    assert_eq!(lines.next().unwrap().unwrap(), "bert");
    interrupt(&second);
    second.wait().unwrap();
}

#[test]
fn a_watch_goes_on_across_a_failover_without_a_gap_or_a_repeat() {
    let Some(mut etcdctl) = Etcdctl::start() else { return };
    let mut watch = etcdctl.command(&["watch", "n/", "--prefix", "--rev=2"]).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let put = |etcdctl: &Etcdctl, number: usize| {
        // A put may fail while nobody leads, and may yet have happened: then it is not put again.
        wait_for("a put", || {
            let key = format!("n/{number}");
            let txn = format!("version(\"{key}\") = \"0\"\n\nput {key} {number}\n\n\n");
            (etcdctl.said_after(&["txn"], &txn).code == Some(0)).then_some(())
        });
    };
    (0..20).for_each(|number| put(&etcdctl, number));
    let leader = etcdctl.kill_leader();
    (20..40).for_each(|number| put(&etcdctl, number));
    etcdctl.cluster.start_member(leader);
    (40..50).for_each(|number| put(&etcdctl, number));
    let mut next = || lines.next().unwrap().unwrap();
    let seen: Vec<String> = (0..50).map(|_| [next(), next(), next()].join(" ")).collect();
    let wanted: Vec<String> = (0..50).map(|number| format!("PUT n/{number} {number}")).collect();
    assert_eq!(seen, wanted);
    interrupt(&watch);
    watch.wait().unwrap();
}

//! `lock` and `elect`: recipes that `etcdctl` carries out with transactions, leases and watches.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout},
};

use super::{Etcdctl, interrupt};

/// A command that goes on until it is interrupted, and what it writes.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(etcdctl: &Etcdctl, words: &[&str]) -> Self {
        let mut child = etcdctl.command(words).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self) -> String {
        self.lines.next().expect("there is another line").unwrap()
    }

    fn stop(mut self) {
        interrupt(&self.child);
        self.child.wait().unwrap();
    }
}

#[test]
fn a_lock_is_held_by_one_and_goes_to_the_next() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    let mut first = Running::start(&etcdctl, &["lock", "door"]);
    let held = first.next();
    assert!(held.starts_with("door/"), "{held}");
    let mut second = Running::start(&etcdctl, &["lock", "door", "--ttl", "5"]);
    let eldest = ["get", "door", "--prefix", "--keys-only", "--limit=1", "--sort-by=CREATE"];
    assert_eq!(etcdctl.ok(&eldest).trim(), held);
    first.stop();
    let next = second.next();
    assert!(next.starts_with("door/") && next != held, "{next}");
    second.stop();
    assert_eq!(etcdctl.ok(&["get", "door", "--prefix"]), "");
}

#[test]
fn a_command_runs_under_a_lock() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    let words = ["lock", "door", "--", "sh", "-c", "echo $ETCD_LOCK_KEY $ETCD_LOCK_REV"];
    let said = etcdctl.ok(&words);
    assert!(said.starts_with("door/") && said.trim_end().ends_with(" 2"), "{said}");
    etcdctl.fails(&["lock", "door", "--", "sh", "-c", "exit 7"]);
}

#[test]
fn one_is_elected_and_then_the_other() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    let mut first = Running::start(&etcdctl, &["elect", "chair", "anna"]);
    let key = first.next();
    assert!(key.starts_with("chair/"), "{key}");
    assert_eq!(first.next(), "anna");
    let mut second = Running::start(&etcdctl, &["elect", "chair", "bert"]);
    let mut listener = Running::start(&etcdctl, &["elect", "chair", "--listen"]);
    assert_eq!(listener.next(), key);
    assert_eq!(listener.next(), "anna");
    first.stop();
    assert!(second.next().starts_with("chair/"));
    assert_eq!(second.next(), "bert");
    assert!(listener.next().starts_with("chair/"));
    assert_eq!(listener.next(), "bert");
    listener.stop();
    second.stop();
}

//! `watch`.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout},
};

use super::{Etcdctl, interrupt};

/// A watch that runs.
struct Watch {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Watch {
    fn start(etcdctl: &Etcdctl, words: &[&str]) -> Self {
        let mut child = etcdctl.command(&[&["watch"], words].concat()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn next(&mut self, count: usize) -> Vec<String> {
        self.lines.by_ref().take(count).map(Result::unwrap).collect()
    }

    fn stop(mut self) {
        interrupt(&self.child);
        self.child.wait().unwrap();
    }
}

#[test]
fn history_comes_first_and_then_what_happens() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    etcdctl.ok(&["put", "a", "1"]);
    etcdctl.ok(&["del", "a"]);
    let mut watch = Watch::start(&etcdctl, &["a", "--rev=2"]);
    assert_eq!(watch.next(6), ["PUT", "a", "1", "DELETE", "a", ""]);
    etcdctl.ok(&["put", "a", "2"]);
    assert_eq!(watch.next(3), ["PUT", "a", "2"]);
    watch.stop();
}

#[test]
fn a_prefix_is_watched_with_values_before() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    etcdctl.ok(&["put", "k1", "1"]);
    let mut watch = Watch::start(&etcdctl, &["k", "--prefix", "--prev-kv", "--rev=3"]);
    etcdctl.ok(&["put", "k1", "2"]);
    assert_eq!(watch.next(5), ["PUT", "k1", "1", "k1", "2"]);
    etcdctl.ok(&["del", "k1"]);
    assert_eq!(watch.next(5), ["DELETE", "k1", "2", "k1", ""]);
    watch.stop();
}

#[test]
fn a_watch_of_what_was_compacted_ends() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    for value in ["1", "2", "3"] {
        etcdctl.ok(&["put", "a", value]);
    }
    etcdctl.ok(&["compaction", "4"]);
    let error = etcdctl.fails(&["watch", "a", "--rev=2"]);
    assert!(
        error.contains(
            "watch was canceled (etcdserver: mvcc: required revision has been compacted)"
        ),
        "{error}"
    );
}

//! `snapshot save`, `status` and `restore`.

use archipel_tests::is_installed;
use std::{fs, iter::once};

use serde_json::Value;

use super::{Etcdctl, Said};
use crate::servers::{Cluster, Program};

#[test]
fn a_snapshot_has_the_keys_and_can_be_restored() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    for key in ["a", "b", "c"] {
        etcdctl.ok(&["put", key, "1"]);
    }
    etcdctl.ok(&["del", "c"]);
    let folder = &etcdctl.cluster.folder;
    let file = folder.join("saved.db").display().to_string();
    let saved = etcdctl.ok_at(0, &["snapshot", "save", &file]);
    assert!(saved.ends_with(&format!("Snapshot saved at {file}\n")), "{saved}");
    assert_eq!(fs::metadata(&file).unwrap().len() % 512, 32, "a SHA-256 follows the pages");
    let status: Value =
        serde_json::from_str(&etcdctl.ok(&["snapshot", "status", &file, "-w", "json"])).unwrap();
    assert_eq!(status["revision"], 5, "{status}");
    assert!(status["totalKey"].as_u64().is_some_and(|rows| rows >= 4), "{status}");
    let restored = folder.join("restored").display().to_string();
    etcdctl.ok(&["snapshot", "restore", &file, "--data-dir", &restored]);
    assert!(fs::metadata(format!("{restored}/member/snap/db")).unwrap().len() > 0);
}

/// What both must say of the store of [`fill`].
const QUESTIONS: [&[&str]; 6] = [
    &["get", "", "--prefix", "-w", "simple"],
    &["get", "changed", "--rev", "5"],
    &["get", "changed", "--rev", "6"],
    &["role", "get", "reader"],
    &["user", "get", "anna"],
    &["lease", "list"],
];

/// A store with history, a compaction, a lease, a role and a user; its snapshot.
fn fill(etcdctl: &Etcdctl) -> String {
    for value in ["1", "2", "3"] {
        etcdctl.ok(&["put", "changed", value]);
        etcdctl.ok(&["put", "deleted", value]);
    }
    etcdctl.ok(&["del", "deleted"]);
    etcdctl.ok(&["compaction", "5"]);
    let granted = etcdctl.ok(&["lease", "grant", "1000"]);
    let lease = granted.split(' ').nth(1).expect("lease ID granted").to_owned();
    etcdctl.ok(&["put", "leased", "1", "--lease", &lease]);
    etcdctl.ok(&["role", "add", "reader"]);
    etcdctl.ok(&["role", "grant-permission", "reader", "read", "a", "b"]);
    etcdctl.ok(&["user", "add", "anna:secret"]);
    etcdctl.ok(&["user", "grant-role", "anna", "reader"]);
    let file = etcdctl.cluster.folder.join("saved.db").display().to_string();
    etcdctl.ok_at(0, &["snapshot", "save", &file]);
    file
}

/// All members of a cluster say what `etcdctl`'s says, and hash it alike.
fn assert_same(etcdctl: &Etcdctl, other: &Cluster) {
    let hashkv = ["endpoint", "hashkv", "-w", "json"];
    for member in &other.members {
        let address = member.host_and_port();
        let said =
            |words: &[&str]| Said::by(etcdctl.command_at(&address, words).spawn().unwrap()).ok();
        for words in QUESTIONS {
            assert_eq!(said(words), etcdctl.ok(words), "{words:?}");
        }
        assert_eq!(hash(&said(&hashkv)), hash(&etcdctl.ok_at(0, &hashkv)));
    }
}

fn hash(said: &str) -> Value {
    serde_json::from_str::<Value>(said).unwrap()[0]["HashKV"]["hash"].clone()
}

#[test]
fn etcd_goes_on_from_our_snapshot() {
    let Some(etcdctl) = Etcdctl::start() else { return };
    if !is_installed("etcd") {
        return;
    }
    let file = fill(&etcdctl);
    let mut etcd = Cluster::prepare(Program::Etcd, once("member1".to_owned()));
    let member = &etcd.members[0];
    let peer = format!("http://127.0.0.1:{}", member.peer_port);
    let (folder, cluster) = (member.folder.display().to_string(), format!("member1={peer}"));
    let place = ["--data-dir", &folder, "--name", "member1", "--initial-cluster", &cluster];
    let words = ["snapshot", "restore", &file, "--initial-advertise-peer-urls", &peer];
    etcdctl.ok(&[&words[..], &place].concat());
    etcd.start_member(0);
    etcd.wait_until_they_listen();
    etcd.wait_until_served();
    assert_same(&etcdctl, &etcd);
}

#[test]
fn ours_goes_on_from_a_snapshot_of_etcd() {
    if !is_installed("etcd") {
        return;
    }
    let Some(etcdctl) = Etcdctl::start_of(Program::Etcd, 1) else { return };
    let file = fill(&etcdctl);
    let names = (1..=3).map(|number| format!("member{number}"));
    let ours = Cluster::start_with(Program::Archipel, names, &["--import", &file]);
    ours.wait_until_served();
    assert_same(&etcdctl, &ours);
}

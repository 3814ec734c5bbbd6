//! There and back: a snapshot of a real etcd, read and written here, is the same to etcd's tools, and an etcd
//! that starts from it serves and goes on changing the same data.

use std::fs;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    process::{Etcd, Folder, is_installed, restore, snapshot_status},
    schema,
};
use crate::{
    audit::audit,
    model::{Model, read, write},
};

/// A file as a snapshot: with its checksum behind.
pub(crate) fn with_checksum(mut file: Vec<u8>) -> Vec<u8> {
    let checksum = Sha256::digest(&file);
    file.extend_from_slice(&checksum);
    file
}

/// A transaction of a hundred puts and a few deletes.
fn put_hundred(etcd: &Etcd, round: usize) {
    let puts = (0..100).map(|key| format!("put round-{round}/{key:03} value-{key}-of-{round}\n"));
    let deletes = (0..5).map(|key| format!("del round-{}/{key:03}\n", round.saturating_sub(1)));
    let requests: String = if round == 0 { puts.collect() } else { puts.chain(deletes).collect() };
    etcd.ctl_with(&["txn"], format!("\n{requests}\n\n").as_bytes());
}

/// Puts, deletes, leases, large values, a compaction, users and roles. Gives the leases.
fn fill(etcd: &Etcd) -> [String; 2] {
    (0..8).for_each(|round| put_hundred(etcd, round));
    for number in 0..10 {
        etcd.ctl(&["put", &format!("single-{number}"), "first"]);
        etcd.ctl(&["put", &format!("single-{number}"), "second"]);
    }
    etcd.ctl(&["del", "single-3"]);
    etcd.ctl(&["del", "round-7/09", "--prefix"]);
    etcd.ctl_with(&["put", "large"], &vec![b'x'; 1 << 20]);
    etcd.ctl_with(&["put", "medium"], &vec![b'y'; 5000]);
    let leases = ["3600", "7200"].map(|ttl| {
        let granted = etcd.ctl(&["lease", "grant", ttl]);
        granted.split(' ').nth(1).unwrap().to_owned()
    });
    for number in 0..5 {
        let lease = format!("--lease={}", leases[number % 2]);
        etcd.ctl(&["put", &format!("leased-{number}"), "while it lasts", &lease]);
    }
    etcd.ctl(&["role", "add", "reader"]);
    etcd.ctl(&["role", "grant-permission", "reader", "read", "foo", "fop"]);
    etcd.ctl(&["role", "grant-permission", "reader", "readwrite", "pre/", "--prefix"]);
    etcd.ctl(&["user", "add", "alice:secret"]);
    etcd.ctl(&["user", "add", "bob", "--no-password"]);
    etcd.ctl(&["user", "grant-role", "alice", "reader"]);
    etcd.ctl(&["compact", "5"]);
    etcd.ctl(&["put", "after", "the compaction"]);
    leases
}

/// What the status tells of the content, without the size of the file.
fn content(mut status: Value) -> Value {
    status.as_object_mut().unwrap().remove("totalSize").unwrap();
    status
}

#[test]
fn a_real_snapshot_is_read_and_written_again_and_restored_by_etcd() {
    if !is_installed() {
        return;
    }
    let folder = Folder::new();
    let [original, rewritten] = ["original", "rewritten"].map(|name| folder.join(name));
    let etcd = Etcd::start(&folder.join("before"));
    let leases = fill(&etcd);
    let keys = etcd.all_keys();
    let snapshot = etcd.snapshot(&original);
    drop(etcd);

    let (file, checksum) = snapshot.split_last_chunk::<32>().unwrap();
    assert_eq!(checksum[..], Sha256::digest(file)[..]);
    let model = read(&snapshot[..]).unwrap();
    schema::assert_is_known(&model);
    let file = write(&model);
    audit(&file);
    fs::write(&rewritten, with_checksum(file)).unwrap();
    let status = [&original, &rewritten].map(|file| content(snapshot_status(file)));
    assert_eq!(status[0], status[1]);
    println!("{}", status[0]);

    restore(&rewritten, &folder.join("after"));
    let etcd = Etcd::start(&folder.join("after"));
    assert!(etcd.all_keys() == keys, "all keys with values, revisions and leases");
    for lease in &leases {
        assert!(etcd.ctl(&["lease", "timetolive", lease, "--keys"]).contains("leased-"));
    }
    assert!(etcd.ctl(&["user", "get", "alice"]).contains("reader"));
    goes_on(&etcd, &folder);
}

/// The restored etcd deletes most of what is there, compacts and writes more: bbolt then changes, merges and
/// splits the pages that were written here.
pub(crate) fn goes_on(etcd: &Etcd, folder: &Folder) {
    etcd.ctl(&["del", "round-", "--prefix"]);
    (20..24).for_each(|round| put_hundred(etcd, round));
    let revision = revision(etcd);
    etcd.ctl(&["compact", "--physical", &revision.to_string()]);
    (30..34).for_each(|round| put_hundred(etcd, round));
    etcd.ctl(&["defrag"]);
    let model = read(&etcd.snapshot(&folder.join("later"))[..]).unwrap();
    schema::assert_is_known(&model);
    assert_eq!(live_keys(&model), etcd.json(&["get", "", "--prefix"])["count"]);
}

fn revision(etcd: &Etcd) -> u64 {
    let status = etcd.json(&["endpoint", "status"]);
    status[0]["Status"]["header"]["revision"].as_u64().unwrap()
}

/// How many keys are there after all revisions.
fn live_keys(model: &Model) -> usize {
    let mut live = std::collections::BTreeSet::new();
    for (revision, value) in &model[&b"key"[..]] {
        let key = schema::key_of(value);
        if schema::is_tombstone(revision) {
            live.remove(&key)
        } else {
            live.insert(key)
        };
    }
    live.len()
}

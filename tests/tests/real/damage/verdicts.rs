//! What a node says of a damaged folder before it says anything in its old name.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use super::data_folder::{copy, cut, flip_a_bit_at, flip_a_bit_in, overwrite, segment};
use crate::cluster::{Cluster, Node, run_to_end};

/// Exit codes, as `archipel --help` lists them.
const USAGE: i32 = 2;
const DAMAGED: i32 = 6;
const STOPPED: i32 = 70;

const SMALL_SEGMENTS: [&str; 2] = ["--segment-mib", "8"];

/// A node that has written several segments and is dead, in a cluster of its own.
fn written(test: &str) -> Cluster {
    let mut cluster = Cluster::start_with_options(test, 1, &SMALL_SEGMENTS);
    let mut client = cluster.client(0);
    for number in 0..20 {
        let value = format!("value-number-{number:02} {}", "x".repeat(1_000_000));
        assert_eq!(client.put(&format!("key{number}"), &value).unwrap().status, 200);
    }
    cluster.kill_all();
    assert!(cluster.nodes[0].segments().len() >= 3, "the log has several segments");
    cluster
}

/// What the node says when it is started on a copy of its folder that was damaged by `harm`.
#[track_caller]
fn says(node: &Node, harm: impl FnOnce(&Path), code: i32, words: &str) {
    let damaged = node.folder.with_extension("damaged");
    copy(&node.folder, &damaged);
    harm(&damaged);
    let ended = run_to_end(node.command_in(&damaged));
    ended.expect(code, words);
    let _ = fs::set_permissions(&damaged, Permissions::from_mode(0o755));
    fs::remove_dir_all(&damaged).unwrap();
}

#[test]
fn a_log_that_was_changed_is_not_used() {
    let cluster = written("changed-log");
    let node = &cluster.nodes[0];
    says(node, |folder| flip_a_bit_at(folder, "value-number-02"), DAMAGED, "is damaged");
    says(node, |folder| flip_a_bit_at(folder, "value-number-18"), DAMAGED, "is damaged");
    says(node, |folder| cut(&segment(folder, 2), 4096), DAMAGED, "Was the file cut");
    says(node, |folder| cut(&segment(folder, 2), 100), DAMAGED, "Was the file cut");
    let lose = |number: u64| move |folder: &Path| fs::remove_file(segment(folder, number)).unwrap();
    says(node, lose(1), DAMAGED, "lacks its segment 1");
    says(node, lose(2), DAMAGED, "lacks its segment 2");
    let swap = |folder: &Path| {
        fs::copy(segment(folder, 1), segment(folder, 2)).unwrap();
    };
    says(node, swap, DAMAGED, "Was a file renamed?");
    let lose_all = |folder: &Path| fs::remove_dir_all(folder.join("log")).unwrap();
    says(node, lose_all, DAMAGED, "log");
}

#[test]
fn a_segment_of_another_cluster_is_not_used() {
    let cluster = written("mixed-up");
    let node = &cluster.nodes[0];
    let mut other = Cluster::start_with_options(
        "mixed-up-other",
        1,
        &["--segment-mib", "8", "--cluster-token", "other"],
    );
    other.kill_all();
    let foreign = segment(&other.nodes[0].folder, 1);
    let mix_up = |folder: &Path| {
        fs::copy(&foreign, segment(folder, 1)).unwrap();
    };
    says(node, mix_up, DAMAGED, "belongs to node");
    let replace_all = |folder: &Path| {
        fs::remove_dir_all(folder.join("log")).unwrap();
        copy(&other.nodes[0].folder.join("log"), &folder.join("log"));
    };
    says(node, replace_all, DAMAGED, "belongs to node");
}

#[test]
fn an_old_copy_of_the_log_is_not_used() {
    let mut cluster = Cluster::start("old-copy", 1);
    assert_eq!(cluster.client(0).put("a", "1").unwrap().status, 200);
    cluster.kill_all();
    let old = cluster.nodes[0].folder.with_extension("old");
    copy(&cluster.nodes[0].folder, &old);
    cluster.start_all();
    assert_eq!(cluster.client(0).put("a", "2").unwrap().status, 200);
    cluster.kill_all();
    let restore = |folder: &Path| {
        fs::remove_dir_all(folder.join("log")).unwrap();
        copy(&old.join("log"), &folder.join("log"));
    };
    says(&cluster.nodes[0], restore, DAMAGED, "was it restored from a copy?");
}

#[test]
fn other_files_of_the_folder_are_checked_too() {
    let cluster = written("other-files");
    let node = &cluster.nodes[0];
    let tables = |folder: &Path| {
        let entry = fs::read_dir(folder.join("tables")).unwrap().next();
        entry.expect("there is a file of the tables").unwrap().path()
    };
    says(node, |folder| fs::remove_file(folder.join("identity")).unwrap(), USAGE, "not empty");
    says(node, |folder| overwrite(&folder.join("identity"), 30, b"#"), DAMAGED, "checksum");
    says(node, |folder| fs::remove_file(tables(folder)).unwrap(), DAMAGED, "is missing");
    says(node, |folder| cut(&tables(folder), 1_000_000), DAMAGED, "tables");
    says(node, |folder| overwrite(&tables(folder), 0, &[0; 4096]), DAMAGED, "tables");
}

#[test]
fn tables_that_were_changed_are_not_used() {
    let mut cluster = Cluster::start("changed-tables", 1);
    for key in ["one", "two", "three"] {
        assert_eq!(cluster.client(0).put(key, &format!("the value of {key}")).unwrap().status, 200);
    }
    assert!(cluster.nodes[0].stop().success(), "a clean stop flushes the tables");
    let node = &cluster.nodes[0];
    flip_a_bit_in(&node.folder.join("tables"), "the value of two");
    // It is found while the node runs; from then on no start uses the file.
    run_to_end(node.command()).expect(STOPPED, "is not what was written there");
    run_to_end(node.command()).expect(DAMAGED, "set aside");
}

#[test]
fn a_read_only_folder_is_left_alone() {
    let cluster = written("read-only");
    let node = &cluster.nodes[0];
    let lock = |path: &Path| fs::set_permissions(path, Permissions::from_mode(0o555)).unwrap();
    says(node, lock, USAGE, "is read-only");
    says(node, |folder| lock(&folder.join("log")), USAGE, "is read-only");
}

//! A write that the power cut short: what was never acknowledged is cut off, and nothing is lost.
//!
//! The log's own crate makes the write, as a life of the node that died in the middle of it.

use std::{fs, path::Path, time::Duration};

use kernel::Record;
use kernel::{
    Bytes, ClusterId, DiskId, Entry, EntryHead, EntryId, EntryKind, GroupId, Index, NodeId,
};
use log::{DiskOperation, Identity, Limits, Log, Recovery, SegmentNumber};

use super::data_folder::{overwrite, segment};
use crate::cluster::{Cluster, wait_for};

const SECTOR_BYTES: usize = 512;
const GROUP: GroupId = GroupId(1);

#[test]
fn a_torn_write_at_the_end_is_cut_off_and_nothing_is_lost() {
    for kept_sectors in [1, 5] {
        let mut cluster = Cluster::start(&format!("torn-{kept_sectors}"), 1);
        for number in 0..10 {
            assert_eq!(cluster.client(0).put(&format!("key{number}"), "1").unwrap().status, 200);
        }
        cluster.kill_all();
        die_writing(&cluster.nodes[0].folder, |bytes| bytes.truncate(kept_sectors * SECTOR_BYTES));
        cluster.start_all();
        let lines = cluster.nodes[0].lines();
        assert!(lines.contains("a write that was never finished"), "{lines}");
        assert_eq!(cluster.wait_until_same().len(), 10);
        assert_eq!(cluster.client(0).put("more", "1").unwrap().status, 200);
        cluster.kill_all();
        cluster.start_all();
        assert_eq!(cluster.wait_until_same().len(), 11);
    }
}

#[test]
fn a_node_whose_end_of_the_log_is_in_doubt_does_not_vote_until_it_has_caught_up() {
    let mut cluster = Cluster::start("doubt", 3);
    assert_eq!(cluster.client(0).put("a", "1").unwrap().status, 200);
    cluster.wait_until_same();
    cluster.kill_all();
    // Not what a torn write looks like, and nothing proves that it was durable: it may have been.
    die_writing(&cluster.nodes[0].folder, |bytes| {
        bytes[3 * SECTOR_BYTES..4 * SECTOR_BYTES].fill(0x55);
    });
    let is_uncertain = |cluster: &Cluster| cluster.status(0)?["uncertain"].as_bool();
    cluster.nodes[0].start();
    wait_for("the doubt", || is_uncertain(&cluster).filter(|uncertain| *uncertain));
    cluster.nodes[1].start();
    std::thread::sleep(Duration::from_millis(1000));
    let roles = [0, 1].map(|place| cluster.status(place).expect("it runs")["role"].clone());
    assert!(!roles.contains(&"leader".into()), "one vote and a doubt are no majority: {roles:?}");
    cluster.start_all();
    for number in 0..10 {
        assert_eq!(cluster.client(1).put("a", &number.to_string()).unwrap().status, 200);
    }
    wait_for("the doubt to end", || is_uncertain(&cluster).filter(|uncertain| !uncertain));
    cluster.wait_until_same_at("a", "9");
    cluster.nodes[1].kill();
    wait_for("a write", || (cluster.client(0).put("a", "10").ok()?.status == 200).then_some(()));
    cluster.start_all();
    cluster.wait_until_same_at("a", "10");
}

/// Begins another life of the node and lets it die while it writes an entry: what reached the disk is
/// what `tear` leaves.
fn die_writing(folder: &Path, tear: impl Fn(&mut Vec<u8>)) {
    let mut log = recover(folder);
    let EntryId { term, index } = log.last();
    let id = EntryId { term, index: Index(index.0 + 1) };
    let head = EntryHead {
        id,
        kind: EntryKind::Command,
        stamp: kernel::Stamp::default(),
        wall_ms: 0,
        origin: None,
        session: None,
    };
    let entry = Entry::new(head, &[b'x'; 10 * SECTOR_BYTES]);
    let operations = log.append(&[(GROUP, Record::Entries(vec![entry]))]);
    for operation in operations.expect("the segment has room") {
        if let DiskOperation::Write { segment: number, offset, bytes } = operation {
            let mut bytes = bytes.to_vec();
            tear(&mut bytes);
            overwrite(&segment(folder, number.0), offset, &bytes);
        }
    }
}

/// Reads the log back and begins a new life in it, as a node does at its start.
fn recover(folder: &Path) -> Log {
    let text = fs::read_to_string(folder.join("identity")).unwrap();
    let field = |name: &str| {
        let mut lines = text.lines();
        lines
            .find_map(|line| line.strip_prefix(name))
            .expect("the identity has it")
            .trim()
            .to_owned()
    };
    let hexadecimal = |name: &str| u128::from_str_radix(&field(name), 16).unwrap();
    let identity = Identity {
        cluster: ClusterId(hexadecimal("cluster")),
        node: NodeId(field("node").parse().unwrap()),
        disk: DiskId(hexadecimal("disk")),
    };
    let numbers: Vec<SegmentNumber> =
        (1..).map(SegmentNumber).take_while(|number| segment(folder, number.0).exists()).collect();
    let mut recovery = Recovery::new(identity, Limits::default(), &numbers).unwrap();
    while let Some(number) = recovery.wanted() {
        let bytes = fs::read(segment(folder, number.0)).unwrap();
        recovery.feed(number, Bytes::from(bytes)).unwrap();
    }
    let recovered = recovery.finish().unwrap();
    for operation in &recovered.start {
        match operation {
            DiskOperation::Write { segment: number, offset, bytes } => {
                overwrite(&segment(folder, number.0), *offset, bytes);
            }
            DiskOperation::Flush { .. } => {}
            other => panic!("a log that is whole needs no {other:?} to go on"),
        }
    }
    recovered.log
}

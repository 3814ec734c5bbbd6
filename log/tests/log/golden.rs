//! The bytes of each kind, as they were when the kind was made. A later build must read them, and
//! these files are never edited: a new version gets new files. `UPDATE_GOLDEN=1` writes missing ones.

use std::{env, fs, path::PathBuf};

use kernel::{Bytes, Generation, Index, Record, SnapshotMeta, Stamp};
use log::{DiskOperation, SegmentNumber};

use crate::{
    disk::Disk,
    sample::{GROUP, IDENTITY, LIMITS, Machine, compact, entries, hard, id, membership},
};

/// The records of each batch, one kind a batch; the first batch of all is the start record.
fn batches() -> Vec<(&'static str, Record)> {
    let meta = SnapshotMeta {
        last: id(3, 9),
        stamp: Stamp(77),
        membership: membership(2),
        digest: 0x1234_5678_9abc_def0_0fed_cba9_8765_4321,
    };
    vec![
        ("2_entries", entries(1, 1..=3, 5)),
        ("3_hard", hard(2, Some(3))),
        ("4_truncate", Record::Truncate(Index(3))),
        ("5_compact", compact(id(1, 1))),
        ("6_snapshot", Record::Snapshot { meta, generation: Generation(1) }),
    ]
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v1_{name}.hex"))
}

fn hex(bytes: &[u8]) -> String {
    let lines = bytes
        .chunks(32)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n");
    lines.collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

/// Compares what is written now with the golden file, which gives the bytes back.
fn golden(name: &str, bytes: &[u8]) -> Vec<u8> {
    let path = path(name);
    if env::var_os("UPDATE_GOLDEN").is_some() && !path.exists() {
        fs::write(&path, hex(bytes)).expect("the golden file can be written");
    }
    let text =
        fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
    assert_eq!(hex(bytes), text, "the bytes of {name} have changed");
    unhex(&text)
}

#[test]
fn every_kind_is_written_and_read_as_ever() {
    let mut machine = Machine::new();
    let created = machine.disk.files[&SegmentNumber(1)].durable.clone();
    let mut disk = Disk::default();
    let mut write = |operations: &[DiskOperation], names: &[&str]| {
        let mut names = names.iter();
        for operation in operations {
            let mut operation = operation.clone();
            if let DiskOperation::Write { bytes, .. } = &mut operation {
                *bytes = Bytes::from(golden(names.next().expect("each write has a name"), bytes));
            }
            disk.carry_out(&[operation]);
        }
    };
    let (_, operations) = log::Log::create(IDENTITY, LIMITS, GROUP, membership(3));
    write(&operations, &["0_header", "1_start"]);
    for (name, record) in batches() {
        let operations = machine.begin(&[record]);
        write(&operations, &[name]);
        machine.disk.carry_out(&operations);
        machine.log.appended();
    }
    assert_eq!(created[..512], disk.files[&SegmentNumber(1)].durable[..512]);

    let recovered = disk.recover(IDENTITY, LIMITS).expect("the golden bytes are read");
    assert_eq!((recovered.base, recovered.generation), (id(3, 9), Generation(1)));
    assert_eq!((recovered.membership, recovered.base_stamp), (membership(2), Stamp(77)));
    assert_eq!((recovered.hard.term.0, recovered.entries.len()), (2, 0));
}

#[test]
fn the_seal_is_written_as_ever() {
    let mut machine = Machine::new();
    let seal = loop {
        let last = machine.log.last().index.0;
        let operations = machine.begin(&[entries(1, last + 1..=last + 7, 1000)]);
        machine.disk.carry_out(&operations);
        machine.log.appended();
        if let [.., DiskOperation::Write { segment, bytes, .. }, _] = &operations[..]
            && operations.len() > 2
        {
            assert_eq!(*segment, SegmentNumber(1), "the old segment is sealed last");
            break bytes.clone();
        }
    };
    let _ = golden("7_seal", &seal);
}

//! Where entries lie, when segments go, and what the limits are.

use kernel::{Index, Record, SnapshotMeta, Stamp};
use log::{Located, NeedsSegment, SegmentNumber};

use crate::sample::{GROUP, LIMITS, Machine, compact, entries, entry, id, membership};

fn read(machine: &Machine, first: u64, last: u64, bytes_max: u64) -> Vec<u64> {
    let Located::Reads(fetch) = machine.log.locate(Index(first), Index(last), bytes_max) else {
        panic!("{first} to {last} is there");
    };
    let parts: Vec<_> = fetch.reads().map(|range| machine.disk.read(range)).collect();
    let entries = fetch.decode(&parts).expect("the disk is whole");
    entries.iter().map(|entry| entry.index().0).collect()
}

#[test]
fn entries_are_read_across_batches_and_segments() {
    let mut machine = Machine::new();
    for batch in 0..12 {
        machine.write(&[entries(1, batch * 4 + 1..=batch * 4 + 4, 1000)]);
    }
    assert!(machine.log.disk_bytes() > LIMITS.segment_bytes);
    assert_eq!(read(&machine, 3, 46, 1 << 20), (3..=46).collect::<Vec<_>>());
    assert_eq!(read(&machine, 3, 99, 2500), [3, 4]);
    assert_eq!(read(&machine, 3, 99, 0), [3], "one at least");
}

#[test]
fn of_a_batch_that_was_cut_only_the_rest_is_read() {
    let mut machine = Machine::new();
    machine.write(&[entries(1, 1..=4, 10), Record::Truncate(Index(3)), entries(2, 3..=5, 10)]);
    machine.write(&[Record::Truncate(Index(5)), entries(3, 5..=6, 10)]);
    assert_eq!(read(&machine, 1, 6, 1 << 20), [1, 2, 3, 4, 5, 6]);
    assert_eq!(machine.log.last(), id(3, 6));
}

#[test]
fn what_is_compacted_or_under_way_is_not_located() {
    let mut machine = Machine::new();
    machine.write(&[entries(1, 1..=4, 10)]);
    machine.write(&[compact(id(1, 2))]);
    assert_eq!(machine.log.locate(Index(2), Index(4), 100), Located::Compacted);
    assert_eq!(read(&machine, 3, 4, 1 << 20), [3, 4]);
    let _operations = machine.begin(&[entries(1, 5..=5, 10)]);
    assert_eq!(machine.log.locate(Index(5), Index(5), 100), Located::NotYet);
}

#[test]
fn segments_go_once_the_record_that_covers_them_is_durable() {
    let mut machine = Machine::new();
    for batch in 0..18 {
        machine.write(&[entries(1, batch * 3 + 1..=batch * 3 + 3, 1000)]);
    }
    assert_eq!(machine.disk.files.len(), 3);
    let operations = machine.begin(&[compact(id(1, 40))]);
    assert_eq!(machine.log.removable(), None, "it is not durable yet");
    machine.disk.carry_out(&operations);
    machine.log.appended();
    machine.remove_segments();
    assert_eq!(machine.disk.files.len(), 2, "the rest of the entries lies in the last two");
    assert_eq!(read(&machine, 41, 54, 1 << 20), (41..=54).collect::<Vec<_>>());
}

#[test]
fn a_snapshot_takes_the_place_of_the_whole_log() {
    let mut machine = Machine::new();
    for batch in 0..12 {
        machine.write(&[entries(1, batch * 3 + 1..=batch * 3 + 3, 1000)]);
    }
    let (last, membership) = (id(4, 100), membership(5));
    let meta = SnapshotMeta { last, stamp: Stamp(9), membership, digest: 1 };
    machine.write(&[Record::Snapshot { meta, generation: kernel::Generation(1) }]);
    machine.remove_segments();
    assert_eq!(machine.disk.files.len(), 1);
    machine.write(&[entries(4, 101..=102, 10)]);
    assert_eq!(read(&machine, 101, 102, 1 << 20), [101, 102]);
}

#[test]
fn a_batch_waits_for_a_segment_and_changes_nothing_meanwhile() {
    let mut machine = Machine::new();
    for batch in 0..3 {
        machine.write(&[entries(1, batch * 7 + 1..=batch * 7 + 7, 1000)]);
    }
    let records = [(GROUP, entries(1, 22..=28, 1000))];
    assert_eq!(machine.log.append(&records), Err(NeedsSegment));
    assert_eq!(machine.log.last(), id(1, 21));
    machine.make_segment();
    let operations = machine.log.append(&records).expect("the segment is ready");
    assert_eq!(operations[0].segment(), SegmentNumber(2));
}

#[test]
fn the_largest_entry_fits_in_a_batch() {
    let mut machine = Machine::new();
    let frame = entry(id(1, 1), b"").size();
    let data = vec![7; (LIMITS.entry_bytes_max() - frame) as usize];
    machine.write(&[Record::Entries(vec![entry(id(1, 1), &data)])]);
    assert_eq!(read(&machine, 1, 1, 0), [1]);
}

#[test]
#[should_panic(expected = "a batch has a limit")]
fn a_batch_beyond_the_limit_is_refused() {
    Machine::new().write(&[entries(1, 1..=9, 1000)]);
}

#[test]
#[should_panic(expected = "an entry follows right on the one before it")]
fn a_gap_is_refused() {
    Machine::new().write(&[entries(1, 2..=2, 10)]);
}

#[test]
#[should_panic(expected = "a replica votes once in a term")]
fn a_second_vote_in_a_term_is_refused() {
    let mut machine = Machine::new();
    machine.write(&[crate::sample::hard(3, Some(1))]);
    machine.write(&[crate::sample::hard(3, Some(2))]);
}

//! Every subset of the sectors that were not flushed, for small batches: nothing is left to chance.

use log::{DiskOperation, SegmentNumber, Trust};

use crate::{
    disk::Disk,
    sample::{IDENTITY, LIMITS, Machine, entries},
};

/// Recovers after each subset of unflushed sectors has survived a power cut in the midst of
/// `operations`, and says how many were torn.
fn every_subset(machine: &Machine, operations: &[DiskOperation], before: u64, after: u64) -> u64 {
    let mut unflushed = machine.disk.clone();
    let flush = operations.iter().position(|one| matches!(one, DiskOperation::Flush { .. }));
    unflushed.carry_out(&operations[..flush.expect("a batch is flushed")]);
    let sectors: Vec<(SegmentNumber, usize)> = unflushed
        .files
        .iter()
        .flat_map(|(segment, file)| file.dirty().into_iter().map(|sector| (*segment, sector)))
        .collect();
    assert!(sectors.len() <= 12, "{} sectors are too many to try all", sectors.len());
    let mut torn = 0;
    for subset in 0_u64..1 << sectors.len() {
        let mut disk = unflushed.clone();
        for (place, (segment, sector)) in sectors.iter().enumerate() {
            if subset & (1 << place) != 0 {
                disk.files.get_mut(segment).expect("it is there").keep(*sector);
            }
        }
        disk.files.values_mut().for_each(crate::disk::File::forget);
        torn += u64::from(recovers(&disk, before, after));
    }
    torn
}

/// Recovers, carries on, and recovers again. True if the tail was torn.
fn recovers(disk: &Disk, before: u64, after: u64) -> bool {
    let recovered = disk.recover(IDENTITY, LIMITS).expect("a healthy disk is always recovered");
    assert!(recovered.trust.may_vote(), "a power cut leaves no doubt: {:?}", recovered.trust);
    let count = recovered.entries.len() as u64;
    let is_torn = matches!(recovered.trust, Trust::Torn { .. });
    assert!(count == before || (count == after && !is_torn), "{count} entries");

    let mut machine = Machine { disk: disk.clone(), log: recovered.log };
    machine.disk.carry_out(&recovered.start);
    machine.write(&[entries(1, count + 1..=count + 1, 10)]);
    let again = machine.disk.recover(IDENTITY, LIMITS).expect("the disk is healthy");
    assert_eq!(again.trust, Trust::Whole, "what was cut is never met again");
    assert_eq!(again.entries.len() as u64, count + 1);
    is_torn
}

#[test]
fn a_batch_within_a_segment() {
    let mut machine = Machine::new();
    machine.write(&[entries(1, 1..=3, 100)]);
    let operations = machine.begin(&[entries(1, 4..=7, 800)]);
    let torn = every_subset(&machine, &operations, 3, 7);
    // All but the two subsets that have nothing and everything.
    assert_eq!(torn, (1 << 8) - 2);
}

#[test]
fn a_batch_that_begins_a_segment_with_its_header() {
    let mut machine = Machine::new();
    let mut count = 0;
    let operations = loop {
        let operations = machine.begin(&[entries(1, count + 1..=count + 4, 800)]);
        if operations.len() > 2 {
            break operations;
        }
        machine.disk.carry_out(&operations);
        machine.log.appended();
        count += 4;
    };
    let torn = every_subset(&machine, &operations, count, count + 4);
    assert!(torn > 500, "{torn}");
}

#[test]
fn the_operations_that_begin_a_life_may_be_cut_anywhere() {
    let mut machine = Machine::new();
    machine.write(&[entries(1, 1..=3, 100)]);
    let torn_batch = machine.begin(&[entries(1, 4..=7, 800)]);
    machine.disk.carry_out_one(&torn_batch[0], 3, true);
    let recovered = machine.disk.recover(IDENTITY, LIMITS).expect("the disk is healthy");
    assert!(matches!(recovered.trust, Trust::Torn { batch: 3, .. }));
    for done in 0..=recovered.start.len() {
        let mut disk = machine.disk.clone();
        disk.carry_out(&recovered.start[..done]);
        let _ = recovers(&disk, 3, 3);
    }
}

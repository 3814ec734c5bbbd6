//! Every subset of the sectors that were not flushed, for small batches: nothing is left to chance. And
//! every way in which a faulty disk may leave them: the model of the rule in docs/proofs.md stands on
//! recovery telling these cases apart as it says there.

use kernel::{Index, NodeId};
use log::{DiskOperation, RecoveryError, SegmentNumber, Trust};

use crate::{
    disk::{Disk, SECTOR},
    sample::{IDENTITY, LIMITS, Machine, entries, hard, id},
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

/// What a disk made of a sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    New,
    Zero,
    Garbage,
}

/// What recovery should say of a last batch, as the model has it.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Whole,
    NothingThere,
    Torn,
    Uncertain,
    Damaged { proven: bool },
}

/// Where the batch of `operations` lies: its sectors, and the header's before them if it is the first
/// of a segment.
fn sectors_of(machine: &Machine, operations: &[DiskOperation]) -> Vec<(SegmentNumber, usize)> {
    let mut unflushed = machine.disk.clone();
    let flush = operations.iter().position(|one| matches!(one, DiskOperation::Flush { .. }));
    unflushed.carry_out(&operations[..flush.expect("a batch is flushed")]);
    let of_file = |(segment, file): (&SegmentNumber, &crate::disk::File)| {
        file.dirty().into_iter().map(|sector| (*segment, sector)).collect::<Vec<_>>()
    };
    unflushed.files.iter().flat_map(of_file).collect()
}

/// Tries every state of every sector of the last batch, and compares what recovery says with `expected`.
/// How often each kind of verdict was met: whole or nothing, torn, uncertain, damaged.
fn every_state(
    written: &Disk,
    sectors: &[(SegmentNumber, usize)],
    expected: impl Fn(&[Became]) -> Verdict,
    check: impl Fn(&Disk) -> Verdict,
) -> [u32; 4] {
    assert!(sectors.len() <= 7, "{} sectors are too many to try all", sectors.len());
    let mut met = [0; 4];
    for number in 0..3_usize.pow(sectors.len() as u32) {
        let mut disk = written.clone();
        let mut became = Vec::new();
        for (place, (segment, sector)) in sectors.iter().enumerate() {
            let bytes = &mut disk.at_rest(*segment)[sector * SECTOR..][..SECTOR];
            became.push(match number / 3_usize.pow(place as u32) % 3 {
                0 => Became::New,
                1 => {
                    bytes.fill(0);
                    Became::Zero
                }
                _ => {
                    bytes[number % SECTOR] ^= 1 << (number % 8);
                    Became::Garbage
                }
            });
        }
        let verdict = expected(&became);
        assert_eq!(check(&disk), verdict, "{became:?}");
        met[match verdict {
            Verdict::Whole | Verdict::NothingThere => 0,
            Verdict::Torn => 1,
            Verdict::Uncertain => 2,
            Verdict::Damaged { .. } => 3,
        }] += 1;
    }
    met
}

/// What recovery says of a disk whose log had three entries of term 1 before a batch that votes for
/// node 3 in term 7 and has four entries more.
fn verdict(disk: &Disk, before: u64) -> Verdict {
    let recovered = match disk.recover(IDENTITY, LIMITS) {
        Ok(recovered) => recovered,
        Err(RecoveryError::Damaged(damage)) => return Verdict::Damaged { proven: damage.proven },
        Err(other) => panic!("{other}"),
    };
    let count = recovered.entries.len() as u64;
    let vote = (recovered.hard.term.0, recovered.hard.vote);
    let (old, new) = ((1, Some(NodeId(2))), (7, Some(NodeId(3))));
    match recovered.trust {
        Trust::Whole if count == before + 4 => {
            assert_eq!(vote, new);
            Verdict::Whole
        }
        Trust::Whole => {
            assert_eq!((count, vote), (before, old));
            Verdict::NothingThere
        }
        Trust::Torn { from, .. } => {
            assert_eq!((count, vote, from), (before, old, Index(before + 1)));
            Verdict::Torn
        }
        Trust::Uncertain { from, until } => {
            assert_eq!((count, vote), (before, new), "term and vote are those of the head");
            assert_eq!((from, until), (Index(before + 1), id(7, before + 4)));
            Verdict::Uncertain
        }
    }
}

#[test]
fn every_state_of_a_last_batch_is_told_apart_as_the_model_has_it() {
    let mut machine = Machine::new();
    machine.write(&[hard(1, Some(2)), entries(1, 1..=3, 100)]);
    let operations = machine.begin(&[hard(7, Some(3)), entries(7, 4..=7, 400)]);
    let sectors = sectors_of(&machine, &operations);
    machine.disk.carry_out(&operations);
    let has = |became: &[Became], what| became.contains(&what);
    let expected = |became: &[Became]| match became[0] {
        Became::New if has(became, Became::Garbage) => Verdict::Uncertain,
        Became::New if has(became, Became::Zero) => Verdict::Torn,
        Became::New => Verdict::Whole,
        Became::Zero if has(became, Became::Garbage) => Verdict::Damaged { proven: false },
        Became::Zero if has(became, Became::New) => Verdict::Torn,
        Became::Zero => Verdict::NothingThere,
        Became::Garbage => Verdict::Damaged { proven: false },
    };
    let met = every_state(&machine.disk, &sectors, expected, |disk| verdict(disk, 3));
    assert!(met.iter().all(|count| *count > 0), "{met:?}");
}

#[test]
fn every_state_of_the_first_batch_of_a_segment_is_told_apart_as_the_model_has_it() {
    let mut machine = Machine::new();
    machine.write(&[hard(1, Some(2))]);
    let mut count = 0;
    let operations = loop {
        let mut before = Machine { disk: machine.disk.clone(), log: machine.log.clone() };
        let operations = before.begin(&[hard(7, Some(3)), entries(7, count + 1..=count + 4, 250)]);
        if operations.len() > 2 {
            machine = before;
            break operations;
        }
        machine.write(&[entries(1, count + 1..=count + 4, 250)]);
        count += 4;
    };
    let sectors = sectors_of(&machine, &operations);
    let flush = operations.iter().position(|one| matches!(one, DiskOperation::Flush { .. }));
    machine.disk.carry_out(&operations[..=flush.expect("a batch is flushed")]);
    let has = |became: &[Became], what| became.contains(&what);
    let unsealed = |became: &[Became]| {
        if has(became, Became::Garbage) {
            Verdict::Damaged { proven: false }
        } else if !has(became, Became::Zero) {
            Verdict::Whole
        } else if has(became, Became::New) {
            Verdict::Torn
        } else {
            Verdict::NothingThere
        }
    };
    let met = every_state(&machine.disk, &sectors, unsealed, |disk| verdict(disk, count));
    assert!(met[1] > 0 && met[2] == 0 && met[3] > 0, "{met:?}");
    // The seal comes last, so it proves that the batch was durable.
    machine.disk.carry_out(&operations);
    let sealed = |became: &[Became]| match unsealed(became) {
        Verdict::Whole => Verdict::Whole,
        _ => Verdict::Damaged { proven: true },
    };
    let met = every_state(&machine.disk, &sectors, sealed, |disk| verdict(disk, count));
    assert!(met[0] == 1 && met[3] > 0, "{met:?}");
}

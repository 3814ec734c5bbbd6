//! Damage to what was acknowledged is found, named, and never cut.

use kernel::{Bytes, ClusterId, DiskId, HardState, Index, NodeId, Record, Term};
use log::{Damage, DiskOperation, Identity, Recovery, RecoveryError, SegmentNumber, Trust};

use crate::{
    disk::{Disk, SECTOR},
    sample::{IDENTITY, LIMITS, Machine, compact, entries, hard, id},
};

const FIRST: SegmentNumber = SegmentNumber(1);
/// Where the first batch of a segment begins.
const HEADER: usize = 4096;

/// Three acknowledged batches of one sector, and a last one of three.
fn four_batches() -> Machine {
    let mut machine = Machine::new();
    machine.write(&[hard(1, Some(2)), entries(1, 1..=2, 20)]);
    machine.write(&[entries(1, 3..=3, 100)]);
    machine.write(&[entries(1, 4..=9, 150)]);
    machine
}

/// A log over three segments, and which sectors of the first it filled.
fn three_segments() -> Machine {
    let mut machine = Machine::new();
    for batch in 0..18 {
        machine.write(&[entries(1, batch * 3 + 1..=batch * 3 + 3, 1000)]);
    }
    machine
}

fn fail(machine: &Machine) -> RecoveryError {
    refusal(&machine.disk, IDENTITY)
}

fn refusal(disk: &Disk, identity: Identity) -> RecoveryError {
    match disk.recover(identity, LIMITS) {
        Ok(recovered) => panic!("nothing is found: {:?}", recovered.trust),
        Err(error) => error,
    }
}

fn damage(machine: &Machine) -> Damage {
    match fail(machine) {
        RecoveryError::Damaged(damage) => damage,
        other => panic!("{other}"),
    }
}

#[test]
fn every_flipped_bit_before_the_last_batch_is_proven_damage() {
    let machine = four_batches();
    for sector in [0, HEADER / SECTOR, HEADER / SECTOR + 1, HEADER / SECTOR + 2] {
        for bit in sector * SECTOR * 8..(sector + 1) * SECTOR * 8 {
            let mut damaged = Machine { disk: machine.disk.clone(), log: machine.log.clone() };
            damaged.disk.flip(FIRST, bit);
            let RecoveryError::Damaged(damage) = fail(&damaged) else { panic!("bit {bit}") };
            assert!(damage.proven || sector == 0, "bit {bit}: {damage}");
        }
    }
}

#[test]
fn every_flipped_bit_in_the_last_batch_is_found_and_its_head_bounds_the_doubt() {
    let machine = four_batches();
    let start = HEADER + 3 * SECTOR;
    let mut uncertain = 0;
    for bit in start * 8..(start + 3 * SECTOR) * 8 {
        let mut damaged = Machine { disk: machine.disk.clone(), log: machine.log.clone() };
        damaged.disk.flip(FIRST, bit);
        match damaged.disk.recover(IDENTITY, LIMITS) {
            Ok(recovered) => {
                let trust = Trust::Uncertain { from: Index(4), until: id(1, 9) };
                assert_eq!(recovered.trust, trust, "bit {bit}");
                assert!(!recovered.trust.may_vote());
                assert_eq!(recovered.entries.len(), 3);
                uncertain += 1;
            }
            Err(RecoveryError::Damaged(damage)) => {
                assert!(!damage.proven && bit / 8 < start + SECTOR, "bit {bit}: {damage}");
                assert_eq!((damage.from, damage.batch), (Index(4), 4));
            }
            Err(other) => panic!("bit {bit}: {other}"),
        }
    }
    assert_eq!(uncertain, 2 * SECTOR * 8, "the head stands in the first of the three sectors");
}

#[test]
fn a_doubt_outlives_restarts_until_the_log_is_as_long_as_it_was() {
    let mut machine = four_batches();
    machine.disk.flip(FIRST, (HEADER + 4 * SECTOR) * 8);
    for _ in 0..2 {
        let recovered = machine.disk.recover(IDENTITY, LIMITS).expect("the head is whole");
        assert_eq!(recovered.trust, Trust::Uncertain { from: Index(4), until: id(1, 9) });
        machine.disk.carry_out(&recovered.start);
        machine.log = recovered.log;
    }
    machine.write(&[entries(1, 4..=8, 10)]);
    assert_eq!(machine.log.doubt(), Some(id(1, 9)), "the same term and not as far");
    let recovered = machine.disk.recover(IDENTITY, LIMITS).expect("the log is whole");
    assert_eq!(recovered.trust, Trust::Uncertain { from: Index(9), until: id(1, 9) });
    machine.write(&[hard(2, None), entries(2, 9..=9, 10)]);
    assert_eq!(machine.log.doubt(), None, "an entry of a later term");
    let recovered = machine.disk.recover(IDENTITY, LIMITS).expect("the log is whole");
    assert_eq!(recovered.trust, Trust::Whole);
}

/// A log of a group so large that its start batches take several sectors.
fn of_many_members() -> Machine {
    let members = crate::sample::membership(9);
    let (log, operations) = log::Log::create(IDENTITY, LIMITS, crate::sample::GROUP, members);
    let mut machine = Machine { disk: Disk::default(), log };
    machine.disk.carry_out(&operations);
    machine
}

/// Where in a segment, in sectors, the last batch begins, of which one sector is not the first.
fn last_used(machine: &mut Machine, segment: SegmentNumber) -> usize {
    let bytes = machine.disk.at_rest(segment);
    let seal = bytes.len() / SECTOR - 1;
    let is_used = |sector: &usize| bytes[sector * SECTOR..][..SECTOR].iter().any(|byte| *byte != 0);
    (0..seal).rev().find(is_used).expect("the segment is used")
}

#[test]
fn a_disk_that_garbles_twice_does_not_forget_the_doubt() {
    let mut machine = of_many_members();
    machine.write(&[hard(1, Some(2)), entries(1, 1..=3, 20)]);
    machine.write(&[hard(7, Some(3)), entries(1, 4..=9, 150)]);
    let lost = last_used(&mut machine, FIRST);
    machine.disk.flip(FIRST, lost * SECTOR * 8);
    let recovered = machine.disk.recover(IDENTITY, LIMITS).expect("the head is whole");
    assert_eq!(recovered.trust, Trust::Uncertain { from: Index(4), until: id(1, 9) });
    machine.disk.carry_out(&recovered.start);
    let start = last_used(&mut machine, SegmentNumber(2));
    assert!(start > HEADER / SECTOR, "the batch has a sector that is not its head");
    machine.disk.flip(SegmentNumber(2), start * SECTOR * 8);
    assert!(damage(&machine).proven, "the seal came after the batch");
}

#[test]
fn the_first_batch_of_a_segment_is_not_made_anew_if_it_is_garbled() {
    let mut machine = Machine::new();
    let mut count = 0;
    let operations = loop {
        let next = [hard(7, Some(3)), entries(1, count + 1..=count + 4, 800)];
        let operations = machine.begin(&next);
        if operations.len() > 2 {
            break operations;
        }
        machine.disk.carry_out(&operations);
        machine.log.appended();
        count += 4;
    };
    machine.disk.carry_out(&operations);
    machine.log.appended();
    let lost = last_used(&mut machine, SegmentNumber(2));
    machine.disk.flip(SegmentNumber(2), lost * SECTOR * 8);
    let seal = machine.disk.files[&FIRST].durable.len() - SECTOR;
    for is_sealed in [true, false] {
        if !is_sealed {
            machine.disk.at_rest(FIRST)[seal..].fill(0);
        }
        let damage = damage(&machine);
        assert_eq!((damage.segment, damage.proven), (SegmentNumber(2), is_sealed), "{damage}");
    }
}

#[test]
fn a_doubt_is_met_again_wherever_the_next_life_is_cut_off() {
    let mut machine = of_many_members();
    machine.write(&[hard(1, Some(2)), entries(1, 1..=3, 20)]);
    machine.write(&[hard(7, Some(3)), entries(1, 4..=9, 150)]);
    let lost = last_used(&mut machine, FIRST);
    machine.disk.flip(FIRST, lost * SECTOR * 8);
    let recovered = machine.disk.recover(IDENTITY, LIMITS).expect("the head is whole");
    for done in 0..=recovered.start.len() {
        for sectors in 0..4 {
            let mut disk = machine.disk.clone();
            disk.carry_out(&recovered.start[..done]);
            if let Some(operation @ DiskOperation::Write { .. }) = recovered.start.get(done) {
                disk.carry_out_one(operation, sectors, true);
            }
            let again = disk.recover(IDENTITY, LIMITS).expect("nothing else was garbled");
            assert_eq!(again.trust, Trust::Uncertain { from: Index(4), until: id(1, 9) });
            assert_eq!((again.hard.term.0, again.hard.vote), (7, Some(NodeId(3))));
        }
    }
}

#[test]
fn a_life_that_began_with_a_lost_batch_is_not_lived_again() {
    let mut machine = of_many_members();
    let first = machine.disk.recover(IDENTITY, LIMITS).expect("the log is whole");
    machine.disk.carry_out(&first.start);
    let start = last_used(&mut machine, FIRST);
    machine.disk.flip(FIRST, start * SECTOR * 8);
    let second = machine.disk.recover(IDENTITY, LIMITS).expect("the head is whole");
    assert!(second.incarnation > first.incarnation, "both are {:?}", second.incarnation);
}

#[test]
fn the_vote_in_the_head_of_a_lost_batch_is_not_lost() {
    let mut machine = four_batches();
    machine.write(&[hard(7, Some(3)), entries(1, 10..=12, 300)]);
    machine.disk.flip(FIRST, (HEADER + 7 * SECTOR) * 8);
    let recovered = machine.disk.recover(IDENTITY, LIMITS).expect("the head is whole");
    assert_eq!((recovered.hard.term.0, recovered.hard.vote), (7, Some(NodeId(3))));
    assert_eq!(recovered.trust, Trust::Uncertain { from: Index(10), until: id(1, 12) });
}

#[test]
fn what_the_head_of_a_lost_batch_calls_committed_is_not_what_stands_there_now() {
    let mut machine = four_batches();
    let commit = Index(10);
    let hard = HardState { term: Term(2), vote: None, commit };
    let records = [Record::Truncate(Index(9)), entries(2, 9..=12, 300), Record::Hard(hard)];
    machine.write(&records);
    machine.disk.flip(FIRST, (HEADER + 7 * SECTOR) * 8);
    let recovered = machine.disk.recover(IDENTITY, LIMITS).expect("the head is whole");
    assert_eq!(recovered.trust, Trust::Uncertain { from: Index(10), until: id(2, 12) });
    assert_eq!(recovered.log.last(), id(1, 9), "the batch had replaced entry 9");
    assert_eq!(recovered.hard, HardState { commit: Index(0), ..hard });
}

#[test]
fn a_batch_that_lost_a_sector_to_zeros_is_damage_once_a_later_batch_vouches_for_it() {
    let mut machine = three_segments();
    machine.disk.at_rest(FIRST)[HEADER + SECTOR..][..SECTOR].fill(0);
    let damage = damage(&machine);
    assert!(damage.proven);
    assert_eq!((damage.segment, damage.offset, damage.from), (FIRST, 4096 + 512, Index(1)));
    let text = RecoveryError::Damaged(damage).to_string();
    assert!(text.contains("entries from index 1 on are lost"), "{text}");
}

#[test]
fn the_last_batch_of_a_segment_is_vouched_for_by_the_next_segment() {
    let mut machine = three_segments();
    let bytes = machine.disk.at_rest(FIRST);
    let seal = bytes.len() - SECTOR;
    let used = (HEADER..seal).rev().find(|at| bytes[*at] != 0).expect("the segment is used");
    bytes[used / SECTOR * SECTOR..][..SECTOR].fill(0);
    assert!(damage(&machine).proven);
}

#[test]
fn what_comes_before_the_damage_can_be_salvaged() {
    let mut machine = four_batches();
    machine.disk.flip(FIRST, (HEADER + 2 * SECTOR) * 8);
    let recovery = machine.disk.recovery(IDENTITY, LIMITS).expect("there is a segment");
    let salvage = recovery.salvage().expect("the beginning is whole");
    assert_eq!(salvage.entries.len(), 2);
    assert_eq!(salvage.founding.hard.vote, Some(NodeId(2)));
}

#[test]
fn a_missing_segment_is_named() {
    for (missing, named) in [(1, 1), (2, 2), (3, 3)] {
        let mut machine = three_segments();
        assert_eq!(machine.disk.files.len(), 3);
        machine.disk.files.remove(&SegmentNumber(missing));
        let error = fail(&machine);
        assert_eq!(error, RecoveryError::MissingSegment { segment: SegmentNumber(named) });
    }
}

#[test]
fn a_missing_segment_is_named_though_one_was_made_ahead() {
    let mut machine = three_segments();
    machine.make_segment();
    machine.disk.files.remove(&SegmentNumber(3));
    let error = fail(&machine);
    assert_eq!(error, RecoveryError::MissingSegment { segment: SegmentNumber(3) });
}

#[test]
fn a_missing_segment_that_nothing_needs_is_not_missed() {
    let mut machine = three_segments();
    machine.write(&[compact(id(1, 53))]);
    machine.disk.files.remove(&SegmentNumber(2));
    let recovered = machine.disk.recover(IDENTITY, LIMITS).expect("only leftovers are missing");
    assert_eq!((recovered.base, recovered.entries.len()), (id(1, 53), 1));
    machine.log = recovered.log;
    machine.disk.carry_out(&recovered.start);
    machine.remove_segments();
    assert_eq!(machine.disk.files.len(), 1);
}

#[test]
fn a_foreign_segment_is_refused_by_name() {
    let machine = four_batches();
    for other in [
        Identity { cluster: ClusterId(9), ..IDENTITY },
        Identity { node: NodeId(9), ..IDENTITY },
        Identity { disk: DiskId(9), ..IDENTITY },
    ] {
        let error = refusal(&machine.disk, other);
        assert_eq!(
            error,
            RecoveryError::Foreign { segment: FIRST, expected: other, found: IDENTITY }
        );
    }
}

#[test]
fn a_renamed_segment_is_refused_by_name() {
    let mut machine = three_segments();
    let second = machine.disk.files[&SegmentNumber(2)].clone();
    machine.disk.files.insert(SegmentNumber(3), second);
    let (segment, found) = (SegmentNumber(3), SegmentNumber(2));
    assert_eq!(fail(&machine), RecoveryError::Misplaced { segment, found });
}

#[test]
fn a_segment_that_was_cut_is_refused_by_name() {
    let mut machine = four_batches();
    machine.disk.at_rest(FIRST).truncate(16 << 10);
    let (found, expected) = (16 << 10, Some(32 << 10));
    assert_eq!(fail(&machine), RecoveryError::WrongSize { segment: FIRST, found, expected });
}

#[test]
fn a_log_that_was_never_finished_is_made_again() {
    let machine = Machine::new();
    let (_, operations) =
        log::Log::create(IDENTITY, LIMITS, crate::sample::GROUP, crate::sample::membership(3));
    for done in 1..operations.len() - 1 {
        let mut disk = Disk::default();
        disk.carry_out(&operations[..done]);
        let error = refusal(&disk, IDENTITY);
        assert_eq!(error, RecoveryError::Unfinished, "after {done} operations");
    }
    assert!(matches!(operations[0], DiskOperation::Create { .. }));
    assert_eq!(Recovery::new(IDENTITY, LIMITS, &[]).err(), Some(RecoveryError::Empty));
    assert!(machine.disk.recover(IDENTITY, LIMITS).is_ok());
}

#[test]
fn reading_back_finds_damage_too() {
    let mut machine = four_batches();
    let log::Located::Reads(fetch) = machine.log.locate(Index(4), Index(9), 1 << 20) else {
        panic!("it is there");
    };
    machine.disk.flip(FIRST, (HEADER + 4 * SECTOR) * 8);
    let parts: Vec<Bytes> = fetch.reads().map(|range| machine.disk.read(range)).collect();
    let unreadable = fetch.decode(&parts).expect_err("a bit has flipped");
    assert_eq!((unreadable.segment, unreadable.offset), (FIRST, (HEADER + 3 * SECTOR) as u64));
}

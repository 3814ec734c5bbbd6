//! One promise at a time.

use alloc::{vec, vec::Vec};

use kernel::{
    Entry, EntryHead, EntryId, EntryKind, Fault, Index, Membership, SnapshotMeta, Stamp,
    TablesMeta, Term, Ticket, Wire,
};

use super::{
    Adder, POISON, SUMS, applier, apply, carry, head, in_session, life, minutes, number, show,
};
use crate::{
    map_base::MapBase,
    sessions::{EXPIRIES, SESSIONS, WINDOW},
};

#[test]
fn only_the_life_that_asked_is_answered() {
    let mut base = MapBase::default();
    let mut first = applier(life(1), &base);
    assert_eq!(
        apply(&mut first, &[Entry::new(head(1), &[7, 5])]),
        ["1: command 1, sum 5", "applied 1, durable 0"]
    );
    first.may_flush(Index(1));
    assert_eq!(carry(&mut first, &mut base), ["applied 1, durable 1"]);

    let mut second = applier(life(2), &base);
    assert_eq!(apply(&mut second, &[Entry::new(head(2), &[7, 5])]), ["applied 2, durable 1"]);
}

#[test]
fn a_change_of_the_membership_is_answered_with_its_entry() {
    let mut applier = applier(life(1), &MapBase::default());
    let members = [(kernel::NodeId(4), kernel::Member::default())].into();
    let membership = Membership::of_voters(members);
    let configuration = EntryHead { kind: EntryKind::Configuration, ..head(1) };
    let mut outputs = Vec::new();
    let entry = Entry::new(configuration, &membership.to_bytes());
    applier.apply(&[entry], &mut outputs).expect("a configuration is applied");
    let id = EntryId::new(Term(1), Index(1)).to_bytes();
    assert!(matches!(&outputs[0], super::ApplierOutput::Answer { answer, .. } if *answer == id));
    let reading = applier.reading().expect("nothing has gone wrong");
    assert_eq!(*reading.meta().membership, membership);
}

#[test]
fn an_entry_out_of_order_stops_the_replica_before_it_is_applied() {
    let mut applier = applier(life(1), &MapBase::default());
    let good = Entry::new(head(1), &[7, 5]);
    let unordered = Entry::new(head(3), &[7, 5]);
    let mut outputs = Vec::new();
    let fault = applier.apply(&[good, unordered], &mut outputs).expect_err("entry 2 is missing");
    assert!(matches!(fault, Fault::StateMachine(_)));
    assert_eq!(show(&outputs), ["1: command 1, sum 5"]);
    assert_eq!(applier.reading().map(drop), Err(fault));
}

#[test]
fn terms_and_stamps_never_go_back() {
    let first = Entry::new(EntryHead { id: EntryId::new(Term(2), Index(1)), ..head(1) }, &[]);
    for second in [
        EntryHead { id: EntryId::new(Term(1), Index(2)), ..head(2) },
        EntryHead { id: EntryId::new(Term(2), Index(2)), stamp: Stamp(0), ..head(2) },
    ] {
        let mut applier = applier(life(1), &MapBase::default());
        apply(&mut applier, core::slice::from_ref(&first));
        assert!(applier.apply(&[Entry::new(second, &[])], &mut Vec::new()).is_err());
    }
}

#[test]
fn after_a_fault_nothing_is_answered_read_or_flushed() {
    let mut applier = applier(life(1), &MapBase::default());
    applier.may_flush(Index(9));
    let mut outputs = Vec::new();
    let fault = applier.apply(&[Entry::new(head(1), &POISON)], &mut outputs).expect_err("poison");
    assert!(outputs.is_empty());
    assert_eq!(applier.apply(&[], &mut outputs), Err(fault.clone()));
    assert_eq!(applier.read(Ticket(9), Index(0), &mut outputs), Err(fault.clone()));
    assert_eq!(applier.drop_fields(Adder::default()), Err(fault));
    assert!(applier.flush(true).is_none() && outputs.is_empty());
}

#[test]
fn a_read_waits_for_its_index_and_stays_at_its_moment() {
    let mut applier = applier(life(1), &MapBase::default());
    let mut outputs = Vec::new();
    for (ticket, index) in [(11, 2), (12, 0), (13, 1)] {
        applier.read(Ticket(ticket), Index(index), &mut outputs).expect("nothing has gone wrong");
    }
    assert_eq!(show(&outputs), ["12: reads at 0@0"]);
    assert_eq!(applier.reads_waiting(), 2);
    let early = applier.reading().expect("nothing has gone wrong");
    assert_eq!(
        apply(&mut applier, &[Entry::new(head(1), &[7, 5])]),
        ["1: command 1, sum 5", "13: reads at 1@1", "applied 1, durable 0"]
    );
    let entries = [Entry::new(head(2), &[7, 5]), Entry::new(head(3), &[7, 5])];
    assert_eq!(apply(&mut applier, &entries)[2..], ["11: reads at 3@1", "applied 3, durable 0"]);
    assert_eq!(early.get(SUMS, &[7]), Ok(None));
}

#[test]
fn the_tables_are_never_durable_further_than_the_log() {
    let mut base = MapBase::default();
    let mut applier = applier(life(1), &base);
    applier.set_flush_bytes(1);
    apply(&mut applier, &[Entry::new(head(1), &[7, 5])]);
    assert!(applier.flush(false).is_none(), "the log is durable up to 0");
    // Frozen there, it waits for the log and not for the entries that come meanwhile.
    apply(&mut applier, &[Entry::new(head(2), &[7, 5])]);
    applier.may_flush(Index(1));
    assert_eq!(carry(&mut applier, &mut base), ["applied 2, durable 1"]);
    assert_eq!(base.meta.applied.index, Index(1));
    applier.may_flush(Index(2));
    assert_eq!(carry(&mut applier, &mut base), ["applied 2, durable 2"]);
    assert!(applier.flush(true).is_none(), "nothing is new");
}

#[test]
fn entries_that_write_nothing_are_flushed_too_in_the_end() {
    let mut applier = applier(life(1), &MapBase::default());
    applier.set_flush_bytes(64);
    let ticks = (1..=8).map(|index| {
        Entry::new(EntryHead { kind: EntryKind::Tick, origin: None, ..head(index) }, &[])
    });
    apply(&mut applier, &ticks.collect::<Vec<_>>());
    applier.may_flush(Index(8));
    assert!(applier.flush(false).is_some());
}

#[test]
fn a_repeat_takes_effect_once_also_after_a_restart_and_a_snapshot() {
    let mut base = MapBase::default();
    let mut first = applier(life(1), &base);
    apply(&mut first, &[Entry::new(in_session(1, 3, 10), &[7, 5])]);
    let repeat = Entry::new(in_session(2, 3, 10), &[7, 5]);
    assert_eq!(apply(&mut first, &[repeat]), ["2: command 1, sum 5", "applied 2, durable 0"]);
    first.may_flush(Index(2));
    carry(&mut first, &mut base);

    let mut restarted = applier(life(1), &base);
    let repeat = [Entry::new(in_session(3, 3, 10), &[7, 5])];
    assert_eq!(apply(&mut restarted, &repeat)[0], "3: command 1, sum 5");

    let mut installed = applier(life(1), &MapBase::default());
    let meta = SnapshotMeta {
        last: base.meta.applied,
        stamp: base.meta.stamp,
        membership: (*base.meta.membership).clone(),
        digest: base.meta.digest,
    };
    let mut outputs = Vec::new();
    installed.read(Ticket(9), Index(2), &mut outputs).expect("nothing has gone wrong");
    installed.install(base.reading(), &meta, &mut outputs).expect("the snapshot is ahead");
    assert_eq!(show(&outputs), ["9: reads at 2@1", "applied 2, durable 2"]);
    assert_eq!(apply(&mut installed, &repeat)[0], "3: command 1, sum 5");
    assert_eq!(installed.digest(), restarted.digest());
    assert!(installed.install(base.reading(), &meta, &mut outputs).is_err(), "it is behind now");
}

#[test]
fn what_waits_to_be_flushed_goes_with_the_generation_that_a_snapshot_replaces() {
    let mut source = applier(life(2), &MapBase::default());
    let entries = [Entry::new(head(1), &[7, 5]), Entry::new(head(2), &[7, 5])];
    apply(&mut source, &entries);
    let ahead = MapBase::of(&source.reading().expect("nothing has gone wrong"));
    let TablesMeta { applied, stamp, membership, digest } = ahead.meta.clone();
    let meta = SnapshotMeta { last: applied, stamp, membership: (*membership).clone(), digest };
    for log_is_durable in [false, true] {
        let mut applier = applier(life(1), &MapBase::default());
        apply(&mut applier, &entries[..1]);
        applier.may_flush(Index(u64::from(log_is_durable)));
        assert_eq!(applier.flush(true).is_some(), log_is_durable);
        applier.install(ahead.reading(), &meta, &mut Vec::new()).expect("it is ahead");
        assert!(applier.flush(true).is_none() && !applier.is_flushing());
        assert_eq!(applier.digest(), source.digest());
    }
}

#[test]
fn what_fell_out_of_the_window_is_forgotten_and_not_done_again() {
    let mut applier = applier(life(1), &MapBase::default());
    let count = WINDOW as u64 + 1;
    for index in 1..=count {
        let head = EntryHead { stamp: Stamp(1), ..in_session(index, 3, index) };
        apply(&mut applier, &[Entry::new(head, &[7, 1])]);
    }
    let mut next = count;
    let mut repeat = |serial| {
        next += 1;
        let head = EntryHead { stamp: Stamp(1), ..in_session(next, 3, serial) };
        apply(&mut applier, &[Entry::new(head, &[7, 1])])[0].clone()
    };
    assert_eq!(repeat(1), "34: forgotten");
    assert_eq!(repeat(2), "35: command 2, sum 2");
    assert_eq!(repeat(0), "36: forgotten");
    assert_eq!(repeat(count), "37: command 33, sum 33");
    assert_eq!(repeat(count + 1), "38: command 34, sum 34");
    assert_eq!(repeat(2), "39: forgotten");
}

#[test]
fn a_client_is_forgotten_an_hour_after_its_last_command() {
    let mut applier = applier(life(1), &MapBase::default());
    let at = |index, minute, client, serial| {
        let head = EntryHead { stamp: minutes(minute), ..in_session(index, client, serial) };
        vec![Entry::new(head, &[7, 1])]
    };
    apply(&mut applier, &at(1, 0, 3, 1));
    apply(&mut applier, &at(2, 30, 3, 2));
    apply(&mut applier, &at(3, 60, 4, 1));
    let rows = |applier: &mut super::Applier<Adder>, table| {
        let reading = applier.reading().expect("nothing has gone wrong");
        reading.scan(table, &[], None, 100).expect("memory can be read").len()
    };
    assert_eq!(rows(&mut applier, SESSIONS), 5, "client 3 was used at minute 30");
    assert_eq!(apply(&mut applier, &at(4, 89, 3, 2))[0], "4: command 2, sum 2");
    apply(&mut applier, &[Entry::new(EntryHead { stamp: minutes(90), ..head(5) }, &[])]);
    assert_eq!(rows(&mut applier, SESSIONS), 2, "client 4 is left");
    apply(&mut applier, &[Entry::new(EntryHead { stamp: minutes(120), ..head(6) }, &[])]);
    assert_eq!((rows(&mut applier, SESSIONS), rows(&mut applier, EXPIRIES)), (0, 0));
    let reading = applier.reading().expect("nothing has gone wrong");
    assert_eq!(number(reading.get(SUMS, &[7]).expect("memory can be read")), 3);
}

#[test]
fn a_command_without_a_session_costs_no_row() {
    let mut applier = applier(life(1), &MapBase::default());
    apply(&mut applier, &[Entry::new(head(1), &[7, 5])]);
    let reading = applier.reading().expect("nothing has gone wrong");
    assert_eq!(reading.scan(SESSIONS, &[], None, 1), Ok(vec![]));
    assert_eq!(reading.scan(EXPIRIES, &[], None, 1), Ok(vec![]));
}

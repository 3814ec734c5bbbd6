//! The invariants. At most moments they are held against the latest changes, at one of some moments against
//! everything: history is long.
//!
//! 1. Each change of a key is found by it in one place: the last one from the items, or from the history if it was
//!    a deletion, and every earlier one from the history. And each of those leads to such a change.
//! 2. No change is later than the store's revision, and none of a revision that was given up is of a key
//!    that a later one of those changed too.
//! 3. An item was created no later than it was last changed, and its version counts its puts from then.
//! 4. A key goes with a lease if and only if it says so, and only with one that is there.
//! 5. Each lease has one date.
//! 6. A user has no role twice, and only roles that are there, but for root, which need not be. While
//!    authentication is on, the user root has the role root.
//! 7. An alarm's guard is up if and only if there is such an alarm.

use alloc::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use kernel::{Fault, Reading};

use crate::{
    alarm::AlarmKind,
    auth::ROOT,
    item::LeaseId,
    state_machine::compact,
    store::{
        self, CHANGES, Change, DUE, HISTORY, Head, ITEMS, LEASED, LEASES, alarms,
        changes::{self, Place},
        guards, history, items, leases,
        users::{self, ROLES, USERS},
    },
};

/// How many of the latest changes are looked at.
const CHANGES_MAX: usize = 256;

/// At one of so many moments everything is checked.
const WHOLE_ONE_IN: u64 = 64;

/// How many revisions are the latest.
const LATEST: u64 = 8;

pub(super) fn check(reading: &Reading) -> Result<(), Fault> {
    if reading.meta().applied.index.0.is_multiple_of(WHOLE_ONE_IN) {
        check_all(reading)
    } else {
        check_latest(reading)
    }
}

/// Invariants 1 to 3 of what has just changed.
fn check_latest(reading: &Reading) -> Result<(), Fault> {
    let revision = store::revision(reading)?;
    let from = changes::place_of(revision.saturating_sub(LATEST), 0);
    for row in reading.scan(CHANGES, &from, None, CHANGES_MAX)? {
        let change = changes::decode(&row)?;
        assert!(change.revision <= revision, "a change was at a revision that has been");
        if let Some((head, _)) = &change.left {
            check_head(*head);
        }
        check_is_found(&change, reading)?;
    }
    Ok(())
}

/// All invariants, of everything.
pub(crate) fn check_all(reading: &Reading) -> Result<(), Fault> {
    let bonds = check_leases(reading)?;
    let mut left = places(reading)?;
    let mut bound = 0;
    store::each_row(reading, ITEMS, (&[], None), |key, row| {
        let head = items::decode(row)?;
        let was_left = left.remove(&head.change());
        assert_eq!(was_left, Some((key.clone(), Some(head))), "an item was put by a change");
        if head.lease.is_some() {
            assert!(bonds.contains(&(head.lease, key)), "a key that has a lease goes with it");
            bound += 1;
        }
        Ok(())
    })?;
    assert_eq!(bound, bonds.len(), "a key goes only with the lease that it has");
    store::each_row(reading, HISTORY, (&[], None), |row_key, row| {
        let (key, past) = (history::key_of(&row_key)?, history::decode(&row_key, &row)?);
        let (of, head) = left.remove(&past.change()).expect("history was left by a change");
        assert!(of == key && head.is_none() == past.is_deletion, "history says by which change");
        Ok(())
    })?;
    assert!(left.is_empty(), "each change has left something: {left:?}");
    check_users(reading)?;
    check_alarms(reading)
}

/// What a change has left is found by its key.
fn check_is_found(change: &Change, reading: &Reading) -> Result<(), Fault> {
    let present = items::head(reading, &change.key)?;
    let is_present = present.is_some_and(|head| head.change() == change.place());
    let past = history::newest(reading, &change.key, change.revision)?;
    let is_past = past.is_some_and(|past| past.change() == change.place());
    assert!(is_present != is_past, "what a change left is there or is history");
    Ok(())
}

fn check_users(reading: &Reading) -> Result<(), Fault> {
    let roles: BTreeSet<_> = users::names(reading, ROLES)?.into_iter().collect();
    for name in users::names(reading, USERS)? {
        let user = users::user(reading, &name)?.expect("a user whose name was found");
        assert!(user.roles.is_sorted_by(|a, b| a < b), "a user has a role once");
        let is_there = |role: &str| role == ROOT || roles.contains(role);
        assert!(user.roles.iter().all(|role| is_there(role)), "a user's role is there");
    }
    if guards::standing(reading)?.has(guards::AUTH) {
        let root = users::user(reading, ROOT)?.expect("with authentication there is root");
        assert!(root.is_root(), "with authentication root has the role root");
    }
    Ok(())
}

fn check_alarms(reading: &Reading) -> Result<(), Fault> {
    let (standing, alarms) = (guards::standing(reading)?, alarms::all(reading)?);
    for kind in [AlarmKind::NoSpace, AlarmKind::Corrupt] {
        let is_raised = alarms.iter().any(|alarm| alarm.kind == kind);
        assert_eq!(standing.has(guards::of(kind)), is_raised, "an alarm has its guard");
    }
    Ok(())
}

/// The changes: which key each of them changed, and what it left there.
fn places(reading: &Reading) -> Result<BTreeMap<Place, (Bytes, Option<Head>)>, Fault> {
    let revision = store::revision(reading)?;
    let compacted = store::compacted(reading)?.unwrap_or(0);
    let is_scrubbed = !compact::is_pending(reading)?;
    let mut places: BTreeMap<Place, (Bytes, Option<Head>)> = BTreeMap::new();
    let mut given_up = BTreeSet::new();
    store::each_row(reading, CHANGES, (&[], None), |place, row| {
        let change = changes::decode(&(place, row))?;
        assert!(change.revision <= revision, "a change was at a revision that has been");
        if is_scrubbed && change.revision <= compacted {
            assert!(!change.is_deletion(), "of a deletion that was given up nothing is left");
            assert!(given_up.insert(change.key.clone()), "what was given up is gone");
        }
        if let Some(before) = change.before.filter(|(revision, _)| *revision > compacted) {
            let (key, left) = places.get(&before).expect("a change knows the one before it");
            assert!(*key == change.key && left.is_some(), "the change before was a put of the key");
        }
        let (place, head) = (change.place(), change.left.map(|(head, _)| head));
        if let Some(head) = head {
            check_head(head);
        }
        places.insert(place, (change.key, head));
        Ok(())
    })?;
    Ok(places)
}

fn check_head(head: Head) {
    assert!(head.created <= head.modified, "an item is created before it is changed");
    assert!(head.version >= 1, "an item was put once at least");
    assert!(head.version <= head.modified - head.created + 1, "each put has its own revision");
    assert!((head.version == 1) == (head.created == head.modified), "the first put creates");
}

/// The keys that go with each lease.
fn check_leases(reading: &Reading) -> Result<BTreeSet<(LeaseId, Bytes)>, Fault> {
    let mut dates = BTreeSet::new();
    store::each_row(reading, DUE, (&[], None), |date, _| {
        dates.insert(leases::decode_date(&date)?);
        Ok(())
    })?;
    let mut leases = BTreeSet::new();
    store::each_row(reading, LEASES, (&[], None), |id, row| {
        let id = lease_id(&id);
        leases.insert(id);
        let due = leases::decode(row)?.due;
        assert!(dates.remove(&(due, id)), "a lease has its date");
        Ok(())
    })?;
    assert!(dates.is_empty(), "a lease has one date: {dates:?}");
    let mut bonds = BTreeSet::new();
    store::each_row(reading, LEASED, (&[], None), |bond, _| {
        let id = lease_id(&bond);
        assert!(leases.contains(&id), "a key goes with a lease that is there");
        bonds.insert((id, bond.slice(8..)));
        Ok(())
    })?;
    Ok(bonds)
}

fn lease_id(row_key: &[u8]) -> LeaseId {
    let bytes = row_key.first_chunk().expect("a lease's number has eight bytes");
    LeaseId::from_bits(u64::from_be_bytes(*bytes))
}

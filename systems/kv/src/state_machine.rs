//! [`KvMachine`]: applies commands to the tables.
//!
//! Invariants, asserted by [`StateMachine::check`] and, in part, at every command:
//!
//! 1. No two items were last changed at the same revision, and none later than the store's.
//! 2. An item was created no later than it was last changed.
//! 3. Its version counts puts, each at a revision of its own, from its creation to its last change:
//!    it is 1 at least, and 1 exactly if both are the same revision.
//! 4. Keys and values are within their limits.
//!
//! The machine has no fields: everything is in the tables.

use alloc::{collections::BTreeSet, format};

use bytes::Bytes;
use kernel::{Entry, EntryKind, Fault, Outcome, Reading, StateMachine, Tables, Wire};

use crate::{
    KEY_BYTES_MAX, VALUE_BYTES_MAX,
    answer::{Answer, Invalid},
    command::{Command, Expect},
    item::{self, COUNTERS, Head, ITEMS, REVISION},
    query::Query,
};

/// The kinds of [`Command`] that this build knows.
const COMMAND_KINDS: core::ops::RangeInclusive<u8> = 1..=2;

/// How many items [`StateMachine::check`] reads at once.
const ITEMS_CHECKED_AT_ONCE: usize = 256;

/// The key/value store.
#[derive(Clone, Copy, Debug, Default)]
pub struct KvMachine;

impl StateMachine for KvMachine {
    fn apply(
        &mut self,
        entry: &Entry,
        tables: &mut Tables,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        if entry.kind() != EntryKind::Command {
            return Ok(());
        }
        let answer = match Command::from_bytes(entry.data().clone()) {
            Ok(command) => run(&command, tables)?,
            Err(_) => answer_malformed(entry)?,
        };
        if let Some(origin) = entry.origin() {
            outcome.answer(origin, answer.to_bytes());
        }
        Ok(())
    }

    fn query(reading: &Reading, query: Bytes) -> Result<Bytes, Fault> {
        let answer = match Query::from_bytes(query) {
            Ok(query) => query.answer(reading)?,
            Err(_) => Answer::Invalid(Invalid::Malformed),
        };
        Ok(answer.to_bytes())
    }

    fn check(&self, reading: &Reading) -> Result<(), Fault> {
        let revision = item::revision_at(reading)?;
        let mut modified_at = BTreeSet::new();
        let mut from = Bytes::new();
        loop {
            let rows = reading.scan(ITEMS, &from, None, ITEMS_CHECKED_AT_ONCE)?;
            let Some((last, _)) = rows.last() else {
                return Ok(());
            };
            from = [last, &[0][..]].concat().into();
            for (key, row) in rows {
                let (head, value) = item::decode(row)?;
                assert!((1..=KEY_BYTES_MAX).contains(&key.len()), "a key is within its limits");
                assert!(value.len() <= VALUE_BYTES_MAX, "a value is within its limit");
                assert!(modified_at.insert(head.modified), "each revision changed one item");
                check_head(head, revision);
            }
        }
    }
}

/// A command that this build knows but cannot read was made wrong, and every replica finds that. One of
/// an unknown kind may make sense to a newer replica: this one must stop.
fn answer_malformed(entry: &Entry) -> Result<Answer, Fault> {
    match entry.data().first() {
        Some(kind) if !COMMAND_KINDS.contains(kind) => Err(Fault::StateMachine(format!(
            "entry {} is a command of kind {kind}, which this build does not know; run the build \
             that the other members run",
            entry.id()
        ))),
        _ => Ok(Answer::Invalid(Invalid::Malformed)),
    }
}

fn run(command: &Command, tables: &mut Tables) -> Result<Answer, Fault> {
    if let Err(invalid) = command.check() {
        return Ok(Answer::Invalid(invalid));
    }
    let row = tables.get(ITEMS, command.key())?;
    let present = row.map(item::decode).transpose()?;
    if !is_met(command.expect(), present.as_ref()) {
        return Ok(Answer::Mismatch { current: present.map(|(head, _)| head.modified) });
    }
    let revision = item::revision(tables)?;
    let head = present.map(|(head, _)| head);
    match command {
        Command::Put { key, value, .. } => put(key, value, head, revision + 1, tables),
        Command::Delete { key, .. } if head.is_some() => delete(key, revision + 1, tables),
        Command::Delete { .. } => Ok(Answer::Deleted { was_there: false, revision }),
    }
}

fn is_met(expect: &Expect, present: Option<&(Head, Bytes)>) -> bool {
    match (expect, present) {
        (Expect::Any, _) | (Expect::Absent, None) => true,
        (Expect::Value(expected), Some((_, value))) => expected == value,
        (Expect::Revision(expected), Some((head, _))) => *expected == head.modified,
        (Expect::Revision(expected), None) => *expected == 0,
        (Expect::Absent, Some(_)) | (Expect::Value(_), None) => false,
    }
}

fn put(
    key: &Bytes,
    value: &Bytes,
    present: Option<Head>,
    revision: u64,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let head = Head {
        created: present.map_or(revision, |head| head.created),
        modified: revision,
        version: present.map_or(1, |head| head.version + 1),
    };
    check_head(head, revision);
    tables.put(ITEMS, key, &item::encode(head, value))?;
    tables.put(COUNTERS, REVISION, &revision.to_le_bytes())?;
    let previous_revision = present.map(|head| head.modified);
    assert!(previous_revision.is_none_or(|previous| previous < revision), "revisions grow");
    Ok(Answer::Put { revision, version: head.version, previous_revision })
}

fn delete(key: &Bytes, revision: u64, tables: &mut Tables) -> Result<Answer, Fault> {
    let was_there = tables.delete(ITEMS, key)?;
    assert!(was_there, "only a key that is there is deleted");
    tables.put(COUNTERS, REVISION, &revision.to_le_bytes())?;
    Ok(Answer::Deleted { was_there, revision })
}

/// Invariants 1 to 3, as far as one item shows them.
fn check_head(head: Head, revision: u64) {
    assert!(head.modified <= revision, "an item was changed at a revision that has been");
    assert!(head.created <= head.modified, "an item is created before it is changed");
    assert!(head.version >= 1, "an item was put once at least");
    assert!(head.version <= head.modified - head.created + 1, "each put has its own revision");
    assert!((head.version == 1) == (head.created == head.modified), "the first put creates");
}

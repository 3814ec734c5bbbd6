//! [`Event`]: what changed, revision by revision, for whoever watches; and what is wanted of it.
//!
//! A watch is not state. It is a place in the history, the next revision that it will see, and whoever
//! keeps the place reads on from there when more has been applied. A slow reader, a new one and one that
//! comes back are the same.

use alloc::vec::Vec;

use kernel::{Fault, Reading, tables::successor};

use crate::{
    item::Item,
    keys::Keys,
    state_machine::compact,
    store::{self, CHANGES, Change, changes, history},
};

/// A change of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// True if the key was deleted; then the item has only the key and the revision.
    pub is_deletion: bool,
    /// The item as the change left it.
    pub item: Item,
}

impl Event {
    /// True if the key was not there before.
    #[must_use]
    pub const fn is_creation(&self) -> bool {
        !self.is_deletion && self.item.created == self.item.modified
    }

    /// What was there before; nothing if nothing was, or if it has been compacted away.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn previous(&self, reading: &Reading) -> Result<Option<Item>, Fault> {
        let before = self.item.modified - 1;
        if self.is_creation() || store::compacted(reading)?.is_some_and(|gone| before < gone) {
            return Ok(None);
        }
        let past = history::newest(reading, &self.item.key, before)?;
        let left = past.map(|past| past.left(reading)).transpose()?.flatten();
        Ok(left.map(|(head, value)| head.item(self.item.key.clone(), value)))
    }
}

/// What is wanted of all that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interest {
    /// Changes of these keys.
    pub keys: Keys,
    /// Puts too.
    pub puts: bool,
    /// Deletions too.
    pub deletions: bool,
}

impl Interest {
    /// True if the event is wanted.
    #[must_use]
    pub fn includes(&self, event: &Event) -> bool {
        let is_wanted = if event.is_deletion { self.deletions } else { self.puts };
        is_wanted && self.keys.contains(&event.item.key)
    }
}

/// Some of what changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// The changes, in order; those of one revision are all here or none of them is.
    pub events: Vec<Event>,
    /// The first revision that has not been looked at.
    pub next: u64,
}

/// The store's revision.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read.
pub fn revision(reading: &Reading) -> Result<u64, Fault> {
    store::revision(reading)
}

/// The first revision of which all is known; nothing if that is the very first.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read.
pub fn compacted(reading: &Reading) -> Result<Option<u64>, Fault> {
    store::compacted(reading)
}

/// True if a compaction is still taking away what it has given up.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read.
pub fn is_compacting(reading: &Reading) -> Result<bool, Fault> {
    compact::is_pending(reading)
}

/// True if some of what changed at `revision` may have been taken away.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read.
pub fn is_gone(reading: &Reading, revision: u64) -> Result<bool, Fault> {
    Ok(*compact::scrubbed(reading)? >= changes::place_of(revision, 0)[..])
}

/// What changed from revision `from` on: about `most` changes, or a few more to end with a revision. None
/// of it must be [gone](is_gone).
///
/// # Errors
/// A [`Fault`] if the tables cannot be read.
pub fn events_since(reading: &Reading, from: u64, most: usize) -> Result<Events, Fault> {
    let mut events = Vec::new();
    let mut place = bytes::Bytes::copy_from_slice(&changes::place_of(from, 0));
    let present = store::revision(reading)?;
    loop {
        let rows = reading.scan(CHANGES, &place, None, most)?;
        let is_last = rows.len() < most;
        for row in &rows {
            let change = changes::decode(row)?;
            let reached = events.last().map(|event: &Event| event.item.modified);
            if events.len() >= most && reached.is_some_and(|reached| reached < change.revision) {
                return Ok(Events { events, next: change.revision });
            }
            events.push(event(change));
        }
        match rows.last() {
            Some((last, _)) if !is_last => place = successor(last),
            _ => return Ok(Events { events, next: (present + 1).max(from) }),
        }
    }
}

fn event(change: Change) -> Event {
    let Change { revision, key, left, .. } = change;
    match left {
        Some((head, value)) => Event { is_deletion: false, item: head.item(key, value) },
        None => Event { is_deletion: true, item: Item::gone(key, revision) },
    }
}

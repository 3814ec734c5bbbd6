//! A state machine that only remembers: the commands in the order in which they were applied.

use std::collections::VecDeque;

use kernel::{
    Entry, EntryId, EntryKind, Generation, Index, Membership, Peer, SnapshotMeta, Stamp, Ticket,
    Wire,
};

use crate::print;

/// The tables: every command so far, and what the tables say of themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) last: EntryId,
    pub(crate) stamp: Stamp,
    pub(crate) membership: Membership,
    pub(crate) commands: Vec<String>,
}

/// What is still to be done.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    Apply(Vec<Entry>),
    Install { meta: SnapshotMeta, generation: Generation },
}

/// Applies entries to the tables.
#[derive(Debug, Default)]
pub(crate) struct Applier {
    pub(crate) tables: Tables,
    pub(crate) generation: Generation,
    pub(crate) tasks: VecDeque<Task>,
    /// How far the durable tables have been applied.
    pub(crate) flushed: Index,
    pub(crate) may_flush: Index,
    /// When, in cluster time, the state machine next has something to expire.
    pub(crate) next_deadline: Option<Stamp>,
}

impl Tables {
    pub(crate) fn meta(&self) -> SnapshotMeta {
        SnapshotMeta {
            last: self.last,
            stamp: self.stamp,
            membership: self.membership.clone(),
            digest: 0,
        }
    }
}

impl Applier {
    /// An applier that goes on from durable tables.
    pub(crate) fn new(tables: Tables, generation: Generation) -> Self {
        let flushed = tables.last.index;
        Self { tables, generation, flushed, may_flush: flushed, ..Self::default() }
    }

    /// Applies entries; the tickets of `me` that they answer, with the entry of each.
    pub(crate) fn apply(&mut self, me: Peer, entries: &[Entry]) -> Vec<(Ticket, EntryId)> {
        let mut answers = Vec::new();
        for entry in entries {
            assert_eq!(
                entry.index(),
                self.tables.last.index.next(),
                "entries are applied in order"
            );
            assert!(entry.is_intact(), "an entry's bytes match its checksum");
            self.tables.last = entry.id();
            self.tables.stamp = entry.stamp();
            match entry.kind() {
                EntryKind::Command => self.tables.commands.push(print::command(entry.data())),
                EntryKind::Configuration => {
                    self.tables.membership = Membership::from_bytes(entry.data().clone())
                        .expect("a leader's configuration is well formed");
                }
                EntryKind::Tick => self.next_deadline = None,
                EntryKind::Noop => {}
            }
            let origin = entry.origin().filter(|origin| origin.peer == me);
            answers.extend(origin.map(|origin| (origin.ticket, entry.id())));
        }
        answers
    }
}

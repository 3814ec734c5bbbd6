//! What a log should hold: the ids of its entries, kept apart from it.

use alloc::{collections::VecDeque, vec::Vec};

use kernel::{EntryId, HardState, Index, NodeId, Record, Term};
use log::Recovered;

/// The ids in one log, and its term and vote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shadow {
    base: EntryId,
    /// Those after the base, without a gap.
    ids: VecDeque<EntryId>,
    term: Term,
    vote: Option<NodeId>,
}

/// What a record does to a shadow.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    Entries(Vec<EntryId>),
    Hard(HardState),
    Truncate(Index),
    Compact(EntryId),
    Snapshot(EntryId),
}

impl Note {
    pub(crate) fn of(record: &Record) -> Self {
        match record {
            Record::Entries(entries) => {
                Self::Entries(entries.iter().map(kernel::Entry::id).collect())
            }
            Record::Hard(hard) => Self::Hard(*hard),
            Record::Truncate(from) => Self::Truncate(*from),
            Record::Compact { through, .. } => Self::Compact(*through),
            Record::Snapshot { meta, .. } => Self::Snapshot(meta.last),
        }
    }

    /// What of it may become durable on its own: entries that are many are written in several batches.
    fn pieces(&self) -> Vec<Self> {
        match self {
            Self::Entries(ids) => ids.iter().map(|id| Self::Entries([*id].into())).collect(),
            other => [other.clone()].into(),
        }
    }
}

impl Shadow {
    pub(crate) fn of(recovered: &Recovered) -> Self {
        Self {
            base: recovered.base,
            ids: recovered.entries.iter().map(kernel::Entry::id).collect(),
            term: recovered.hard.term,
            vote: recovered.hard.vote,
        }
    }

    /// The last entry.
    pub(crate) fn last(&self) -> EntryId {
        *self.ids.back().unwrap_or(&self.base)
    }

    /// True if the log holds the entry, or something stands in for it.
    pub(crate) fn covers(&self, id: EntryId) -> bool {
        id.index <= self.base.index || self.ids.get(self.place(id.index)) == Some(&id)
    }

    /// Where an entry after the base stands.
    fn place(&self, index: Index) -> usize {
        let place = index.0 - self.base.index.0 - 1;
        usize::try_from(place).expect("a simulated log is short")
    }

    /// True if `found` is what a crash may leave of this log and of what was being written to it: the
    /// entries of some moment, and the term and vote of that moment or a later one.
    pub(crate) fn leads_to<'a>(&self, found: &Self, notes: impl Iterator<Item = &'a Note>) -> bool {
        let mut moment = self.clone();
        let mut has_entries = moment.ids == found.ids && moment.base == found.base;
        let mut fits = has_entries && moment.state() == found.state();
        for note in notes.flat_map(Note::pieces) {
            let _ = moment.take(&note);
            has_entries |= moment.ids == found.ids && moment.base == found.base;
            fits |= has_entries && moment.state() == found.state();
        }
        fits
    }

    const fn state(&self) -> (Term, Option<NodeId>) {
        (self.term, self.vote)
    }

    /// Does what a record does; an error says what no replica may write.
    pub(crate) fn take(&mut self, note: &Note) -> Result<(), &'static str> {
        match note {
            Note::Entries(ids) => {
                for id in ids {
                    if id.index != self.last().index.next() {
                        return Err("entries are written that do not follow the last one");
                    }
                    if id.term < self.last().term || id.term > self.term {
                        return Err("an entry is written whose term does not fit");
                    }
                    self.ids.push_back(*id);
                }
            }
            Note::Hard(hard) => {
                if hard.term < self.term {
                    return Err("the term goes back");
                }
                let votes = (self.vote, hard.vote);
                if hard.term == self.term && votes.0.is_some() && votes.0 != votes.1 {
                    return Err("the vote of a term is changed");
                }
                (self.term, self.vote) = (hard.term, hard.vote);
            }
            Note::Truncate(from) => {
                if *from <= self.base.index {
                    return Err("what is no longer in the log is taken back");
                }
                self.ids.truncate(self.place(*from));
            }
            Note::Compact(through) => {
                if !self.covers(*through) || *through < self.base {
                    return Err("an entry is let go that is not in the log");
                }
                let gone = self.place(through.index.next()).min(self.ids.len());
                self.ids.drain(..gone);
                self.base = *through;
            }
            Note::Snapshot(last) => {
                self.ids.clear();
                self.base = *last;
            }
        }
        Ok(())
    }
}

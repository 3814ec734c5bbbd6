//! What the records of a log amount to: the small state, and where each entry lies.
//!
//! The same ledger is kept while the log is written and rebuilt while it is read, by the same
//! function, so that a record means one thing. Invariants:
//! 1. `base.index <= last`;
//! 2. entries after the base lie without gaps, from `held_from` on: only while an old log is read may
//!    `held_from` be beyond the base, until the record that moves the base is met;
//! 3. locators are in order, do not overlap, and name one batch each;
//! 4. the term of every entry from `held_from` on is known.
//!
//! One locator a batch and one run a term is all the memory that entries take here.

use alloc::collections::VecDeque;

use kernel::{Entry, EntryId, HardState, Index, Record, SnapshotMeta, Term};

use crate::{batch::State, disk::SegmentNumber};

/// Where a batch lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) segment: SegmentNumber,
    /// From the start of the segment, in sectors.
    pub(crate) sector: u32,
    pub(crate) sectors: u32,
    pub(crate) number: u64,
}

/// Which entries a batch holds that are still part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Locator {
    pub(crate) first: Index,
    pub(crate) last: Index,
    pub(crate) spot: Spot,
}

/// From this index on, entries were made in this term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    first: Index,
    term: Term,
}

/// A record that cannot follow on those before it: what it contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction(pub(crate) &'static str);

#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// All but `last`, which is kept apart.
    small: State,
    last: Index,
    held_from: Index,
    runs: VecDeque<Run>,
    locators: VecDeque<Locator>,
}

impl Ledger {
    /// A ledger that goes on from `state`.
    pub(crate) fn new(state: State) -> Self {
        let last = state.last;
        let runs = VecDeque::from([Run { first: last.index, term: last.term }]);
        let locators = VecDeque::new();
        Self { small: state, last: last.index, held_from: last.index.next(), runs, locators }
    }

    /// The small state now.
    pub(crate) fn state(&self) -> Result<State, Contradiction> {
        let last = self.last().ok_or(Contradiction("the term of the last entry is not known"))?;
        Ok(State { last, ..self.small.clone() })
    }

    pub(crate) const fn small(&self) -> &State {
        &self.small
    }

    pub(crate) const fn last_index(&self) -> Index {
        self.last
    }

    /// The last entry; nothing only while an old log is read.
    pub(crate) fn last(&self) -> Option<EntryId> {
        Some(EntryId::new(self.term_of(self.last)?, self.last))
    }

    /// True if every entry after the base is held.
    pub(crate) fn is_complete(&self) -> bool {
        self.held_from <= self.small.base.index.next()
    }

    pub(crate) const fn locators(&self) -> &VecDeque<Locator> {
        &self.locators
    }

    /// A start record says that the log stood at `state`: it must agree with what was read, but may
    /// know more of the hard state and of the doubt, where a batch was cut before it.
    pub(crate) fn restart(&mut self, state: &State) -> Result<(), Contradiction> {
        let expected = State {
            hard: state.hard,
            doubt: state.doubt,
            last: EntryId::new(state.last.term, self.last),
            ..self.small.clone()
        };
        if *state != expected || self.last().is_some_and(|last| last != state.last) {
            return Err(Contradiction("a life begins where the one before it ended"));
        }
        if self.last().is_none() {
            self.runs.push_back(Run { first: state.last.index, term: state.last.term });
        }
        self.set_hard(state.hard)?;
        self.small.doubt = state.doubt;
        Ok(())
    }

    /// A batch was lost whose head still says how far the replica had come. What it calls committed are
    /// entries of the lost batch: those that stand here instead may be others, which it had replaced.
    pub(crate) fn suspect(&mut self, hard: HardState, last: EntryId) {
        assert!(hard.term >= self.small.hard.term, "terms never go back");
        self.small.hard = HardState { commit: self.small.hard.commit, ..hard };
        self.small.doubt = self.small.doubt.max(Some(last));
        self.ease();
    }

    /// Takes one record that lies at `spot`.
    pub(crate) fn apply(&mut self, record: &Record, spot: &Spot) -> Result<(), Contradiction> {
        match record {
            Record::Entries(entries) => {
                for entry in entries {
                    self.push(entry, spot)?;
                }
                Ok(())
            }
            Record::Hard(hard) => self.set_hard(*hard),
            Record::Truncate(from) => self.truncate(*from),
            Record::Compact { through, stamp, membership } => {
                self.compact(*through)?;
                self.small.base_stamp = *stamp;
                self.small.membership = membership.clone();
                Ok(())
            }
            Record::Snapshot { meta, generation } => {
                if *generation <= self.small.generation {
                    return Err(Contradiction("a snapshot starts a new generation"));
                }
                self.small.generation = *generation;
                self.replace(meta)
            }
        }
    }

    fn push(&mut self, entry: &Entry, spot: &Spot) -> Result<(), Contradiction> {
        let EntryId { term, index } = entry.id();
        if index != self.last.next() {
            return Err(Contradiction("an entry follows right on the one before it"));
        }
        if self.last().is_some_and(|last| term < last.term) {
            return Err(Contradiction("terms never go back within a log"));
        }
        if self.runs.back().is_none_or(|run| run.term != term) {
            self.runs.push_back(Run { first: index, term });
        }
        match self.locators.back_mut() {
            Some(locator) if locator.spot.number == spot.number => locator.last = index,
            _ => self.locators.push_back(Locator { first: index, last: index, spot: *spot }),
        }
        self.last = index;
        self.ease();
        Ok(())
    }

    fn set_hard(&mut self, hard: HardState) -> Result<(), Contradiction> {
        let old = self.small.hard;
        if hard.term < old.term {
            return Err(Contradiction("the term of a replica never goes back"));
        }
        if hard.term == old.term && old.vote.is_some() && hard.vote != old.vote {
            return Err(Contradiction("a replica votes once in a term"));
        }
        self.small.hard = hard;
        Ok(())
    }

    fn truncate(&mut self, from: Index) -> Result<(), Contradiction> {
        if from <= self.small.base.index || from > self.last.next() {
            return Err(Contradiction("only entries that are there are truncated"));
        }
        self.last = from.previous();
        self.held_from = self.held_from.min(from);
        while self.runs.back().is_some_and(|run| run.first >= from) {
            self.runs.pop_back();
        }
        while self.locators.back().is_some_and(|locator| locator.first >= from) {
            self.locators.pop_back();
        }
        if let Some(locator) = self.locators.back_mut() {
            locator.last = locator.last.min(self.last);
        }
        Ok(())
    }

    fn compact(&mut self, through: EntryId) -> Result<(), Contradiction> {
        if through.index < self.small.base.index || through.index > self.last {
            return Err(Contradiction("what is compacted is in the log"));
        }
        if self.term_of(through.index).is_some_and(|term| term != through.term) {
            return Err(Contradiction("the last compacted entry is the one in the log"));
        }
        self.small.base = through;
        while self.locators.front().is_some_and(|locator| locator.last <= through.index) {
            self.locators.pop_front();
        }
        if let Some(locator) = self.locators.front_mut() {
            locator.first = locator.first.max(through.index.next());
        }
        while self.runs.get(1).is_some_and(|run| run.first <= through.index.next()) {
            self.runs.pop_front();
        }
        Ok(())
    }

    fn replace(&mut self, meta: &SnapshotMeta) -> Result<(), Contradiction> {
        if meta.last.index < self.small.base.index {
            return Err(Contradiction("a snapshot never goes back behind the base"));
        }
        self.small.base = meta.last;
        self.small.base_stamp = meta.stamp;
        self.small.membership = meta.membership.clone();
        self.last = meta.last.index;
        self.held_from = self.last.next();
        self.runs = VecDeque::from([Run { first: meta.last.index, term: meta.last.term }]);
        self.locators.clear();
        self.ease();
        Ok(())
    }

    /// The doubt ends once a leader has brought the log as far as it may ever have been.
    fn ease(&mut self) {
        if self.small.doubt.is_some() && self.last() >= self.small.doubt {
            self.small.doubt = None;
        }
    }

    fn term_of(&self, index: Index) -> Option<Term> {
        if index <= self.small.base.index {
            return (index == self.small.base.index).then_some(self.small.base.term);
        }
        let after = self.runs.partition_point(|run| run.first <= index);
        self.runs.get(after.checked_sub(1)?).map(|run| run.term)
    }
}

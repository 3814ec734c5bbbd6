//! The queues alone: the state machine over tables whose base is a map.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use kernel::{
    BaseReading, Entry, EntryHead, EntryId, EntryKind, Fault, Index, Origin, Outcome, Peer, Stamp,
    StateMachine, Tables, TablesMeta, Term, Ticket, Wire,
};
use queue::{Answer, Command, Query, QueueMachine};

/// A base in memory, which counts what is read of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct MapBase {
    pairs: BTreeMap<Bytes, Bytes>,
    reads: Arc<AtomicU64>,
}

impl BaseReading for MapBase {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.pairs.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        let range = self.pairs.range(Bytes::copy_from_slice(from)..Bytes::copy_from_slice(to));
        let found = range.take(limit).map(|(key, value)| (key.clone(), value.clone()));
        let found: Vec<_> = found.collect();
        self.reads.fetch_add(1 + found.len() as u64, Ordering::Relaxed);
        Ok(found)
    }
}

/// A state machine, its tables, and a log that always agrees.
pub(crate) struct Store {
    machine: QueueMachine,
    pub(crate) tables: Tables,
    base: MapBase,
    /// Cluster time of the next entry.
    pub(crate) now: Stamp,
}

impl Store {
    pub(crate) fn new() -> Self {
        let base = MapBase::default();
        let tables = Tables::new(Arc::new(base.clone()), TablesMeta::default());
        Self { machine: QueueMachine, tables, base, now: Stamp(0) }
    }

    /// The time of day of the next entry.
    pub(crate) const fn wall_ms(&self) -> u64 {
        1_700_000_000_000 + self.now.0 / 1_000_000
    }

    /// Lets time pass.
    pub(crate) fn wait_ms(&mut self, wait_ms: u64) {
        self.now = Stamp(self.now.0 + wait_ms * 1_000_000);
    }

    pub(crate) fn apply(&mut self, command: &Command) -> Answer {
        self.apply_bytes(&command.to_bytes()).expect("a command is no fault")
    }

    /// Applies an entry with these bytes as its command.
    pub(crate) fn apply_bytes(&mut self, data: &[u8]) -> Result<Answer, Fault> {
        let answers = self.apply_entry(EntryKind::Command, data)?;
        assert_eq!(answers.len(), 1, "a command is answered once");
        Ok(answers.into_iter().next().expect("one answer"))
    }

    pub(crate) fn apply_entry(
        &mut self,
        kind: EntryKind,
        data: &[u8],
    ) -> Result<Vec<Answer>, Fault> {
        let index = self.tables.meta().applied.index.next();
        let origin = Origin { peer: Peer::default(), ticket: Ticket(index.0) };
        let head = EntryHead {
            id: EntryId::new(Term(1), Index(index.0)),
            kind,
            stamp: self.now,
            wall_ms: self.wall_ms(),
            origin: Some(origin),
            session: None,
        };
        let entry = Entry::new(head, data);
        let mut outcome = Outcome::default();
        self.machine.apply(&entry, &mut self.tables, &mut outcome)?;
        self.tables.advance(entry.id(), entry.stamp());
        let answers = outcome.take().into_iter().map(|(answered, answer)| {
            assert_eq!(answered, origin, "the command's own origin is answered");
            Answer::from_bytes(answer).expect("an answer can be read")
        });
        Ok(answers.collect())
    }

    /// When the machine wants a tick.
    pub(crate) fn deadline(&self) -> Option<Stamp> {
        self.machine.deadline(&self.tables.reading()).expect("the base can be read")
    }

    /// Ticks until nothing is due any more.
    pub(crate) fn tick(&mut self) {
        while self.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.apply_entry(EntryKind::Tick, &[]).expect("a tick is no fault");
        }
    }

    pub(crate) fn query(&self, query: &Query) -> Answer {
        self.query_bytes(query.to_bytes())
    }

    /// Asks with these bytes as the query.
    pub(crate) fn query_bytes(&self, query: Bytes) -> Answer {
        let answer = QueueMachine::query(&self.tables.reading(), query);
        Answer::from_bytes(answer.expect("the base can be read")).expect("an answer can be read")
    }

    /// Carries all writes into the base.
    pub(crate) fn flush(&mut self) {
        let flush = self.tables.freeze();
        for (key, value) in flush.changes.iter() {
            match value {
                Some(value) => self.base.pairs.insert(key.clone(), value.clone()),
                None => self.base.pairs.remove(key),
            };
        }
        self.tables.flushed(Arc::new(self.base.clone()));
    }

    /// How many keys and pairs of the base have been read so far.
    pub(crate) fn reads(&self) -> u64 {
        self.base.reads.load(Ordering::Relaxed)
    }

    pub(crate) fn check(&self) {
        let reading = self.tables.reading();
        self.machine.check(&reading).expect("the base can be read");
        self.machine.check_all(&reading).expect("the base can be read");
    }
}

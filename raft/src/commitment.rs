//! What is committed is applied, may then become durable in the tables, and leaves the log.

use alloc::{collections::VecDeque, vec::Vec};

use kernel::{Effect, Entry, FetchOutcome, Index, Record, Stamp};

use crate::{
    durability::LogChange,
    image::image,
    node::{Purpose, Raft},
    progress::Progress,
};

/// The most bytes of entries handed to the state machine and not yet applied.
const APPLYING_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Entries on their way through the state machine.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    /// The last entry handed over.
    pub(crate) handed: Index,
    in_flight: VecDeque<(Index, u64)>,
    bytes: u64,
}

impl Pipeline {
    /// A pipeline after `handed`, with nothing in it.
    pub(crate) const fn new(handed: Index) -> Self {
        Self { handed, in_flight: VecDeque::new(), bytes: 0 }
    }

    fn hand(&mut self, entries: &[Entry]) {
        let last = entries.last().expect("something is handed over").index();
        let bytes = entries.iter().map(Entry::size).sum();
        assert_eq!(entries[0].index(), self.handed.next(), "entries are applied in order");
        self.in_flight.push_back((last, bytes));
        self.bytes += bytes;
        self.handed = last;
    }

    fn done(&mut self, through: Index) {
        while let Some((_, bytes)) = self.in_flight.pop_front_if(|(last, _)| *last <= through) {
            self.bytes -= bytes;
        }
    }

    const fn has_room(&self) -> bool {
        self.bytes < APPLYING_BYTES_MAX
    }
}

impl Raft {
    /// Hands committed entries to the state machine.
    pub(crate) fn apply_committed(&mut self) {
        while self.pipeline.handed < self.hard.commit
            && self.pipeline.has_room()
            && self.installing.is_none()
        {
            let first = self.pipeline.handed.next();
            let bytes_max = self.config.batch_bytes_max;
            match self.log.cached(first, self.hard.commit, bytes_max) {
                Some(entries) => self.hand_to_apply(entries),
                None => {
                    let is_fetching =
                        self.fetches.values().any(|purpose| *purpose == Purpose::Apply { first });
                    if !is_fetching {
                        self.fetch(Purpose::Apply { first }, first, self.hard.commit, bytes_max);
                    }
                    return;
                }
            }
        }
    }

    fn hand_to_apply(&mut self, entries: Vec<Entry>) {
        let last = entries.last().map(Entry::index);
        assert!(
            last.is_some_and(|last| last <= self.hard.commit),
            "only what is committed is applied"
        );
        self.pipeline.hand(&entries);
        for origin in entries.iter().filter_map(Entry::origin) {
            if origin.peer == self.me {
                // From here on the state machine answers.
                self.tickets.end(origin.ticket);
            }
        }
        self.emit(Effect::Apply { entries });
    }

    pub(crate) fn fetched_to_apply(&mut self, first: Index, outcome: FetchOutcome) {
        let is_wanted = first == self.pipeline.handed.next() && self.installing.is_none();
        if let FetchOutcome::Entries(mut entries) = outcome
            && is_wanted
        {
            entries.retain(|entry| entry.index() <= self.hard.commit);
            let is_ours = entries.iter().all(|entry| self.log.contains(entry.id()));
            assert!(is_ours && !entries.is_empty(), "the log on disk is the log in memory");
            self.hand_to_apply(entries);
        }
        self.note_work();
    }

    pub(crate) fn on_applied(
        &mut self,
        index: Index,
        durable: Index,
        next_deadline: Option<Stamp>,
    ) {
        if self.installing.as_ref().is_some_and(|installing| installing.covers(index)) {
            // The tables have switched already: the word for it is on its way.
            return;
        }
        assert!(index <= self.pipeline.handed, "only what was handed over is applied");
        assert!(
            durable <= self.may_flush.max(self.flushed),
            "tables are flushed only as far as they may"
        );
        self.applied = self.applied.max(index);
        self.flushed = self.flushed.max(durable);
        self.next_tick = next_deadline;
        self.pipeline.done(index);
        self.compact();
        self.evict();
        if self.pipeline.handed < self.hard.commit {
            self.note_work();
        }
    }

    /// Forgets what the log on disk and the state machine have, beyond what slow members may want.
    pub(crate) fn evict(&mut self) {
        let through = self.applied.min(self.durability.durable());
        self.log.evict(through, self.config.cache_bytes);
    }

    /// Tables may become durable as far as the log is: else a crash could leave tables ahead of the
    /// log (B40).
    pub(crate) fn let_tables_flush(&mut self) {
        let through = self.durability.durable().min(self.hard.commit);
        if through > self.may_flush {
            self.may_flush = through;
            self.emit(Effect::MayFlush { through });
        }
        self.evict();
    }

    /// Drops from the log what the durable tables hold, but for a tail that spares slow members a
    /// snapshot.
    fn compact(&mut self) {
        if self.installing.is_some() {
            return;
        }
        let retain_bytes = self.config.retain_bytes;
        let spared = self.log.cut(self.flushed.min(self.needed_after()), retain_bytes);
        let backlog_bytes = retain_bytes.saturating_add(self.config.snapshot_backlog_bytes);
        let Some(mark) = spared.or_else(|| self.log.cut(self.flushed, backlog_bytes)) else {
            return;
        };
        let membership = self.history.as_of(mark.id.index).clone();
        self.log.compact(mark);
        self.history.compacted(mark.id.index);
        let record = Record::Compact { through: mark.id, stamp: mark.stamp, membership };
        self.persist(LogChange::default(), alloc::vec![record]);
    }

    /// What comes after this is needed by members that receive a snapshot, or have just received one:
    /// else they would find it gone from the log, and need another snapshot, without end.
    fn needed_after(&self) -> Index {
        let peers = self.leadership().into_iter().flat_map(|leadership| leadership.peers.values());
        let is_there = |peer: &&Progress| self.now.since(peer.heard) <= self.config.election_max;
        let needed = peers.filter(is_there).filter_map(|peer| peer.keeps_after);
        needed.min().unwrap_or(Index(u64::MAX))
    }

    /// True if entries pile up in memory faster than they can be written or applied.
    pub(crate) const fn is_swamped(&self) -> bool {
        self.log.cached_bytes() > self.config.cache_bytes + self.config.waiting_bytes_max
    }
}

image!(struct Pipeline { handed, in_flight, bytes });

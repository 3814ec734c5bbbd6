//! The log as the node sees it: where it begins and ends, the term of every entry, and the entries
//! themselves as far as they are still in memory.

use alloc::{collections::VecDeque, vec::Vec};

use kernel::{Entry, EntryId, Index, Stamp, Term};

use crate::{cache::Cache, image::image};

/// The log. Invariants:
/// 1. the base is before the first entry; terms never go back along the log;
/// 2. the cache is the log's tail: it ends where the log ends;
/// 3. a run begins where the term changes.
#[derive(Clone, Debug)]
pub(crate) struct Entries {
    base: EntryId,
    base_stamp: Stamp,
    last: EntryId,
    runs: VecDeque<Run>,
    cache: Cache,
    cache_bytes: u64,
    /// The stamp of the entry before the cache.
    stamp_before_cache: Stamp,
    marks: VecDeque<Mark>,
    /// About how many bytes of entries lie between two marks.
    mark_bytes: u64,
    /// The bytes up to the last place that was marked.
    marked_bytes: u64,
    /// The bytes of all entries ever appended since the start.
    bytes: u64,
}

/// Entries of one term.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: Index,
    term: Term,
}

/// A place at which the log may be cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    /// The last entry before the cut.
    pub(crate) id: EntryId,
    /// Its stamp.
    pub(crate) stamp: Stamp,
    /// The bytes of entries up to it.
    bytes: u64,
}

impl Entries {
    /// A log that begins after `base` and holds `entries`. It can be cut about every `mark_bytes`.
    pub(crate) fn new(
        base: EntryId,
        base_stamp: Stamp,
        entries: Vec<Entry>,
        mark_bytes: u64,
    ) -> Self {
        let mut log = Self {
            base,
            base_stamp,
            last: base,
            runs: VecDeque::new(),
            cache: Cache::default(),
            cache_bytes: 0,
            stamp_before_cache: base_stamp,
            marks: VecDeque::new(),
            mark_bytes,
            marked_bytes: 0,
            bytes: 0,
        };
        for entry in entries {
            log.append(entry);
        }
        log
    }

    /// The entry before the first one.
    pub(crate) const fn base(&self) -> EntryId {
        self.base
    }

    /// The last entry, or the base.
    pub(crate) const fn last(&self) -> EntryId {
        self.last
    }

    /// The last entry's stamp.
    pub(crate) fn last_stamp(&self) -> Stamp {
        self.cache.back().map_or(self.stamp_before_cache, Entry::stamp)
    }

    /// The term of the entry at `index`; `None` if the log does not reach there, on either side.
    pub(crate) fn term_at(&self, index: Index) -> Option<Term> {
        if index == self.base.index {
            return Some(self.base.term);
        }
        if index < self.base.index || index > self.last.index {
            return None;
        }
        let after = self.runs.partition_point(|run| run.first <= index);
        Some(self.runs[after - 1].term)
    }

    /// True if the log holds this very entry, or begins right after it.
    pub(crate) fn contains(&self, id: EntryId) -> bool {
        self.term_at(id.index) == Some(id.term)
    }

    /// The last entry that is not after `index` and not of a later term than `term`: no later one of
    /// this log can be in a log that has `term` at `index` (§5.3, the fast way back).
    pub(crate) fn last_not_beyond(&self, index: Index, term: Term) -> EntryId {
        let mut end = index.min(self.last.index);
        for run in self.runs.iter().rev() {
            if run.first > end {
                continue;
            }
            if run.term <= term {
                return EntryId { term: run.term, index: end };
            }
            end = run.first.previous();
        }
        self.base
    }

    /// Appends the next entry.
    pub(crate) fn append(&mut self, entry: Entry) {
        assert_eq!(entry.index(), self.last.index.next(), "entries have no gap");
        assert!(entry.term() >= self.last.term, "terms never go back along the log");
        assert!(entry.stamp() >= self.last_stamp(), "cluster time never goes back along the log");
        if self.runs.back().is_none_or(|run| run.term != entry.term()) {
            self.runs.push_back(Run { first: entry.index(), term: entry.term() });
        }
        self.last = entry.id();
        self.bytes += entry.size();
        self.cache_bytes += entry.size();
        if self.bytes >= self.marked_bytes + self.mark_bytes {
            self.marked_bytes = self.bytes;
            self.marks.push_back(Mark { id: entry.id(), stamp: entry.stamp(), bytes: self.bytes });
        }
        self.cache.push_back(entry);
    }

    /// Drops all entries from `from` on.
    pub(crate) fn truncate(&mut self, from: Index) {
        assert!(from > self.base.index && from <= self.last.index, "only what is there can go");
        assert!(
            from >= self.first_cached(),
            "only what is still in memory can go: the rest is committed"
        );
        while let Some(entry) = self.cache.pop_back_if(|entry| entry.index() >= from) {
            self.cache_bytes -= entry.size();
            self.bytes -= entry.size();
        }
        while self.runs.pop_back_if(|run| run.first >= from).is_some() {}
        while self.marks.pop_back_if(|mark| mark.id.index >= from).is_some() {}
        self.marked_bytes = self.marked_bytes.min(self.bytes);
        let index = from.previous();
        let term = self.runs.back().map_or(self.base.term, |run| run.term);
        self.last = EntryId { term, index };
    }

    /// Forgets everything: a snapshot that ends with `base` takes its place.
    pub(crate) fn reset(&mut self, base: EntryId, base_stamp: Stamp) {
        *self = Self::new(base, base_stamp, Vec::new(), self.mark_bytes);
    }

    /// The first entry that is in memory; the one after the last if none is.
    pub(crate) fn first_cached(&self) -> Index {
        self.cache.front().map_or_else(|| self.last.index.next(), Entry::index)
    }

    /// How many bytes of entries are in memory.
    pub(crate) const fn cached_bytes(&self) -> u64 {
        self.cache_bytes
    }

    /// Entries in memory from `first` to `last`, of `bytes_max` bytes together, but one at least if
    /// there is one; `None` if `first` is no longer in memory.
    pub(crate) fn cached(&self, first: Index, last: Index, bytes_max: u64) -> Option<Vec<Entry>> {
        let mut bytes = 0;
        let wanted = self.in_memory(first, last)?.take_while(|entry| {
            let is_first = bytes == 0;
            bytes += entry.size();
            is_first || bytes <= bytes_max
        });
        Some(wanted.cloned().collect())
    }

    /// The entries from `first` to `last` as they stand in memory; `None` if `first` no longer does.
    pub(crate) fn in_memory(
        &self,
        first: Index,
        last: Index,
    ) -> Option<impl Iterator<Item = &Entry>> {
        if first < self.first_cached() {
            return None;
        }
        Some(self.cache.iter_from(first).take_while(move |entry| entry.index() <= last))
    }

    /// Forgets entries up to `through` while more than `bytes_max` bytes are in memory.
    pub(crate) fn evict(&mut self, through: Index, bytes_max: u64) {
        while self.cache_bytes > bytes_max && self.forget_first(through) {}
    }

    /// Forgets the first entry in memory if it is not after `through`; true if there was one.
    fn forget_first(&mut self, through: Index) -> bool {
        let Some(entry) = self.cache.front().filter(|entry| entry.index() <= through) else {
            return false;
        };
        self.cache_bytes -= entry.size();
        self.stamp_before_cache = entry.stamp();
        self.cache.drop_front();
        true
    }

    /// The last place, not after `through`, at which the log may be cut so that `retain_bytes` of
    /// entries stay.
    pub(crate) fn cut(&self, through: Index, retain_bytes: u64) -> Option<Mark> {
        let fits =
            |mark: &&Mark| mark.id.index <= through && self.bytes - mark.bytes >= retain_bytes;
        self.marks.iter().rev().find(fits).copied()
    }

    /// The log now begins after `mark`.
    pub(crate) fn compact(&mut self, mark: Mark) {
        assert!(mark.id.index > self.base.index, "the log is cut where it has entries");
        assert_eq!(
            self.term_at(mark.id.index),
            Some(mark.id.term),
            "the log is cut at its own entry"
        );
        while self.forget_first(mark.id.index) {}
        while self.marks.pop_front_if(|kept| kept.id.index <= mark.id.index).is_some() {}
        let covering = self.runs.partition_point(|run| run.first <= mark.id.index.next());
        self.runs.drain(..covering.saturating_sub(1));
        if let Some(run) = self.runs.front_mut() {
            run.first = run.first.max(mark.id.index.next());
        }
        if mark.id.index == self.last.index {
            self.runs.clear();
        }
        self.base = mark.id;
        self.base_stamp = mark.stamp;
    }

    /// Asserts the invariants.
    pub(crate) fn check(&self) {
        assert!(self.base <= self.last && self.base.index <= self.last.index, "the base is first");
        assert_eq!(
            self.first_cached().0 + self.cache.len(),
            self.last.index.0 + 1,
            "the cache is the tail"
        );
        assert!(self.first_cached() > self.base.index, "nothing before the base is in memory");
        assert_eq!(self.runs.is_empty(), self.base.index == self.last.index, "runs cover the log");
        if let Some(first) = self.runs.front() {
            assert_eq!(first.first, self.base.index.next(), "runs begin with the log");
        }
        let ordered = |(earlier, later): (&Run, &Run)| {
            earlier.first < later.first && earlier.term < later.term
        };
        assert!(self.runs.iter().zip(self.runs.iter().skip(1)).all(ordered), "runs ascend");
        assert!(self.base_stamp <= self.last_stamp(), "cluster time never goes back");
    }
}

image!(struct Entries {
    base, base_stamp, last, runs, cache, cache_bytes, stamp_before_cache, marks, mark_bytes,
    marked_bytes, bytes,
});

image!(struct Run { first, term });

image!(struct Mark { id, stamp, bytes });

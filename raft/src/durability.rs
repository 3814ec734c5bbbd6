//! What is on the disk, and what is on its way there (ordering rules O1 and O4).
//!
//! The durable end of the log is found by replaying the writes under way in their order: a truncation
//! lowers it, entries raise it. No term is compared: the numbers are unique, so the end of a write that
//! was overtaken by a truncation can never pass for the end of what replaced it (B25, B27).

use alloc::collections::VecDeque;

use kernel::{Index, Instant, PersistNumber};

use crate::image::image;

/// Follows the persist work of one replica.
#[derive(Clone, Debug)]
pub(crate) struct Durability {
    /// The log's end on disk after the last write that finished.
    end: Index,
    issued: PersistNumber,
    finished: PersistNumber,
    under_way: VecDeque<Write>,
}

/// What a write does to the log's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogChange {
    /// Entries from here on go, before anything is appended.
    pub(crate) truncate_from: Option<Index>,
    /// The log then ends here.
    pub(crate) ends_at: Option<Index>,
}

#[derive(Clone, Debug)]
struct Write {
    number: PersistNumber,
    change: LogChange,
    issued_at: Instant,
}

impl Durability {
    /// A replica that starts with a log ending at `end`.
    pub(crate) const fn new(end: Index) -> Self {
        Self {
            end,
            issued: PersistNumber::NONE,
            finished: PersistNumber::NONE,
            under_way: VecDeque::new(),
        }
    }

    /// Numbers a new write.
    pub(crate) fn issue(&mut self, change: LogChange, now: Instant) -> PersistNumber {
        self.issued = self.issued.next();
        self.under_way.push_back(Write { number: self.issued, change, issued_at: now });
        self.issued
    }

    /// Notes that all writes up to `through` are on stable storage.
    pub(crate) fn finish(&mut self, through: PersistNumber) {
        assert!(
            through <= self.issued,
            "what is durable was written: {through} of {}",
            self.issued
        );
        while let Some(write) = self.under_way.pop_front_if(|write| write.number <= through) {
            if let Some(from) = write.change.truncate_from {
                self.end = self.end.min(from.previous());
            }
            if let Some(end) = write.change.ends_at {
                self.end = end;
            }
            self.finished = write.number;
        }
    }

    /// The last number given.
    pub(crate) const fn issued(&self) -> PersistNumber {
        self.issued
    }

    /// The last number that is on stable storage.
    pub(crate) const fn finished(&self) -> PersistNumber {
        self.finished
    }

    /// The last entry of the log in memory that is also on disk.
    pub(crate) fn durable(&self) -> Index {
        let truncations = self.under_way.iter().filter_map(|write| write.change.truncate_from);
        truncations.map(Index::previous).fold(self.end, Index::min)
    }

    /// Since when the oldest write has been under way.
    pub(crate) fn waiting_since(&self) -> Option<Instant> {
        self.under_way.front().map(|write| write.issued_at)
    }
}

image!(struct Durability { end, issued, finished, under_way });

image!(struct Write { number, change, issued_at });

image!(struct LogChange { truncate_from, ends_at });

#[cfg(test)]
mod tests {
    use super::{Durability, LogChange};
    use kernel::{Index, Instant, PersistNumber};

    const NOW: Instant = Instant(0);

    fn append(end: u64) -> LogChange {
        LogChange { truncate_from: None, ends_at: Some(Index(end)) }
    }

    fn replace(from: u64, end: u64) -> LogChange {
        LogChange { truncate_from: Some(Index(from)), ends_at: Some(Index(end)) }
    }

    #[test]
    fn an_overtaken_write_does_not_count_for_what_replaced_it() {
        let mut durability = Durability::new(Index(4));
        durability.issue(append(6), NOW);
        durability.issue(replace(5, 5), NOW);
        durability.finish(PersistNumber(1));
        assert_eq!(
            durability.durable(),
            Index(4),
            "entries 5 and 6 on disk are not those in memory"
        );
        durability.finish(PersistNumber(2));
        assert_eq!(durability.durable(), Index(5));
    }

    #[test]
    fn writes_that_finish_together_are_replayed_in_order() {
        let mut durability = Durability::new(Index(0));
        durability.issue(append(9), NOW);
        durability.issue(replace(3, 3), NOW);
        durability.issue(append(7), NOW);
        durability.finish(PersistNumber(3));
        assert_eq!(durability.durable(), Index(7));
    }
}

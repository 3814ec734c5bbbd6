//! [`Keeper`]: feeds the log. What queued up while one batch was being flushed is the next batch: no
//! timers, no settings.
//!
//! The host's log thread and the simulator both run this loop:
//! ```text
//! persist(n, records)            as the node asks for it
//! batch() ─▶ operations          write and flush, in order
//! batch_done() ─▶ n              tell the node: durable through n
//! background() ─▶ operation      make a segment, remove a segment; background_done or _failed
//! ```
//! A write or flush of a batch that fails is never tried again: the node stops (O10).

use alloc::{collections::VecDeque, vec::Vec};
use core::mem;

use kernel::{Entry, GroupId, Index, PersistNumber, Record};
use log::{DiskOperation, Limits, Located, Log, record_bytes};

/// A part of some persist work that is written as one.
#[derive(Clone, Debug)]
struct Piece {
    /// The work that is complete with this piece.
    completes: Option<PersistNumber>,
    group: GroupId,
    record: Option<Record>,
    bytes_len: u64,
}

/// A batch that has been put together.
#[derive(Clone, Debug)]
struct Batch {
    records: Vec<(GroupId, Record)>,
    through: PersistNumber,
    bytes_len: u64,
}

/// Joins persist work into batches, one under way at a time, and keeps the log's files in stock.
#[derive(Clone, Debug)]
pub struct Keeper {
    log: Log,
    queue: VecDeque<Piece>,
    queued_bytes: u64,
    /// The last number that was given.
    given: PersistNumber,
    /// The last number that is durable.
    durable: PersistNumber,
    /// Put together, and waiting for a segment.
    waiting: Option<Batch>,
    /// Being written: through which number, and how many bytes.
    in_flight: Option<(PersistNumber, u64)>,
    /// Handed out and not yet reported on.
    background: Option<DiskOperation>,
}

impl Keeper {
    /// Keeps `log`, which is open: the operations that create or resume it have been carried out.
    #[must_use]
    pub const fn new(log: Log) -> Self {
        Self {
            log,
            queue: VecDeque::new(),
            queued_bytes: 0,
            given: PersistNumber::NONE,
            durable: PersistNumber::NONE,
            waiting: None,
            in_flight: None,
            background: None,
        }
    }

    /// Queues persist work. Entries that are too many for one batch are spread over several.
    ///
    /// # Panics
    /// If numbers are not given in order from 1, or a single entry is beyond
    /// [`Limits::entry_bytes_max`].
    pub fn persist(&mut self, number: PersistNumber, group: GroupId, records: Vec<Record>) {
        assert_eq!(number, self.given.next(), "persist work is numbered without gaps");
        self.given = number;
        for record in records {
            for record in split(record, &self.log.limits()) {
                let bytes_len = record_bytes(&record);
                self.push(Piece { completes: None, group, record: Some(record), bytes_len });
            }
        }
        match self.queue.back_mut() {
            Some(last) if last.completes.is_none() => last.completes = Some(number),
            // Nothing to write, yet to be reported in its turn.
            _ => self.push(Piece { completes: Some(number), group, record: None, bytes_len: 0 }),
        }
    }

    /// The next batch: what to do, in this order, and then [`Keeper::batch_done`]. Nothing if a batch
    /// is under way, if nothing is queued, or if a segment is waited for.
    pub fn batch(&mut self) -> Option<Vec<DiskOperation>> {
        if self.in_flight.is_some() {
            return None;
        }
        let batch = match self.waiting.take() {
            Some(batch) => batch,
            None => self.join()?,
        };
        let Batch { through, bytes_len, .. } = batch;
        if batch.records.is_empty() {
            self.in_flight = Some((through, 0));
            return Some(Vec::new());
        }
        let Ok(operations) = self.log.append(&batch.records) else {
            self.waiting = Some(batch);
            return None;
        };
        self.in_flight = Some((through, bytes_len));
        Some(operations)
    }

    /// The batch has been carried out: all work through the number that is given back is durable.
    ///
    /// # Panics
    /// If no batch is under way.
    pub fn batch_done(&mut self) -> PersistNumber {
        let (through, bytes_len) = self.in_flight.take().expect("a batch is under way");
        assert!(through >= self.durable, "what is durable stays durable");
        if bytes_len > 0 {
            self.log.appended();
        }
        self.queued_bytes -= bytes_len;
        self.durable = through;
        through
    }

    /// What to do when there is time, beside a batch or not: one thing at a time.
    pub fn background(&mut self) -> Option<DiskOperation> {
        if self.background.is_some() {
            return None;
        }
        self.background = self.log.segment_wanted().or_else(|| self.log.removable());
        self.background.clone()
    }

    /// The background operation has been carried out.
    ///
    /// # Panics
    /// If it was not handed out.
    pub fn background_done(&mut self, operation: &DiskOperation) {
        self.background_ended(operation);
        match operation {
            DiskOperation::Create { segment, .. } => self.log.segment_ready(*segment),
            DiskOperation::Remove { segment } => self.log.removed(*segment),
            DiskOperation::Write { .. } | DiskOperation::Flush { .. } => {
                panic!("only files come and go in the background")
            }
        }
    }

    /// The background operation has failed, for want of room: it will be handed out again.
    ///
    /// # Panics
    /// If it was not handed out.
    pub fn background_failed(&mut self, operation: &DiskOperation) {
        self.background_ended(operation);
    }

    /// Where to read entries back; to be read before anything else is done to the disk.
    #[must_use]
    pub fn fetch(&self, first: Index, last: Index, bytes_max: u64) -> Located {
        self.log.locate(first, last, bytes_max)
    }

    /// How many bytes wait to become durable, those being written included.
    #[must_use]
    pub const fn queued_bytes(&self) -> u64 {
        self.queued_bytes
    }

    /// True if a batch waits for a segment.
    #[must_use]
    pub const fn is_starved(&self) -> bool {
        self.waiting.is_some()
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    fn push(&mut self, piece: Piece) {
        self.queued_bytes += piece.bytes_len;
        self.queue.push_back(piece);
    }

    /// As much of the queue as a batch holds, but one piece at least.
    fn join(&mut self) -> Option<Batch> {
        // The count of the records stands before them.
        let room = self.log.limits().batch_bytes_max - 4;
        let mut batch = Batch { records: Vec::new(), through: self.durable, bytes_len: 0 };
        let first = self.queue.front()?;
        assert!(first.bytes_len <= room, "a record of {} bytes is over the limit", first.bytes_len);
        while let Some(piece) = self.queue.front() {
            if batch.bytes_len + piece.bytes_len > room {
                break;
            }
            batch.bytes_len += piece.bytes_len;
            batch.through = piece.completes.unwrap_or(batch.through);
            let piece = self.queue.pop_front()?;
            batch.records.extend(piece.record.map(|record| (piece.group, record)));
        }
        Some(batch)
    }

    fn background_ended(&mut self, operation: &DiskOperation) {
        let handed_out = self.background.take();
        assert_eq!(handed_out.as_ref(), Some(operation), "what ends was handed out");
    }
}

/// The record, in pieces that each fit in a batch.
fn split(record: Record, limits: &Limits) -> Vec<Record> {
    let Record::Entries(entries) = record else { return alloc::vec![record] };
    let mut pieces = Vec::new();
    let mut piece: Vec<Entry> = Vec::new();
    let mut bytes_len = 0;
    for entry in entries {
        let size = entry.size();
        assert!(size <= limits.entry_bytes_max(), "an entry of {size} bytes is over the limit");
        if bytes_len + size > limits.entry_bytes_max() {
            pieces.push(Record::Entries(mem::take(&mut piece)));
            bytes_len = 0;
        }
        bytes_len += size;
        piece.push(entry);
    }
    pieces.push(Record::Entries(piece));
    pieces
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use kernel::{
        ClusterId, DiskId, Entry, EntryHead, EntryId, EntryKind, GroupId, HardState, Index,
        Membership, NodeId, PersistNumber, Record, Stamp, Term,
    };
    use log::{DiskOperation, Identity, Limits, Located, Log};

    use super::Keeper;

    const GROUP: GroupId = GroupId(1);

    fn keeper() -> Keeper {
        let identity = Identity { cluster: ClusterId(1), node: NodeId(1), disk: DiskId(1) };
        let limits = Limits { segment_bytes: 32 << 10, batch_bytes_max: 8 << 10 };
        Keeper::new(Log::create(identity, limits, GROUP, Membership::default()).0)
    }

    fn entries(indexes: core::ops::RangeInclusive<u64>, bytes: usize) -> Record {
        let entry = |index| {
            let head = EntryHead {
                id: EntryId::new(Term(1), Index(index)),
                kind: EntryKind::Command,
                stamp: Stamp(0),
                wall_ms: 0,
                origin: None,
                session: None,
            };
            Entry::new(head, &vec![7; bytes])
        };
        Record::Entries(indexes.map(entry).collect())
    }

    fn hard(term: u64) -> Record {
        Record::Hard(HardState { term: Term(term), vote: None, commit: Index(0) })
    }

    fn flushes(operations: &[DiskOperation]) -> usize {
        operations.iter().filter(|one| matches!(one, DiskOperation::Flush { .. })).count()
    }

    #[test]
    fn what_queues_up_during_a_batch_is_the_next_batch() {
        let mut keeper = keeper();
        assert_eq!(keeper.batch(), None, "there is nothing to do");
        keeper.persist(PersistNumber(1), GROUP, vec![hard(1)]);
        assert_eq!(flushes(&keeper.batch().expect("there is work")), 1);
        keeper.persist(PersistNumber(2), GROUP, vec![entries(1..=2, 10)]);
        keeper.persist(PersistNumber(3), GROUP, vec![hard(2), entries(3..=3, 10)]);
        assert_eq!(keeper.batch(), None, "one batch is under way at a time");
        assert_eq!(keeper.batch_done(), PersistNumber(1));
        assert_eq!(flushes(&keeper.batch().expect("there is work")), 1);
        assert!(keeper.queued_bytes() > 0, "what is being written still counts");
        assert_eq!(keeper.batch_done(), PersistNumber(3));
        assert_eq!((keeper.batch(), keeper.queued_bytes()), (None, 0));
    }

    #[test]
    fn work_beyond_a_batch_is_durable_only_with_its_last_part() {
        let mut keeper = keeper();
        keeper.persist(PersistNumber(1), GROUP, vec![hard(1)]);
        keeper.persist(PersistNumber(2), GROUP, vec![entries(1..=20, 1000)]);
        let mut done = Vec::new();
        while keeper.batch().is_some() {
            done.push(keeper.batch_done());
        }
        assert_eq!(done, [1, 1, 2].map(PersistNumber));
        assert_eq!(keeper.log().last().index, Index(20));
    }

    #[test]
    fn work_without_records_is_reported_in_its_turn() {
        let mut keeper = keeper();
        keeper.persist(PersistNumber(1), GROUP, vec![]);
        assert_eq!(keeper.batch(), Some(vec![]));
        assert_eq!(keeper.batch_done(), PersistNumber(1));
        keeper.persist(PersistNumber(2), GROUP, vec![hard(1)]);
        keeper.persist(PersistNumber(3), GROUP, vec![]);
        assert_eq!(flushes(&keeper.batch().expect("there is work")), 1);
        assert_eq!(keeper.batch_done(), PersistNumber(3));
    }

    #[test]
    fn a_full_disk_shows_in_the_background_and_starves_only_what_does_not_fit() {
        let mut keeper = keeper();
        let create = keeper.background().expect("a segment is made ahead");
        assert_eq!(keeper.background(), None, "one thing at a time");
        keeper.background_failed(&create);
        for number in 1..=3 {
            let first = number * 7 - 6;
            keeper.persist(PersistNumber(number), GROUP, vec![entries(first..=first + 6, 1000)]);
            assert!(keeper.batch().is_some(), "there is room in the segment");
            assert_eq!(keeper.batch_done(), PersistNumber(number));
        }
        keeper.persist(PersistNumber(4), GROUP, vec![entries(22..=28, 1000)]);
        assert_eq!(keeper.batch(), None);
        assert!(keeper.is_starved());
        assert_eq!(keeper.background(), Some(create.clone()), "it is tried again");
        keeper.background_done(&create);
        assert_eq!(flushes(&keeper.batch().expect("there is room again")), 2);
        assert_eq!(keeper.batch_done(), PersistNumber(4));
        assert!(!keeper.is_starved());
    }

    #[test]
    fn segments_go_in_the_background_once_compacted() {
        let mut keeper = keeper();
        for number in 1..=8 {
            if let Some(create) = keeper.background() {
                keeper.background_done(&create);
            }
            let first = number * 7 - 6;
            keeper.persist(PersistNumber(number), GROUP, vec![entries(first..=first + 6, 1000)]);
            assert!(keeper.batch().is_some());
            let _ = keeper.batch_done();
        }
        let through = EntryId::new(Term(1), Index(56));
        let membership = Membership::default();
        let compact = Record::Compact { through, stamp: Stamp(0), membership };
        keeper.persist(PersistNumber(9), GROUP, vec![compact]);
        assert!(keeper.batch().is_some());
        assert_eq!(keeper.fetch(Index(1), Index(3), 100), Located::Compacted);
        let _ = keeper.batch_done();
        let mut removed = 0;
        while let Some(operation) = keeper.background() {
            removed += u64::from(matches!(operation, DiskOperation::Remove { .. }));
            keeper.background_done(&operation);
        }
        assert_eq!(removed, 2);
    }

    #[test]
    #[should_panic(expected = "persist work is numbered without gaps")]
    fn a_gap_in_the_numbers_is_refused() {
        keeper().persist(PersistNumber(2), GROUP, vec![hard(1)]);
    }
}

//! The thread of the log: joins whatever has queued up into one batch, writes it, flushes it once, and
//! says so. While it flushes, the next batch gathers: there are no timers.

use std::{collections::VecDeque, io, sync::Arc, time::Instant as SystemInstant};

use kernel::{
    Entry, Fault, FetchId, FetchOutcome, Index, Node, PersistNumber, Record, StorageFault,
};
use log::{DiskOperation, Located};
use replica::Keeper;

use crate::{GROUP, disk::Disk, inbox::Event, segment_thread::SegmentOutcome, shared::Shared};

/// What the log thread is asked to do.
#[derive(Debug)]
pub(crate) enum LogWork {
    /// Make these records durable.
    Persist { number: PersistNumber, records: Vec<Record> },
    /// Read entries back.
    Fetch { id: FetchId, first: Index, last: Index, bytes_max: u64 },
    /// The segment thread has carried out an operation, or not.
    Segment { operation: DiskOperation, outcome: SegmentOutcome },
    /// There is room on the disk again.
    Room,
}

/// What the log thread works with.
pub(crate) struct LogThread<N: Node> {
    pub(crate) shared: Arc<Shared<N>>,
    pub(crate) keeper: Keeper,
    pub(crate) disk: Disk,
    pub(crate) state: LogState,
}

/// What the thread remembers between two rounds.
#[derive(Debug, Default)]
pub(crate) struct LogState {
    fetches: VecDeque<(FetchId, Index, Index, u64)>,
    /// Sizes of what is not durable yet, for the gauge.
    waiting: VecDeque<(PersistNumber, u64)>,
    is_segment_thread_busy: bool,
    is_full: bool,
    is_poisoned: bool,
}

impl<N: Node> LogThread<N> {
    pub(crate) fn run(&mut self) {
        let mut work = Vec::new();
        self.ask_segment_thread();
        while self.shared.mail.log.take(&mut work) {
            self.accept(&mut work);
            while !self.state.is_poisoned && self.write_batch() {
                self.ask_segment_thread();
                self.serve_fetch();
                self.shared.mail.log.take_now(&mut work);
                self.accept(&mut work);
            }
            self.ask_segment_thread();
            while self.serve_fetch() {}
        }
        self.shared.mail.segments.close();
    }

    fn accept(&mut self, work: &mut Vec<LogWork>) {
        for item in work.drain(..) {
            match item {
                LogWork::Persist { number, records } => {
                    self.state.waiting.push_back((number, records_bytes(&records)));
                    self.shared.metrics.records_persisted.add(records.len() as u64);
                    self.keeper.persist(number, GROUP, records);
                }
                LogWork::Fetch { id, first, last, bytes_max } => {
                    self.state.fetches.push_back((id, first, last, bytes_max));
                }
                LogWork::Segment { operation, outcome } => self.settle(&operation, outcome),
                LogWork::Room => self.state.is_segment_thread_busy = false,
            }
        }
    }

    /// Writes and flushes one batch; false if there is none to write now.
    fn write_batch(&mut self) -> bool {
        let Some(operations) = self.keeper.batch() else {
            return false;
        };
        for operation in &operations {
            if let Err(error) = self.carry_out(operation) {
                self.poison(&error);
                return false;
            }
        }
        let through = self.keeper.batch_done();
        self.shared.metrics.log_batches.add(1);
        while let Some((number, bytes)) = self.state.waiting.front().copied()
            && number <= through
        {
            self.state.waiting.pop_front();
            self.shared.metrics.log_queue_bytes.sub(bytes);
        }
        self.shared.inbox.push(Event::Durable(through));
        true
    }

    fn carry_out(&mut self, operation: &DiskOperation) -> io::Result<()> {
        match operation {
            DiskOperation::Flush { .. } => {
                let start = SystemInstant::now();
                self.disk.carry_out(operation)?;
                self.shared.metrics.flushed_log(start.elapsed());
                Ok(())
            }
            DiskOperation::Write { bytes, .. } => {
                self.shared.metrics.log_bytes_written.add(bytes.len() as u64);
                self.disk.carry_out(operation)
            }
            DiskOperation::Create { .. } | DiskOperation::Remove { .. } => {
                self.disk.carry_out(operation)
            }
        }
    }

    /// A write or a flush failed: nothing more becomes durable here.
    fn poison(&mut self, error: &io::Error) {
        self.state.is_poisoned = true;
        self.shared.notify.say(&format!(
            "Writing the log failed: {error}. The node stops; check its disk before it is started again."
        ));
        self.shared.inbox.push(Event::Storage(StorageFault::Poisoned, error.to_string()));
    }

    fn ask_segment_thread(&mut self) {
        if self.state.is_segment_thread_busy || self.state.is_poisoned {
            return;
        }
        if let Some(operation) = self.keeper.background() {
            self.state.is_segment_thread_busy = true;
            self.shared.mail.segments.push(operation);
        }
    }

    fn settle(&mut self, operation: &DiskOperation, outcome: SegmentOutcome) {
        match outcome {
            SegmentOutcome::Done => {
                self.state.is_segment_thread_busy = false;
                if let DiskOperation::Create { segment, .. } | DiskOperation::Remove { segment } =
                    operation
                {
                    self.disk.forget(*segment);
                }
                self.keeper.background_done(operation);
                if self.state.is_full && matches!(operation, DiskOperation::Create { .. }) {
                    self.set_full(false);
                }
            }
            SegmentOutcome::NoRoom => {
                self.keeper.background_failed(operation);
                if !self.state.is_full {
                    self.set_full(true);
                }
            }
            SegmentOutcome::Failed(error) => self.poison(&error),
        }
    }

    fn set_full(&mut self, is_full: bool) {
        self.state.is_full = is_full;
        self.shared.metrics.disk_full.set(u64::from(is_full));
        let (fault, sentence) = if is_full {
            (
                StorageFault::Full,
                "The disk is full: this node takes no writes until there is room. Free some space; nothing is lost.",
            )
        } else {
            (StorageFault::Roomy, "There is room on the disk again: this node takes writes.")
        };
        self.shared.notify.say(sentence);
        self.shared.inbox.push(Event::Storage(fault, String::from(sentence)));
    }

    /// Serves the fetch that has waited longest; false if there is none.
    fn serve_fetch(&mut self) -> bool {
        let Some((id, first, last, bytes_max)) = self.state.fetches.pop_front() else {
            return false;
        };
        let outcome = match self.keeper.fetch(first, last, bytes_max) {
            Located::Compacted => FetchOutcome::Compacted,
            Located::NotYet => FetchOutcome::Failed,
            Located::Reads(fetch) => match self.read_back(&fetch) {
                Some(entries) => FetchOutcome::Entries(entries),
                None => FetchOutcome::Failed,
            },
        };
        self.shared.inbox.push(Event::Fetched { id, outcome });
        true
    }

    /// Reads entries back. Damage to what was acknowledged stops the node: at its next start the log
    /// says what is to be done.
    fn read_back(&mut self, fetch: &log::Fetch) -> Option<Vec<Entry>> {
        let mut parts = Vec::new();
        for range in fetch.reads() {
            match self.disk.read(range.segment, range.offset, range.bytes_len) {
                Ok(part) => parts.push(part),
                Err(error) => {
                    self.shared.notify.say(&format!(
                        "Reading the log failed: {error}. Check the disk of this node."
                    ));
                    return None;
                }
            }
        }
        match fetch.decode(&parts) {
            Ok(entries) => Some(entries),
            Err(unreadable) => {
                self.shared.inbox.push(Event::Fail(Fault::Corrupt(unreadable.to_string())));
                None
            }
        }
    }
}

/// What records weigh while they wait.
pub(crate) fn records_bytes(records: &[Record]) -> u64 {
    const OTHER_BYTES: u64 = 64;
    let weigh = |record: &Record| match record {
        Record::Entries(entries) => entries.iter().map(Entry::size).sum(),
        _ => OTHER_BYTES,
    };
    records.iter().map(weigh).sum()
}

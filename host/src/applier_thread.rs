//! The thread of the applier: applies what is committed, answers, and gives out moments to read.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use kernel::{Entry, Fault, Generation, Index, Node, NodeId, SnapshotMeta, StateMachine, Ticket};
use replica::{Applier, ApplierOutput};

use crate::{
    base::{FlushWork, Flushed, GenerationFile},
    inbox::Event,
    shared::Shared,
    snapshot_thread::SnapshotWork,
};

/// What the applier is asked to do, in this order.
#[derive(Debug)]
pub(crate) enum ApplierWork {
    /// Apply these entries.
    Apply(Vec<Entry>),
    /// The tables may become durable up to here.
    MayFlush(Index),
    /// Read once this index has been applied.
    Read { ticket: Ticket, index: Index },
    /// Read what there is.
    Stale { ticket: Ticket },
    /// Stream a snapshot of what there is.
    SendSnapshot { to: NodeId },
    /// Change to a received snapshot.
    Install { meta: SnapshotMeta, generation: Generation },
    /// The log says durably that the tables are those of this generation: older ones may go.
    GenerationDurable(Generation),
    /// A flush has ended; how stands in a mailbox of its own.
    FlushEnded,
}

/// How many times the size of a flush may gather while the one before it runs.
const BACKLOG: u64 = 4;

/// How long a clean stop waits for a flush, which may itself wait for room on the disk.
const STOP_WAIT: Duration = Duration::from_secs(10);

/// What the applier thread works with.
pub(crate) struct ApplierThread<N: Node, S> {
    pub(crate) shared: Arc<Shared<N>>,
    pub(crate) applier: Applier<S>,
    /// The generation that the tables are of.
    pub(crate) file: Arc<GenerationFile>,
    pub(crate) outputs: Vec<ApplierOutput>,
}

impl<N: Node, S: StateMachine> ApplierThread<N, S> {
    pub(crate) fn run(&mut self) {
        if let Err(fault) = self.work_on() {
            self.shared.inbox.push(Event::Fail(fault));
            // Whoever waits for the tables is told by the consensus thread; nothing more is done here.
            self.shared.mail.applier.close();
        }
        self.shared.mail.flushes.close();
        self.shared.mail.snapshots.close();
    }

    fn work_on(&mut self) -> Result<(), Fault> {
        let mut work = Vec::new();
        while self.shared.mail.applier.take(&mut work) {
            for item in work.drain(..) {
                if self.shared.has_failed.load(Ordering::Acquire) {
                    return Ok(());
                }
                self.carry_out(item)?;
            }
            self.begin_flush(false);
            self.deliver();
        }
        if self.shared.has_failed.load(Ordering::Acquire) { Ok(()) } else { self.finish() }
    }

    fn carry_out(&mut self, work: ApplierWork) -> Result<(), Fault> {
        match work {
            ApplierWork::Apply(entries) => self.apply(&entries),
            ApplierWork::MayFlush(through) => {
                self.applier.may_flush(through);
                Ok(())
            }
            ApplierWork::Read { ticket, index } => {
                self.applier.read(ticket, index, &mut self.outputs)
            }
            ApplierWork::Stale { ticket } => {
                let reading = self.applier.reading()?;
                self.shared.tickets.reading(ticket, reading);
                Ok(())
            }
            ApplierWork::SendSnapshot { to } => {
                let reading = self.applier.reading()?;
                self.shared.mail.snapshots.push(SnapshotWork::Send { to, reading });
                Ok(())
            }
            ApplierWork::Install { meta, generation } => self.install(&meta, generation),
            ApplierWork::GenerationDurable(generation) => {
                self.shared.generations.retire_before(generation);
                Ok(())
            }
            ApplierWork::FlushEnded => {
                let mut flushed = Vec::new();
                self.shared.mail.flushed.take_now(&mut flushed);
                self.settle(flushed)
            }
        }
    }

    fn apply(&mut self, entries: &[Entry]) -> Result<(), Fault> {
        let bytes = entries.iter().map(Entry::size).sum();
        let result = self.applier.apply(entries, &mut self.outputs);
        self.shared.metrics.apply_queue_bytes.sub(bytes);
        self.shared.metrics.entries_applied.add(entries.len() as u64);
        // Answers go out with the entries that gave them, not with the whole queue.
        self.deliver();
        result?;
        self.begin_flush(false);
        self.wait_for_base()
    }

    fn install(&mut self, meta: &SnapshotMeta, generation: Generation) -> Result<(), Fault> {
        let file = self.shared.generations.get(generation);
        self.applier.install(file.moment()?, meta, &mut self.outputs)?;
        self.file = file;
        self.deliver();
        self.shared.inbox.push(Event::SnapshotInstalled { index: meta.last.index });
        Ok(())
    }

    fn settle(&mut self, flushed: Vec<Flushed>) -> Result<(), Fault> {
        for Flushed { file, base } in flushed {
            let base = base?;
            // A flush into a generation that a snapshot has replaced meanwhile means nothing any more.
            if Arc::ptr_eq(&file, &self.file) {
                self.applier.flushed(base, &mut self.outputs);
            }
        }
        Ok(())
    }

    fn begin_flush(&mut self, force: bool) {
        if let Some(flush) = self.applier.flush(force) {
            self.shared.mail.flushes.push(FlushWork { file: Arc::clone(&self.file), flush });
        }
    }

    /// Waits when writes gather faster than the base takes them: memory stays bounded, the queue of
    /// the applier grows, and new requests are refused.
    fn wait_for_base(&mut self) -> Result<(), Fault> {
        while self.applier.is_flushing()
            && self.applier.active_bytes() > BACKLOG * self.shared.limits.flush_bytes
            && !self.shared.mail.applier.closes_within(Duration::ZERO)
        {
            let mut flushed = Vec::new();
            self.shared.mail.flushed.take_within(&mut flushed, Duration::from_secs(1));
            self.settle(flushed)?;
        }
        Ok(())
    }

    /// Hands out what applying gave.
    fn deliver(&mut self) {
        for output in self.outputs.drain(..) {
            match output {
                ApplierOutput::Answer { ticket, answer } => {
                    self.shared.tickets.answer(ticket, answer);
                }
                ApplierOutput::Forgotten { ticket } => self.shared.tickets.forgotten(ticket),
                ApplierOutput::Reading { ticket, reading } => {
                    self.shared.tickets.reading(ticket, reading);
                }
                ApplierOutput::Applied { index, durable, next_deadline } => {
                    self.shared.metrics.applied_index.set(index.0);
                    self.shared.metrics.durable_index.set(durable.0);
                    self.shared.board.has_applied(index);
                    self.shared.inbox.push(Event::Applied { index, durable, next_deadline });
                }
            }
        }
    }

    /// A clean stop: all that may become durable does.
    fn finish(&mut self) -> Result<(), Fault> {
        loop {
            self.begin_flush(true);
            let has_room = self.shared.metrics.tables_lack_room.get() == 0;
            if !self.applier.is_flushing() || !has_room {
                return Ok(());
            }
            let mut flushed = Vec::new();
            self.shared.mail.flushed.take_within(&mut flushed, STOP_WAIT);
            if flushed.is_empty() {
                // The disk is very slow; the log has it all.
                return Ok(());
            }
            self.settle(flushed)?;
        }
    }
}

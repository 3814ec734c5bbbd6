//! Applies committed entries to the tables, answers those who wait for them, and lets others read.
//!
//! ```text
//!   Effect::Apply ─▶ apply ─▶ Answer, Forgotten     to tickets of this life of this replica
//!                          ─▶ Reading               to reads that waited for this index
//!                          ─▶ Applied               to the node
//!   Effect::MayFlush ─▶ may_flush
//!                       flush ─▶ to the base ─▶ flushed ─▶ Applied
//!   Effect::InstallSnapshot ─▶ install ─▶ Reading, Applied
//! ```
//! The tables never become durable further than the log is: writes are frozen when there are enough of
//! them, but handed out only when the log has caught up.
//!
//! After a [`Fault`] the applier has stopped. What the faulty entry wrote may be half done, so nothing
//! is answered, read or flushed any more; the durable tables and the log are as they should be.

#[cfg(test)]
mod tests;

use alloc::{collections::BTreeMap, format, sync::Arc, vec::Vec};

use bytes::Bytes;
use kernel::{
    BaseReading, Entry, EntryId, EntryKind, Fault, Index, Membership, Origin, Outcome, Peer,
    Reading, SnapshotMeta, Stamp, StateMachine, Tables, TablesMeta, Ticket, Wire, tables::Flush,
};

use crate::sessions::{Recall, Sessions};

/// How many bytes of writes gather in memory before they are flushed, unless
/// [`Applier::set_flush_bytes`] says otherwise.
pub const FLUSH_BYTES: u64 = 16 << 20;

/// How many times as many bytes of entries as of writes call for a flush.
const LOG_TO_TABLES: u64 = 4;

/// What comes of applying.
#[derive(Clone, Debug)]
pub enum ApplierOutput {
    /// The request of this replica has been carried out.
    Answer {
        /// The request.
        ticket: Ticket,
        /// The system's answer, or for a change of the membership the id of its entry.
        answer: Bytes,
    },
    /// The request repeats a command of its session that took effect, or may have, so long ago that its
    /// answer is gone. It has not been carried out again.
    Forgotten {
        /// The request.
        ticket: Ticket,
    },
    /// The request may read this.
    Reading {
        /// The request.
        ticket: Ticket,
        /// The tables as of the index that it waited for, or later.
        reading: Reading,
    },
    /// For the node: [`Input::Applied`](kernel::Input::Applied).
    Applied {
        /// The last entry applied.
        index: Index,
        /// The last entry whose effect is durable.
        durable: Index,
        /// When, in cluster time, the state machine next has something to expire.
        next_deadline: Option<Stamp>,
    },
}

/// Applies entries, in order, each once.
#[derive(Debug)]
pub struct Applier<S> {
    me: Peer,
    machine: S,
    tables: Tables,
    sessions: Sessions,
    outcome: Outcome,
    /// Reads that wait, by the index that they wait for.
    waiting: BTreeMap<Index, Vec<Ticket>>,
    /// The present moment, once somebody has asked for it.
    reading: Option<Reading>,
    next_deadline: Option<Stamp>,
    durable: Index,
    may_flush: Index,
    flush_bytes: u64,
    /// How many bytes of entries were applied since the last freeze.
    entry_bytes: u64,
    /// Frozen, but further than the log is durable.
    held: Option<Flush>,
    /// The last entry of the flush under way.
    flushing: Option<Index>,
    stopped: Option<Fault>,
}

impl<S: StateMachine> Applier<S> {
    /// An applier for this life of this replica, over tables whose base holds all that they say.
    ///
    /// # Errors
    /// A [`Fault`] if the machine cannot be rebuilt from the tables.
    pub fn new(me: Peer, machine: S, tables: Tables) -> Result<Self, Fault> {
        assert!(tables.active_bytes() == 0 && !tables.is_flushing(), "the tables are durable");
        let durable = tables.meta().applied.index;
        let mut applier = Self {
            me,
            machine,
            tables,
            sessions: Sessions::default(),
            outcome: Outcome::default(),
            waiting: BTreeMap::new(),
            reading: None,
            next_deadline: None,
            durable,
            may_flush: durable,
            flush_bytes: FLUSH_BYTES,
            entry_bytes: 0,
            held: None,
            flushing: None,
            stopped: None,
        };
        applier.restore()?;
        Ok(applier)
    }

    /// Sets how many bytes of writes gather in memory before they are flushed.
    pub const fn set_flush_bytes(&mut self, bytes: u64) {
        self.flush_bytes = bytes;
    }

    /// Applies committed entries, right after those applied before.
    ///
    /// # Errors
    /// A [`Fault`] if an entry is damaged or out of order or the machine cannot go on. The applier has
    /// then stopped; `outputs` may hold answers to the entries before that one, which are true.
    pub fn apply(
        &mut self,
        entries: &[Entry],
        outputs: &mut Vec<ApplierOutput>,
    ) -> Result<(), Fault> {
        self.guard(|applier| {
            applier.reading = None;
            for entry in entries {
                applier.apply_one(entry, outputs)?;
            }
            applier.settle(outputs)
        })
    }

    /// Gives `ticket` a [`Reading`] as soon as `index` has been applied, which may be now. How many may
    /// wait is for the caller to bound; a caller that gives one up just ignores its output.
    ///
    /// # Errors
    /// The [`Fault`] with which the applier stopped.
    pub fn read(
        &mut self,
        ticket: Ticket,
        index: Index,
        outputs: &mut Vec<ApplierOutput>,
    ) -> Result<(), Fault> {
        if index <= self.applied().index {
            let reading = self.reading()?;
            outputs.push(ApplierOutput::Reading { ticket, reading });
        } else {
            self.waiting.entry(index).or_default().push(ticket);
        }
        Ok(())
    }

    /// The present moment of the tables, which may be behind what is committed.
    ///
    /// # Errors
    /// The [`Fault`] with which the applier stopped.
    pub fn reading(&mut self) -> Result<Reading, Fault> {
        match &self.stopped {
            Some(fault) => Err(fault.clone()),
            None => Ok(self.moment().clone()),
        }
    }

    /// How many reads wait for their index.
    #[must_use]
    pub fn reads_waiting(&self) -> usize {
        self.waiting.values().map(Vec::len).sum()
    }

    /// Notes that the log is durable up to `through`, so that the tables may become so too.
    pub fn may_flush(&mut self, through: Index) {
        self.may_flush = self.may_flush.max(through);
    }

    /// What is to be carried into the base now, in one transaction: nothing unless enough writes have
    /// gathered (or `force` is set and there is anything new), none is under way, and the log is durable
    /// that far. Report with [`Applier::flushed`].
    pub fn flush(&mut self, force: bool) -> Option<Flush> {
        if self.stopped.is_some() || self.flushing.is_some() {
            return None;
        }
        // Entries that write little hold the log back as well: it is kept until they are durable.
        let enough = force
            || self.tables.active_bytes() >= self.flush_bytes
            || self.entry_bytes / LOG_TO_TABLES >= self.flush_bytes;
        if self.held.is_none() && enough && self.applied().index > self.durable {
            self.held = Some(self.tables.freeze());
            self.entry_bytes = 0;
            self.reading = None;
        }
        let flush = self.held.take_if(|held| held.meta.applied.index <= self.may_flush)?;
        self.flushing = Some(flush.meta.applied.index);
        Some(flush)
    }

    /// Notes that the flush under way is on stable storage; `base` is the base since then.
    ///
    /// # Panics
    /// If none was under way.
    pub fn flushed(&mut self, base: Arc<dyn BaseReading>, outputs: &mut Vec<ApplierOutput>) {
        let through = self.flushing.take().expect("a flush was under way");
        assert!(through > self.durable, "what is durable only grows");
        self.durable = through;
        self.tables.flushed(base);
        self.reading = None;
        outputs.push(self.progress());
    }

    /// Makes the tables those of a snapshot, which `base` holds durably. A flush that was under way went
    /// to the generation before: let it end and do not report it. Whoever waits for an answer to an
    /// entry that the snapshot covers gets none here.
    ///
    /// # Errors
    /// A [`Fault`] if the snapshot is behind what was applied, or the machine cannot be rebuilt.
    pub fn install(
        &mut self,
        base: Arc<dyn BaseReading>,
        meta: &SnapshotMeta,
        outputs: &mut Vec<ApplierOutput>,
    ) -> Result<(), Fault> {
        self.guard(|applier| {
            let applied = applier.applied();
            if meta.last.index <= applied.index || meta.stamp < applier.tables.meta().stamp {
                let text = format!("a snapshot of {} after {applied} was applied", meta.last);
                return Err(Fault::StateMachine(text));
            }
            let meta = TablesMeta {
                applied: meta.last,
                stamp: meta.stamp,
                membership: Arc::new(meta.membership.clone()),
                digest: meta.digest,
            };
            applier.durable = meta.applied.index;
            applier.may_flush = applier.may_flush.max(applier.durable);
            applier.tables = Tables::new(base, meta);
            applier.entry_bytes = 0;
            applier.held = None;
            applier.flushing = None;
            applier.restore()?;
            applier.settle(outputs)
        })
    }

    /// The last entry applied.
    #[must_use]
    pub fn applied(&self) -> EntryId {
        self.tables.meta().applied
    }

    /// The last entry whose effect on the tables is durable.
    #[must_use]
    pub const fn durable(&self) -> Index {
        self.durable
    }

    /// The digest of the tables: equal on all replicas that have applied the same entries.
    #[must_use]
    pub fn digest(&self) -> u128 {
        self.tables.meta().digest
    }

    /// How many bytes of writes have gathered in memory besides those of a flush under way. Beyond a
    /// few times [`FLUSH_BYTES`] the base does not keep up: take no new requests.
    #[must_use]
    pub const fn active_bytes(&self) -> u64 {
        self.tables.active_bytes()
    }

    /// True while a flush that [`Applier::flush`] gave out has not been reported.
    #[must_use]
    pub const fn is_flushing(&self) -> bool {
        self.flushing.is_some()
    }

    /// The state machine.
    #[must_use]
    pub const fn machine(&self) -> &S {
        &self.machine
    }

    /// Asserts the machine's invariants; costly, for tests and the simulator.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn check(&mut self) -> Result<(), Fault> {
        assert!(self.durable <= self.applied().index, "what is durable was applied");
        let reading = self.reading()?;
        self.machine.check(&reading)
    }

    /// Puts `machine`, fresh, in the place of the present one and rebuilds every field from the tables:
    /// nothing may change by it.
    ///
    /// # Errors
    /// A [`Fault`] if the machine cannot be rebuilt.
    pub fn drop_fields(&mut self, machine: S) -> Result<(), Fault> {
        self.guard(|applier| {
            applier.machine = machine;
            applier.restore()
        })
    }

    /// Does one thing unless the applier has stopped, and stops it if that goes wrong.
    fn guard(&mut self, act: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        if let Some(fault) = &self.stopped {
            return Err(fault.clone());
        }
        let result = act(self);
        if let Err(fault) = &result {
            self.stopped = Some(fault.clone());
        }
        result
    }

    /// Rebuilds what is not in the tables.
    fn restore(&mut self) -> Result<(), Fault> {
        self.reading = None;
        let reading = self.moment().clone();
        self.machine.restored(&reading)?;
        self.sessions = Sessions::restored(&reading)?;
        self.next_deadline = self.machine.deadline(&reading)?;
        Ok(())
    }

    fn apply_one(&mut self, entry: &Entry, outputs: &mut Vec<ApplierOutput>) -> Result<(), Fault> {
        self.admit(entry)?;
        assert!(self.reading.is_none(), "no moment is kept while the tables change");
        match (entry.kind(), entry.session()) {
            (EntryKind::Configuration, _) => self.configure(entry, outputs)?,
            (EntryKind::Command, Some(_)) => self.apply_in_session(entry, outputs)?,
            _ => {
                self.machine.apply(entry, &mut self.tables, &mut self.outcome)?;
                self.answer(outputs);
            }
        }
        self.sessions.expire(entry.stamp(), &mut self.tables)?;
        self.tables.advance(entry.id(), entry.stamp());
        self.entry_bytes += entry.size();
        Ok(())
    }

    /// Lets in only what is intact and comes next.
    fn admit(&self, entry: &Entry) -> Result<(), Fault> {
        let meta = self.tables.meta();
        if !entry.is_intact() {
            let text = format!("entry {} does not match its checksum", entry.id());
            return Err(Fault::Corrupt(text));
        }
        let follows = entry.index() == meta.applied.index.next()
            && entry.term() >= meta.applied.term
            && entry.stamp() >= meta.stamp;
        if !follows {
            let text = format!(
                "entry {} of {} cannot follow {} of {}",
                entry.id(),
                entry.stamp(),
                meta.applied,
                meta.stamp
            );
            return Err(Fault::StateMachine(text));
        }
        Ok(())
    }

    fn configure(&mut self, entry: &Entry, outputs: &mut Vec<ApplierOutput>) -> Result<(), Fault> {
        let Ok(membership) = Membership::from_bytes(entry.data().clone()) else {
            let text = format!("entry {} is no configuration that this build knows", entry.id());
            return Err(Fault::StateMachine(text));
        };
        self.tables.set_membership(membership);
        if let Some(ticket) = self.own_ticket(entry) {
            outputs.push(ApplierOutput::Answer { ticket, answer: entry.id().to_bytes() });
        }
        Ok(())
    }

    /// Applies a command unless it is a repeat.
    fn apply_in_session(
        &mut self,
        entry: &Entry,
        outputs: &mut Vec<ApplierOutput>,
    ) -> Result<(), Fault> {
        let Some(session) = entry.session() else {
            return Ok(());
        };
        let ticket = self.own_ticket(entry);
        match Sessions::recall(session, &self.tables)? {
            Recall::New(client) => {
                self.machine.apply(entry, &mut self.tables, &mut self.outcome)?;
                let own = entry.origin();
                let answers = self.outcome.take();
                let answer = answers.iter().find(|(origin, _)| Some(*origin) == own);
                let answer = answer.map(|(_, answer)| answer);
                let now = entry.stamp();
                self.sessions.record(session, client, (answer, now), &mut self.tables)?;
                self.deliver(answers, outputs);
            }
            Recall::Answer(answer) => {
                outputs.extend(ticket.map(|ticket| ApplierOutput::Answer { ticket, answer }));
            }
            Recall::Forgotten => {
                outputs.extend(ticket.map(|ticket| ApplierOutput::Forgotten { ticket }));
            }
        }
        Ok(())
    }

    /// The ticket that waits for `entry` here, in this life.
    fn own_ticket(&self, entry: &Entry) -> Option<Ticket> {
        entry.origin().filter(|origin| origin.peer == self.me).map(|origin| origin.ticket)
    }

    fn answer(&mut self, outputs: &mut Vec<ApplierOutput>) {
        let answers = self.outcome.take();
        self.deliver(answers, outputs);
    }

    fn deliver(&self, answers: Vec<(Origin, Bytes)>, outputs: &mut Vec<ApplierOutput>) {
        let mine = answers.into_iter().filter(|(origin, _)| origin.peer == self.me);
        outputs.extend(
            mine.map(|(origin, answer)| ApplierOutput::Answer { ticket: origin.ticket, answer }),
        );
    }

    /// After the tables moved on: serves the reads that waited for it and tells the node.
    fn settle(&mut self, outputs: &mut Vec<ApplierOutput>) -> Result<(), Fault> {
        let reading = self.moment().clone();
        self.next_deadline = self.machine.deadline(&reading)?;
        let applied = self.applied().index;
        while let Some(first) = self.waiting.first_entry() {
            if *first.key() > applied {
                break;
            }
            let tickets = first.remove();
            outputs.extend(
                tickets
                    .into_iter()
                    .map(|ticket| ApplierOutput::Reading { ticket, reading: reading.clone() }),
            );
        }
        outputs.push(self.progress());
        Ok(())
    }

    fn progress(&self) -> ApplierOutput {
        ApplierOutput::Applied {
            index: self.applied().index,
            durable: self.durable,
            next_deadline: self.next_deadline,
        }
    }

    fn moment(&mut self) -> &Reading {
        self.reading.get_or_insert_with(|| self.tables.reading())
    }
}

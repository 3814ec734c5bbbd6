//! What the simulator asks of the disk on which the tables of a computer lie.
//!
//! The simulator brings a map ([`MapDisk`](crate::MapDisk)); a [`Composition`](crate::Composition) may
//! put in an engine over simulated files. Generations become durable in whole transactions on either.

use alloc::{sync::Arc, vec::Vec};
use core::fmt::Debug;

use bytes::Bytes;
use kernel::{BaseReading, Fault, Generation, Rng, TablesMeta, tables::Flush};

/// The disk of the tables of one computer.
///
/// # Errors
/// Each of its operations may give a [`Fault`]. If [`TablesDisk::take_failure`] then says that the
/// disk has failed on purpose, the node stops; else the fault is a finding.
pub trait TablesDisk: Debug {
    /// A new computer's: puts empty tables that say `meta` of themselves onto the disk, durably.
    fn create(&mut self, generation: Generation, meta: &TablesMeta);

    /// Opens a generation after a start and gives what it says of itself; the others go. Nothing if
    /// it is not there.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be read.
    fn open(&mut self, generation: Generation) -> Result<Option<TablesMeta>, Fault>;

    /// The present moment of an open generation; nothing if it is not there.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be read.
    fn reading(&self, generation: Generation) -> Result<Option<Arc<dyn BaseReading>>, Fault>;

    /// Carries a flush out in one transaction, durable when it returns. A generation that is not
    /// there any more was replaced by a snapshot: then nothing happens.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be written; a later start finds it carried out whole, or not at all.
    fn flush(&mut self, generation: Generation, flush: &Flush) -> Result<(), Fault>;

    /// Begins a generation for a snapshot; those begun before and not finished go.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be written.
    fn begin(&mut self, generation: Generation) -> Result<(), Fault>;

    /// Puts pairs into the generation that was begun.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be written.
    fn store(&mut self, generation: Generation, pairs: Vec<(Bytes, Bytes)>) -> Result<(), Fault>;

    /// Makes the generation that was begun durable, with what it then says of itself.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be written.
    fn finish(&mut self, generation: Generation, meta: &TablesMeta) -> Result<(), Fault>;

    /// What was begun and not finished is given up.
    fn drop_unfinished(&mut self);

    /// The generations before this one are of no use any more.
    fn drop_before(&mut self, generation: Generation);

    /// The process ends, perhaps in the middle of some work: of what is not durable the disk keeps
    /// what it likes, but each transaction whole or not at all.
    fn crash(&mut self, interrupted: &Interrupted<'_>, rng: &mut Rng);

    /// True for an engine over simulated files.
    fn is_real(&self) -> bool {
        false
    }

    /// Lets one of the next operations of the disk fail; false if it cannot.
    fn fail_soon(&mut self, _rng: &mut Rng) -> bool {
        false
    }

    /// Nothing fails any more.
    fn heal(&mut self) {}

    /// True if a fault that was just given is one that [`TablesDisk::fail_soon`] asked for.
    fn take_failure(&mut self) -> bool {
        false
    }
}

/// The work that a crash interrupts.
#[derive(Debug, Default)]
pub struct Interrupted<'a> {
    /// A generation is being opened.
    pub open: Option<Generation>,
    /// A flush is being carried out.
    pub flush: Option<(Generation, &'a Flush)>,
    /// A received generation is being made durable.
    pub finish: Option<(Generation, TablesMeta)>,
}

impl Interrupted<'_> {
    /// True if the crash comes while something becomes durable.
    #[must_use]
    pub const fn is_writing(&self) -> bool {
        self.flush.is_some() || self.finish.is_some()
    }
}

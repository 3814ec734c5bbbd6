//! The durable base of the tables of one computer, held to what it promised.

use alloc::{boxed::Box, collections::BTreeMap, format, sync::Arc, vec, vec::Vec};

use bytes::Bytes;
use kernel::{
    BaseReading, EntryId, Fault, Generation, Membership, Rng, SnapshotMeta, Stamp, Tables,
    TablesMeta,
    tables::{Flush, pair_hash},
};

use crate::tables_disk::{Interrupted, TablesDisk};

/// After all keys: no table has this number.
const END: &[u8] = &[255];

/// All generations of the tables of one computer.
///
/// A transaction is there whole or not at all: what a generation says of itself at a start is what
/// the last transaction wrote, or one that a crash or a failure cut short; and its digest is that of
/// the pairs that are really there.
#[derive(Debug)]
pub(crate) struct BaseDisk {
    disk: Box<dyn TablesDisk>,
    /// What each generation may say of itself at the next start.
    possible: BTreeMap<Generation, Vec<TablesMeta>>,
}

impl BaseDisk {
    /// A new computer's: generation 0, empty.
    pub(crate) fn new(mut disk: Box<dyn TablesDisk>, membership: Membership) -> Self {
        let first = Generation(0);
        let meta = TablesMeta {
            applied: EntryId::default(),
            stamp: Stamp::default(),
            membership: Arc::new(membership),
            digest: 0,
        };
        disk.create(first, &meta);
        Self { disk, possible: BTreeMap::from([(first, vec![meta])]) }
    }

    /// The tables of a generation, after a start; the others go.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn open(&mut self, generation: Generation) -> Result<Tables, Fault> {
        let gone = || Fault::Corrupt(format!("{generation:?} of the tables is gone"));
        let meta = self.disk.open(generation)?.ok_or_else(gone)?;
        let possible = self.possible.get(&generation);
        if !possible.is_some_and(|metas| metas.contains(&meta)) {
            let what =
                format!("{generation:?} says {meta:?}, which was never written: {possible:?}");
            return Err(Fault::Corrupt(what));
        }
        let base = self.disk.reading(generation)?.ok_or_else(gone)?;
        let pairs = base.scan(&[], END, usize::MAX)?;
        let sum =
            |sum: u128, (key, value): &(Bytes, Bytes)| sum.wrapping_add(pair_hash(key, value));
        let digest = pairs.iter().fold(0, sum);
        if digest != meta.digest {
            let what = format!("{generation:?} says {meta:?}, and its pairs add up to {digest}");
            return Err(Fault::Corrupt(what));
        }
        self.possible = BTreeMap::from([(generation, vec![meta.clone()])]);
        Ok(Tables::new(base, meta))
    }

    /// The present moment of a generation; nothing if it is not there.
    ///
    /// # Errors
    /// As for all that follow: what the disk says.
    pub(crate) fn reading(
        &self,
        generation: Generation,
    ) -> Result<Option<Arc<dyn BaseReading>>, Fault> {
        self.disk.reading(generation)
    }

    /// Carries a flush out, whole.
    pub(crate) fn flush(&mut self, generation: Generation, flush: &Flush) -> Result<(), Fault> {
        self.allow(generation, &flush.meta);
        self.disk.flush(generation, flush)?;
        self.settle(generation);
        Ok(())
    }

    /// Begins a generation; those begun before and not finished go.
    pub(crate) fn begin(&mut self, generation: Generation) -> Result<(), Fault> {
        self.possible.remove(&generation);
        self.disk.begin(generation)
    }

    /// Puts pairs into a generation that was begun.
    pub(crate) fn store(
        &mut self,
        generation: Generation,
        pairs: Vec<(Bytes, Bytes)>,
    ) -> Result<(), Fault> {
        self.disk.store(generation, pairs)
    }

    /// A generation is whole and durable.
    pub(crate) fn finish(
        &mut self,
        generation: Generation,
        meta: &SnapshotMeta,
    ) -> Result<(), Fault> {
        let meta = tables_meta(meta);
        self.disk.finish(generation, &meta)?;
        self.possible.insert(generation, vec![meta]);
        Ok(())
    }

    /// The generations before this one are of no use any more.
    pub(crate) fn drop_before(&mut self, generation: Generation) {
        self.disk.drop_before(generation);
    }

    /// What was begun and not finished is given up.
    pub(crate) fn drop_unfinished(&mut self) {
        self.disk.drop_unfinished();
    }

    /// The process ends in the middle of some work.
    pub(crate) fn crash(&mut self, interrupted: &Interrupted<'_>, rng: &mut Rng) {
        if let Some((generation, flush)) = interrupted.flush {
            self.allow(generation, &flush.meta);
        }
        self.disk.crash(interrupted, rng);
    }

    /// True for an engine over simulated files.
    pub(crate) fn is_real(&self) -> bool {
        self.disk.is_real()
    }

    /// Lets one of the next operations fail; false if the disk cannot.
    pub(crate) fn fail_soon(&mut self, rng: &mut Rng) -> bool {
        self.disk.fail_soon(rng)
    }

    /// Nothing fails any more.
    pub(crate) fn heal(&mut self) {
        self.disk.heal();
    }

    /// True if the fault that was just given was asked for.
    pub(crate) fn take_failure(&mut self) -> bool {
        self.disk.take_failure()
    }

    /// A transaction has begun.
    fn allow(&mut self, generation: Generation, meta: &TablesMeta) {
        if let Some(metas) = self.possible.get_mut(&generation) {
            metas.push(meta.clone());
        }
    }

    /// The transaction that has begun last is durable.
    fn settle(&mut self, generation: Generation) {
        if let Some(metas) = self.possible.get_mut(&generation) {
            metas.drain(..metas.len() - 1);
        }
    }
}

/// What tables that are a snapshot say of themselves.
pub(crate) fn tables_meta(meta: &SnapshotMeta) -> TablesMeta {
    TablesMeta {
        applied: meta.last,
        stamp: meta.stamp,
        membership: Arc::new(meta.membership.clone()),
        digest: meta.digest,
    }
}

//! The durable base of the tables: generations of ordered maps, written in whole transactions.

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};

use bytes::Bytes;
use kernel::{
    BaseReading, EntryId, Fault, Generation, Membership, SnapshotMeta, Stamp, Tables, TablesMeta,
    tables::Flush,
};

/// All generations of the tables of one computer.
#[derive(Debug)]
pub(crate) struct BaseDisk {
    generations: BTreeMap<Generation, Stored>,
}

#[derive(Clone, Debug, Default)]
struct Stored {
    pairs: Arc<Pairs>,
    /// Nothing until the generation is whole and durable.
    meta: Option<TablesMeta>,
}

/// One moment of a generation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pairs(BTreeMap<Bytes, Bytes>);

impl BaseReading for Pairs {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        let range = (core::ops::Bound::Included(from), core::ops::Bound::Excluded(to));
        let pairs = self.0.range::<[u8], _>(range).take(limit);
        Ok(pairs.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

impl BaseDisk {
    /// A new computer's: generation 0, empty.
    pub(crate) fn new(membership: Membership) -> Self {
        let meta = TablesMeta {
            applied: EntryId::default(),
            stamp: Stamp::default(),
            membership,
            digest: 0,
        };
        let first = Stored { meta: Some(meta), ..Stored::default() };
        Self { generations: BTreeMap::from([(Generation(0), first)]) }
    }

    /// The tables of a generation, after a start; the others go.
    pub(crate) fn open(&mut self, generation: Generation) -> Option<Tables> {
        self.generations.retain(|number, _| *number == generation);
        let stored = self.generations.get(&generation)?;
        let pairs: Arc<dyn BaseReading> = Arc::<Pairs>::clone(&stored.pairs);
        Some(Tables::new(pairs, stored.meta.clone()?))
    }

    /// The present moment of a generation.
    pub(crate) fn reading(&self, generation: Generation) -> Option<Arc<dyn BaseReading>> {
        let stored = self.generations.get(&generation)?;
        let pairs: Arc<dyn BaseReading> = Arc::<Pairs>::clone(&stored.pairs);
        Some(pairs)
    }

    /// Carries a flush out, whole.
    pub(crate) fn flush(&mut self, generation: Generation, flush: &Flush) {
        // A flush into a generation that a snapshot has replaced has nowhere to go.
        let Some(stored) = self.generations.get_mut(&generation) else {
            return;
        };
        let pairs = Arc::make_mut(&mut stored.pairs);
        for (key, value) in flush.changes.iter() {
            match value {
                Some(value) => pairs.0.insert(key.clone(), value.clone()),
                None => pairs.0.remove(key),
            };
        }
        stored.meta = Some(flush.meta.clone());
    }

    /// Begins a generation; those begun before and not finished go.
    pub(crate) fn begin(&mut self, generation: Generation) {
        self.drop_unfinished();
        self.generations.insert(generation, Stored::default());
    }

    /// Puts pairs into a generation that was begun.
    pub(crate) fn store(&mut self, generation: Generation, pairs: Vec<(Bytes, Bytes)>) {
        let stored = self.generations.get_mut(&generation).expect("the generation was begun");
        Arc::make_mut(&mut stored.pairs).0.extend(pairs);
    }

    /// A generation is whole and durable.
    pub(crate) fn finish(&mut self, generation: Generation, meta: &SnapshotMeta) {
        if let Some(stored) = self.generations.get_mut(&generation) {
            stored.meta = Some(TablesMeta {
                applied: meta.last,
                stamp: meta.stamp,
                membership: meta.membership.clone(),
                digest: meta.digest,
            });
        }
    }

    /// The generations before this one are of no use any more.
    pub(crate) fn drop_before(&mut self, generation: Generation) {
        self.generations.retain(|number, _| *number >= generation);
    }

    /// What was not finished is gone after a crash.
    pub(crate) fn drop_unfinished(&mut self) {
        self.generations.retain(|_, stored| stored.meta.is_some());
    }
}

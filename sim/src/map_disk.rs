//! Tables that lie in a map: generations of ordered maps, written in whole transactions.

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};

use bytes::Bytes;
use kernel::{BaseReading, Fault, Generation, Rng, TablesMeta, tables::Flush};

use crate::{
    pairs::Pairs,
    tables_disk::{Interrupted, TablesDisk},
};

/// All generations of the tables of one computer, as maps.
#[derive(Debug, Default)]
pub struct MapDisk {
    generations: BTreeMap<Generation, Stored>,
}

#[derive(Clone, Debug, Default)]
struct Stored {
    pairs: Pairs,
    /// Nothing until the generation is whole and durable.
    meta: Option<TablesMeta>,
}

impl TablesDisk for MapDisk {
    fn create(&mut self, generation: Generation, meta: &TablesMeta) {
        let stored = Stored { meta: Some(meta.clone()), ..Stored::default() };
        self.generations.insert(generation, stored);
    }

    fn open(&mut self, generation: Generation) -> Result<Option<TablesMeta>, Fault> {
        self.generations.retain(|number, _| *number == generation);
        Ok(self.generations.get(&generation).and_then(|stored| stored.meta.clone()))
    }

    fn reading(&self, generation: Generation) -> Result<Option<Arc<dyn BaseReading>>, Fault> {
        Ok(self.generations.get(&generation).map(|stored| {
            let pairs: Arc<dyn BaseReading> = Arc::new(stored.pairs.clone());
            pairs
        }))
    }

    fn flush(&mut self, generation: Generation, flush: &Flush) -> Result<(), Fault> {
        let Some(stored) = self.generations.get_mut(&generation) else {
            return Ok(());
        };
        for (key, value) in flush.changes.iter() {
            match value {
                Some(value) => stored.pairs.insert(key.clone(), value.clone()),
                None => stored.pairs.remove(key),
            }
        }
        stored.meta = Some(flush.meta.clone());
        Ok(())
    }

    fn begin(&mut self, generation: Generation) -> Result<(), Fault> {
        self.drop_unfinished();
        self.generations.insert(generation, Stored::default());
        Ok(())
    }

    fn store(&mut self, generation: Generation, pairs: Vec<(Bytes, Bytes)>) -> Result<(), Fault> {
        let stored = self.generations.get_mut(&generation).expect("the generation was begun");
        for (key, value) in pairs {
            stored.pairs.insert(key, value);
        }
        Ok(())
    }

    fn finish(&mut self, generation: Generation, meta: &TablesMeta) -> Result<(), Fault> {
        if let Some(stored) = self.generations.get_mut(&generation) {
            stored.meta = Some(meta.clone());
        }
        Ok(())
    }

    fn drop_unfinished(&mut self) {
        self.generations.retain(|_, stored| stored.meta.is_some());
    }

    fn drop_before(&mut self, generation: Generation) {
        self.generations.retain(|number, _| *number >= generation);
    }

    fn crash(&mut self, interrupted: &Interrupted<'_>, rng: &mut Rng) {
        if let Some((generation, flush)) = interrupted.flush
            && rng.chance(1, 2)
        {
            self.flush(generation, flush).expect("a map does not fail");
        }
        if let Some((generation, meta)) = &interrupted.finish
            && rng.chance(1, 2)
        {
            self.finish(*generation, meta).expect("a map does not fail");
        }
        self.drop_unfinished();
    }
}

//! The real base under the simulator: the engine that a host uses, over simulated files.
//!
//! A crash may come anywhere: between two writes of a transaction, before or in its flushes, while the
//! file is being opened after another crash. What was not flushed by then, the simulated file keeps,
//! drops or tears as it likes.

mod simulated_file;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base::{Base, Filling};
use kernel::{BaseReading, Bytes, Fault, Generation, Rng, TablesMeta, tables::Flush};
use sim::{Interrupted, TablesDisk};

use simulated_file::{Device, Failure, Operation, SimulatedFile, lock};

/// How many changes a transaction takes before one has been counted.
const CHANGES_GUESSED: u64 = 12;

/// The generations of the tables of one computer, each a database in a simulated file.
#[derive(Debug)]
pub struct RealBase {
    cache_bytes: usize,
    device: Arc<Mutex<Device>>,
    /// All that a crash leaves.
    files: BTreeMap<Generation, SimulatedFile>,
    /// What this life of the process has open.
    open: BTreeMap<Generation, Arc<Base<SimulatedFile>>>,
    /// The generation that was begun and is not finished.
    filling: Option<(Generation, Filling<SimulatedFile>)>,
    /// How many changes of the file the last transaction took.
    changes: u64,
}

impl RealBase {
    /// An empty disk; the engine keeps `cache_bytes` of pages in memory.
    #[must_use]
    pub fn new(cache_bytes: usize) -> Self {
        Self {
            cache_bytes,
            device: Arc::default(),
            files: BTreeMap::new(),
            open: BTreeMap::new(),
            filling: None,
            changes: CHANGES_GUESSED,
        }
    }

    fn make(&mut self, generation: Generation, meta: &TablesMeta) -> Result<(), Fault> {
        let file = SimulatedFile::new(&self.device);
        let base = Base::create(file.clone(), self.cache_bytes, meta)?;
        self.files.insert(generation, file);
        self.open.insert(generation, base);
        Ok(())
    }

    fn remove(&mut self, generation: Generation) {
        self.open.remove(&generation);
        self.files.remove(&generation);
    }

    /// Some place in a transaction, its end more often than its beginning: there it is decided.
    fn draw_end(&self, rng: &mut Rng) -> u64 {
        let least = if rng.chance(1, 2) { 0 } else { self.changes.saturating_sub(5) };
        rng.between(least, self.changes + 1)
    }

    fn interrupt(&mut self, interrupted: &Interrupted<'_>, rng: &mut Rng) {
        if let Some(generation) = interrupted.open
            && let Some(file) = self.files.get(&generation)
        {
            file.end_after(rng.below(8));
            if let Ok(base) = Base::open(file.clone(), self.cache_bytes) {
                self.open.insert(generation, base);
            }
        }
        if let Some((generation, flush)) = interrupted.flush
            && let Some(base) = self.open.get(&generation)
        {
            base.place().end_after(self.draw_end(rng));
            // How it ends does not matter: nobody lives to hear of it.
            let _ = base.commit(flush);
        }
        if let Some((generation, meta)) = &interrupted.finish
            && let Some((filled, filling)) = self.filling.take()
        {
            assert_eq!(filled, *generation, "what was begun last is finished");
            // How much is left to write depends on the cache.
            let most = 1 << rng.between(1, 8);
            self.files[generation].end_after(rng.between(0, most));
            let _ = filling.commit(meta);
        }
    }
}

impl TablesDisk for RealBase {
    fn create(&mut self, generation: Generation, meta: &TablesMeta) {
        self.make(generation, meta).expect("nothing fails before the world begins");
        // Closed, as everything is before the first start.
        self.open.clear();
    }

    fn open(&mut self, generation: Generation) -> Result<Option<TablesMeta>, Fault> {
        assert!(self.open.is_empty(), "a life of the process opens its tables once");
        self.files.retain(|number, _| *number == generation);
        let Some(file) = self.files.get(&generation) else {
            return Ok(None);
        };
        let base = Base::open(file.clone(), self.cache_bytes)?;
        let meta = base.meta()?;
        self.open.insert(generation, base);
        Ok(Some(meta))
    }

    fn reading(&self, generation: Generation) -> Result<Option<Arc<dyn BaseReading>>, Fault> {
        self.open.get(&generation).map(Base::moment).transpose()
    }

    fn flush(&mut self, generation: Generation, flush: &Flush) -> Result<(), Fault> {
        let Some(base) = self.open.get(&generation) else {
            return Ok(());
        };
        let before = base.place().changes();
        base.commit(flush)?;
        self.changes = base.place().changes() - before;
        Ok(())
    }

    fn begin(&mut self, generation: Generation) -> Result<(), Fault> {
        self.drop_unfinished();
        self.remove(generation);
        self.make(generation, &TablesMeta::default())?;
        self.filling = Some((generation, self.open[&generation].fill()?));
        Ok(())
    }

    fn store(&mut self, generation: Generation, pairs: Vec<(Bytes, Bytes)>) -> Result<(), Fault> {
        let (begun, filling) = self.filling.as_ref().expect("a generation was begun");
        assert_eq!(*begun, generation, "pairs go into what was begun last");
        filling.store(&pairs)
    }

    fn finish(&mut self, generation: Generation, meta: &TablesMeta) -> Result<(), Fault> {
        let (begun, filling) = self.filling.take().expect("a generation was begun");
        assert_eq!(begun, generation, "what was begun last is finished");
        let stored = filling.commit(meta);
        if stored.is_err() {
            self.remove(generation);
        }
        stored
    }

    fn drop_unfinished(&mut self) {
        if let Some((generation, filling)) = self.filling.take() {
            drop(filling);
            self.remove(generation);
        }
    }

    fn drop_before(&mut self, generation: Generation) {
        // Who still reads them keeps them.
        self.open.retain(|number, _| *number >= generation);
        self.files.retain(|number, _| *number >= generation);
    }

    fn crash(&mut self, interrupted: &Interrupted<'_>, rng: &mut Rng) {
        let failure = lock(&self.device).take_failure_to_come();
        self.interrupt(interrupted, rng);
        lock(&self.device).end_life();
        self.filling = None;
        self.open.clear();
        for file in self.files.values() {
            file.crash(rng);
        }
        lock(&self.device).fail(failure);
    }

    fn is_real(&self) -> bool {
        true
    }

    fn fail_soon(&mut self, rng: &mut Rng) -> bool {
        let failures = [(Operation::Read, 4), (Operation::Write, 20), (Operation::Flush, 3)];
        let (kind, most) = *rng.pick(&failures).expect("some failures");
        lock(&self.device).fail(Some(Failure { kind, after: rng.between(0, most) }));
        true
    }

    fn heal(&mut self) {
        lock(&self.device).fail(None);
    }

    fn take_failure(&mut self) -> bool {
        lock(&self.device).take_failure()
    }
}

//! The log's thread: batches, new files, entries read back.

use alloc::vec::Vec;

use kernel::{FetchId, FetchOutcome, Index, Input, NodeId, Peer, StorageFault};
use log::{DiskOperation, Located, Unreadable};

use crate::{
    chances::wait_ns,
    composition::Composition,
    computer::Computer,
    event::{Event, Wake},
    finding::Finding,
    mishap::DISK_FAILURE,
    world::World,
};

const MILLISECOND: u64 = 1_000_000;

impl<C: Composition> World<C> {
    /// Starts the next batch and the next work on files, if there is any and none is under way.
    pub(crate) fn start_batch(&mut self, node: NodeId) {
        let life = self.living(node);
        let peer = life.me;
        if life.is_poisoned {
            return;
        }
        if life.batch.is_none()
            && let Some(operations) = life.keeper.batch()
        {
            life.batch = Some(operations);
            let wait = self.disk_wait_ns(node);
            self.queue.plan(self.now_ns + wait, Event::Wake { peer, wake: Wake::Batch });
            if core::mem::take(&mut self.computer(node).is_doomed) {
                let at_ns = self.now_ns + self.chances.mishaps.below(wait);
                self.queue.plan(at_ns, Event::Wake { peer, wake: Wake::Doom });
            }
        }
        let life = self.living(node);
        if life.background.is_none()
            && !life.awaits_room
            && let Some(operation) = life.keeper.background()
        {
            life.background = Some(operation);
            let wait = self.disk_wait_ns(node);
            self.queue.plan(self.now_ns + wait, Event::Wake { peer, wake: Wake::Background });
        }
    }

    pub(crate) fn disk_wait_ns(&mut self, node: NodeId) -> u64 {
        let disk = &self.settings.disk;
        let mean_ns = if self.is_healed { MILLISECOND } else { disk.batch_mean_ns };
        let wait = wait_ns(&mut self.chances.disk, disk.batch_minimum_ns, mean_ns);
        let stalled_until_ns = self.computer(node).stalled_until_ns;
        stalled_until_ns.saturating_sub(self.now_ns) + wait
    }

    pub(crate) fn batch_done(&mut self, node: NodeId) -> Result<(), Finding> {
        self.counters.batches += 1;
        let computer = self.computer(node);
        if core::mem::take(&mut computer.fails_next) {
            return self.batch_failed(node);
        }
        let operations = computer.life_and_base().0.batch.take().expect("a batch was under way");
        for operation in &operations {
            computer.log_disk.perform(operation);
        }
        let life = self.living(node);
        let (me, through) = (life.me, life.keeper.batch_done());
        for (to, envelope) in life.gate.open(through) {
            self.post(me, to, envelope);
        }
        self.oracle.durable(node, through)?;
        self.start_batch(node);
        self.give(node, Input::Durable { through })
    }

    /// A write or a flush fails: part of it may be on the disk. The node is told and must stop.
    fn batch_failed(&mut self, node: NodeId) -> Result<(), Finding> {
        self.counters.disk_failures += 1;
        self.fault_over(DISK_FAILURE, node);
        self.living(node).is_poisoned = true;
        self.give(node, Input::Storage(StorageFault::Poisoned))?;
        if self.life(node).is_some() {
            return Err(Finding::Safety(alloc::format!("{node} goes on after a failed write")));
        }
        Ok(())
    }

    pub(crate) fn background_done(&mut self, node: NodeId) -> Result<(), Finding> {
        let life = self.living(node);
        life.awaits_room = false;
        let Some(operation) = life.background.take() else {
            self.start_batch(node);
            return Ok(());
        };
        let computer = self.computer(node);
        let is_create = matches!(operation, DiskOperation::Create { .. });
        if is_create && computer.is_full {
            return self.no_room(node, &operation);
        }
        computer.log_disk.perform(&operation);
        let life = self.living(node);
        life.keeper.background_done(&operation);
        let was_full = is_create && core::mem::take(&mut life.is_told_full);
        self.start_batch(node);
        if was_full {
            return self.give(node, Input::Storage(StorageFault::Roomy));
        }
        Ok(())
    }

    fn no_room(&mut self, node: NodeId, operation: &DiskOperation) -> Result<(), Finding> {
        let life = self.living(node);
        life.keeper.background_failed(operation);
        life.awaits_room = true;
        let was_told = core::mem::replace(&mut life.is_told_full, true);
        let peer = life.me;
        let again_ns = self.now_ns + 100 * MILLISECOND;
        self.queue.plan(again_ns, Event::Wake { peer, wake: Wake::Background });
        if was_told {
            return Ok(());
        }
        self.give(node, Input::Storage(StorageFault::Full))
    }

    /// Begins to read entries back.
    pub(crate) fn fetch(&mut self, me: Peer, id: FetchId, range: (Index, Index, u64)) {
        self.counters.fetches += 1;
        self.living(me.node).fetches.insert(id, range);
        let wait = self.disk_wait_ns(me.node) / 2;
        self.queue.plan(self.now_ns + wait, Event::Wake { peer: me, wake: Wake::Fetch(id) });
    }

    pub(crate) fn fetch_done(&mut self, node: NodeId, id: FetchId) -> Result<(), Finding> {
        let one_in = self.settings.disk.failed_read_one_in;
        let fails = !self.is_healed && self.chances.disk.chance(1, one_in);
        let computer = self.computer(node);
        let outcome = if fails { Ok(FetchOutcome::Failed) } else { computer.fetch(id) };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            // The node stops; at its next start its log says what is to be done.
            Err(_) if computer.is_rotten => {
                self.crash(node);
                self.plan_start(node);
                return Ok(());
            }
            Err(unreadable) => {
                return Err(Finding::Safety(alloc::format!("{node} reads back: {unreadable}")));
            }
        };
        self.living(node).fetches.remove(&id);
        self.give(node, Input::Fetched { id, outcome })
    }
}

impl<C: Composition> Computer<C> {
    /// Locates, reads and decodes what the fetch wants.
    fn fetch(&self, id: FetchId) -> Result<FetchOutcome, Unreadable> {
        let life = self.life().expect("a fetch dies with its life");
        let (first, last, bytes_max) = life.fetches[&id];
        let fetch = match life.keeper.fetch(first, last, bytes_max) {
            Located::Reads(fetch) => fetch,
            Located::Compacted => return Ok(FetchOutcome::Compacted),
            Located::NotYet => return Ok(FetchOutcome::Failed),
        };
        let parts: Option<Vec<_>> = fetch
            .reads()
            .map(|read| self.log_disk.read(read.segment, read.offset, read.bytes_len))
            .collect();
        match parts {
            Some(parts) => fetch.decode(&parts).map(FetchOutcome::Entries),
            None => Ok(FetchOutcome::Failed),
        }
    }
}

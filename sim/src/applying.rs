//! The applier's thread: what the node wants applied, read, flushed and installed.

use alloc::{format, vec::Vec};

use kernel::{Input, NodeId, StateMachine};
use replica::ApplierOutput;

use crate::{
    chances::wait_ns,
    composition::Composition,
    crowd::End,
    event::{Event, Wake},
    finding::Finding,
    happening::Happening,
    life::{Waiting, Work},
    world::World,
};

impl<C: Composition> World<C> {
    /// Hands work to the applier, which comes to it now or later.
    pub(crate) fn work(&mut self, node: NodeId, work: Work) -> Result<(), Finding> {
        let lag_ns_max = self.settings.applier_lag_ns_max;
        let life = self.living(node);
        life.work.push_back(work);
        if lag_ns_max == 0 {
            return self.applier_turn(node);
        }
        if !life.is_applier_planned {
            life.is_applier_planned = true;
            let peer = life.me;
            let at_ns = self.now_ns + self.chances.threads.between(0, lag_ns_max);
            self.queue.plan(at_ns, Event::Wake { peer, wake: Wake::Applier });
        }
        Ok(())
    }

    /// The applier does all that waits for it.
    pub(crate) fn applier_turn(&mut self, node: NodeId) -> Result<(), Finding> {
        self.living(node).is_applier_planned = false;
        while let Some(work) = self.life_mut(node).and_then(|life| life.work.pop_front()) {
            self.do_work(node, work)?;
        }
        if self.life(node).is_some() {
            self.start_flush(node);
        }
        self.turn(node)
    }

    fn do_work(&mut self, node: NodeId, work: Work) -> Result<(), Finding> {
        let mut outputs = Vec::new();
        match work {
            Work::Apply(entries) => {
                for some in entries.chunks(self.settings.apply_at_once_max) {
                    let life = self.living(node);
                    let done = life.applier.apply(some, &mut outputs);
                    if done.is_err() && life.has_flipped {
                        // Found out: the replica stops, and its disk has what it should have applied.
                        self.crash(node);
                        self.plan_start(node);
                        return Ok(());
                    }
                    self.expect_no_fault(node, done)?;
                    self.compare_digest(node)?;
                }
            }
            Work::Read(ticket, index) => {
                let done = self.living(node).applier.read(ticket, index, &mut outputs);
                self.expect_no_fault(node, done)?;
            }
            Work::MayFlush(through) => self.living(node).applier.may_flush(through),
            Work::Install(meta, generation) => {
                self.install(node, &meta, generation, &mut outputs)?;
            }
            Work::Rebuild => {
                let machine = self.composition.machine();
                let done = self.living(node).applier.drop_fields(machine);
                self.expect_no_fault(node, done)?;
                let done = self.living(node).applier.check();
                self.expect_no_fault(node, done)?;
                self.counters.rebuilds += 1;
            }
        }
        outputs.into_iter().try_for_each(|output| self.applier_output(node, output))
    }

    fn applier_output(&mut self, node: NodeId, output: ApplierOutput) -> Result<(), Finding> {
        let me = self.living(node).me;
        match output {
            ApplierOutput::Answer { ticket, answer } => {
                self.oracle.applier_ended(me, ticket)?;
                self.ended(node, ticket, End::Answered(answer))
            }
            ApplierOutput::Forgotten { ticket } => {
                self.oracle.applier_ended(me, ticket)?;
                self.ended(node, ticket, End::Unknown)
            }
            ApplierOutput::Reading { ticket, reading } => {
                let query = match self.living(node).waiting.get(&ticket) {
                    Some(Waiting::Client { query: Some(query), .. }) => query.clone(),
                    _ => return Ok(()),
                };
                let answer = C::Machine::query(&reading, query);
                let answer = self.expect_no_fault(node, answer)?;
                self.ended(node, ticket, End::Answered(answer))
            }
            ApplierOutput::Applied { index, durable, next_deadline } => {
                let input = Input::Applied { index, durable, next_deadline };
                self.living(node).inputs.push_back(input);
                Ok(())
            }
        }
    }

    fn compare_digest(&mut self, node: NodeId) -> Result<(), Finding> {
        let applier = &self.living(node).applier;
        let (index, digest) = (applier.applied().index, applier.digest());
        self.hash.mix_wide(digest);
        self.tell(|_| Happening::Applied { node, through: index });
        self.oracle.applied(node, index, digest)
    }

    fn install(
        &mut self,
        node: NodeId,
        meta: &kernel::SnapshotMeta,
        generation: kernel::Generation,
        outputs: &mut Vec<ApplierOutput>,
    ) -> Result<(), Finding> {
        let computer = self.computer(node);
        let Some(base) = computer.base_disk.reading(generation) else {
            return Err(Finding::Safety(format!(
                "{node} installs {generation}, which is not there"
            )));
        };
        computer.base_disk.drop_before(generation);
        let life = self.living(node);
        life.generation = generation;
        let done = life.applier.install(base, meta, outputs);
        self.expect_no_fault(node, done)?;
        self.compare_digest(node)?;
        self.counters.snapshots += 1;
        // The node hears first how far the tables are, then that the snapshot is in force.
        let index = meta.last.index;
        let outputs_now = core::mem::take(outputs);
        outputs_now.into_iter().try_for_each(|output| self.applier_output(node, output))?;
        self.living(node).inputs.push_back(Input::SnapshotInstalled { index });
        Ok(())
    }

    /// Starts a flush of the tables if there is enough to flush.
    pub(crate) fn start_flush(&mut self, node: NodeId) {
        self.flush(node, false);
    }

    /// Starts a flush of the tables if there is anything to flush.
    pub(crate) fn flush_now(&mut self, node: NodeId) {
        self.counters.compactions_forced += 1;
        self.flush(node, true);
    }

    fn flush(&mut self, node: NodeId, is_forced: bool) {
        let life = self.living(node);
        if life.flush.is_some() {
            return;
        }
        let Some(flush) = life.applier.flush(is_forced) else {
            return;
        };
        life.flush = Some((life.generation, flush));
        let peer = life.me;
        let wait = wait_ns(&mut self.chances.disk, 10_000, self.settings.disk.flush_mean_ns);
        self.queue.plan(self.now_ns + wait, Event::Wake { peer, wake: Wake::Flush });
    }

    pub(crate) fn flush_done(&mut self, node: NodeId) -> Result<(), Finding> {
        let (life, base_disk) = self.computer(node).life_and_base();
        let (generation, flush) = life.flush.take().expect("a flush was under way");
        base_disk.flush(generation, &flush);
        let mut outputs = Vec::new();
        if generation == life.generation {
            let base = base_disk.reading(generation).expect("the generation in force exists");
            life.applier.flushed(base, &mut outputs);
        }
        self.counters.flushes += 1;
        outputs.into_iter().try_for_each(|output| self.applier_output(node, output))?;
        self.start_flush(node);
        self.turn(node)
    }

    fn expect_no_fault<T>(
        &self,
        node: NodeId,
        result: Result<T, kernel::Fault>,
    ) -> Result<T, Finding> {
        result.map_err(|fault| Finding::Safety(format!("the applier of {node} stopped: {fault}")))
    }
}

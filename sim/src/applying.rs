//! The applier's thread: what the node wants applied, read, flushed and installed.

use alloc::{format, vec::Vec};

use kernel::{Input, NodeId, Peer, StateMachine};
use replica::ApplierOutput;

use crate::{
    chances::wait_ns,
    composition::Composition,
    crowd::End,
    event::{Event, Wake},
    finding::Finding,
    happening::Happening,
    life::{Life, Waiting, Work},
    mishap::DISK_FAILURE,
    watch::Ends,
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
        while let Some(work) = self.life_mut(node).and_then(Life::next_work) {
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
                    let done = self.living(node).applier.apply(some, &mut outputs);
                    if self.survives(node, done)?.is_none() {
                        break;
                    }
                    self.compare_digest(node)?;
                }
            }
            Work::Read(ticket, index) => {
                let done = self.living(node).applier.read(ticket, index, &mut outputs);
                self.survives(node, done)?;
            }
            Work::MayFlush(through) => self.living(node).applier.may_flush(through),
            Work::Install(meta, generation) => {
                self.install(node, &meta, generation, &mut outputs)?;
            }
            Work::Rebuild => {
                let machine = self.composition.machine();
                let applier = &mut self.living(node).applier;
                let done = applier.drop_fields(machine).and_then(|()| applier.check());
                if self.survives(node, done)?.is_some() {
                    self.counters.rebuilds += 1;
                }
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
                match self.survives(node, answer)? {
                    Some(answer) => self.ended(node, ticket, End::Answered(answer)),
                    None => Ok(()),
                }
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
        let base = self.computer(node).base_disk.reading(generation);
        let Some(base) = self.survives(node, base)? else {
            return Ok(());
        };
        let Some(base) = base else {
            return Err(Finding::Safety(format!(
                "{node} installs {generation}, which is not there"
            )));
        };
        let (life, base_disk) = self.computer(node).life_and_base();
        base_disk.drop_before(generation);
        life.generation = generation;
        let done = life.applier.install(base, meta, outputs);
        if self.survives(node, done)?.is_none() {
            return Ok(());
        }
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
        if life.flush.is_some() || life.has_failed_tables {
            return;
        }
        let Some(flush) = life.applier.flush(is_forced) else {
            return;
        };
        life.flush = Some((life.generation, flush));
        let peer = life.me;
        let wait = wait_ns(&mut self.chances.disk, 10_000, self.settings.disk.flush_mean_ns);
        self.queue.plan(self.now_ns + wait, Event::Wake { peer, wake: Wake::Flush });
        self.doom_flush(peer, wait);
    }

    /// A computer that is to crash while its disk is at work may do so in a flush of its tables, if
    /// there is more to it than one step.
    fn doom_flush(&mut self, peer: Peer, wait_ns: u64) {
        let computer = &mut self.computers[peer.node];
        if computer.is_doomed && computer.base_disk.is_real() && self.chances.disk.chance(1, 2) {
            computer.is_doomed = false;
            let at_ns = self.now_ns + self.chances.disk.below(wait_ns);
            self.queue.plan(at_ns, Event::Wake { peer, wake: Wake::Doom });
        }
    }

    pub(crate) fn flush_done(&mut self, node: NodeId) -> Result<(), Finding> {
        let (life, base_disk) = self.computer(node).life_and_base();
        if life.has_failed_tables {
            return Ok(());
        }
        let (generation, flush) = life.flush.take().expect("a flush was under way");
        let done = base_disk.flush(generation, &flush).and_then(|()| base_disk.reading(generation));
        let is_real = base_disk.is_real();
        let Some(base) = self.survives(node, done)? else {
            return Ok(());
        };
        let mut outputs = Vec::new();
        let life = self.living(node);
        if generation == life.generation {
            let base = base.expect("the generation in force exists");
            life.applier.flushed(base, &mut outputs);
        }
        self.counters.flushes += 1;
        self.counters.real_base_flushes += u64::from(is_real);
        outputs.into_iter().try_for_each(|output| self.applier_output(node, output))?;
        self.start_flush(node);
        self.turn(node)
    }

    /// What the tables gave; nothing if their disk has failed. The process then ends soon, and no more
    /// is done with the tables until then. Any other fault is a finding.
    pub(crate) fn survives<T>(
        &mut self,
        node: NodeId,
        result: Result<T, kernel::Fault>,
    ) -> Result<Option<T>, Finding> {
        let fault = match result {
            Ok(value) => return Ok(Some(value)),
            Err(fault) => fault,
        };
        let (life, base_disk) = self.computer(node).life_and_base();
        let (peer, was_known) = (life.me, life.has_failed_tables);
        let has_failed = base_disk.take_failure();
        // A flipped bit that is found out ends the process too: the disk has what was to be applied.
        if !has_failed && !life.has_flipped && !was_known {
            return Err(Finding::Safety(format!("the applier of {node} stopped: {fault}")));
        }
        life.has_failed_tables = true;
        if !was_known {
            self.counters.real_base_failures += u64::from(has_failed);
            self.fault(DISK_FAILURE, &[node], Ends::AtOnce, format_args!("{fault}"));
            let wait = self.chances.threads.between(0, self.settings.thread_lag_ns_max);
            self.queue.plan(self.now_ns + wait, Event::Wake { peer, wake: Wake::Doom });
        }
        Ok(None)
    }

    /// One write or flush will fail: of the log, or of the tables if their disk can fail.
    pub(crate) fn fail_disk(&mut self, node: NodeId) {
        self.fault(DISK_FAILURE, &[node], Ends::WhenSaid, format_args!(""));
        let rng = &mut self.chances.disk;
        let computer = &mut self.computers[node];
        let fails_tables =
            computer.base_disk.is_real() && rng.chance(1, 2) && computer.base_disk.fail_soon(rng);
        computer.fails_next |= !fails_tables;
    }
}

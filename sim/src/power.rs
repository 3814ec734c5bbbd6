//! Lives begin and end.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    format,
};

use kernel::{Membership, NodeId, Peer, Role, Term};
use log::{Recovered, Recovery, RecoveryError, Trust};
use replica::{Applier, Gate, Keeper, SnapshotReceiver};

use crate::{
    base_disk::tables_meta,
    clock::Clock,
    composition::{Boot, Composition},
    computer::Power,
    crowd::End,
    event::{Event, Mend, Wake},
    finding::Finding,
    life::{Life, Waiting},
    tables_disk::Interrupted,
    world::World,
};

const MILLISECOND: u64 = 1_000_000;

impl<C: Composition> World<C> {
    /// The process ends and the disk keeps what it likes of what was not flushed.
    pub(crate) fn crash(&mut self, node: NodeId) {
        if self.computer(node).is_off() {
            return;
        }
        self.note(format_args!("{node} crashes"));
        let mut operations = self.computer(node).operations_under_way();
        // The log's thread and its work on files run side by side.
        if self.chances.disk.chance(1, 2) {
            operations.reverse();
        }
        let rng = &mut self.chances.disk;
        let computer = self.computers.get_mut(&node).expect("every node has a computer");
        for list in &operations {
            computer.log_disk.perform_in_part(list, rng);
        }
        computer.log_disk.crash(computer.garbled_one_in, rng);
        computer.backlog = None;
        let mut power = core::mem::replace(&mut computer.power, Power::Off);
        if let Power::On(life) = &mut power
            && computer.base_disk.is_real()
            && rng.chance(1, 2)
        {
            life.begin_flush();
        }
        let interrupted = interrupted(&power);
        let is_in_flush = computer.base_disk.is_real() && interrupted.is_writing();
        self.counters.crashes_in_flush += u64::from(is_in_flush);
        computer.base_disk.crash(&interrupted, rng);
        let Power::On(life) = power else {
            return;
        };
        self.counters.crashes += 1;
        for (_, waiting) in life.waiting {
            if let Waiting::Client { client, .. } = waiting {
                self.client_lost(client);
            }
        }
    }

    /// Plans the start of a computer that is off.
    pub(crate) fn plan_start(&mut self, node: NodeId) {
        let soon = self.chances.mishaps.chance(1, 2);
        let most_ns = if soon { 50 * MILLISECOND } else { self.settings.mishap_lasts_ns_max };
        let wait = self.chances.mishaps.between(0, most_ns);
        self.queue.plan(self.now_ns + wait, Event::Mend(Mend::Start(node)));
    }

    /// Recovers the log and begins to make the new incarnation durable.
    pub(crate) fn start(&mut self, node: NodeId) -> Result<(), Finding> {
        if !self.computer(node).is_off() || self.computer(node).is_lost {
            return Ok(());
        }
        let Some(recovered) = self.recover(node)? else {
            return Ok(());
        };
        match recovered.trust {
            Trust::Whole => {}
            Trust::Torn { .. } => self.counters.torn_tails += 1,
            Trust::Uncertain { .. } => self.counters.uncertain_tails += 1,
        }
        self.note(format_args!(
            "{node} recovers as life {} with {} entries after {}, term {}, log {:?}",
            recovered.incarnation,
            recovered.entries.len(),
            recovered.base,
            recovered.hard.term,
            recovered.trust
        ));
        self.oracle.recovered(node, &recovered)?;
        let peer = Peer { node, incarnation: recovered.incarnation };
        let computer = self.computer(node);
        computer.is_in_use = true;
        computer.power = Power::Starting(Box::new(recovered));
        let wait = self.disk_wait_ns(node);
        self.queue.plan(self.now_ns + wait, Event::Wake { peer, wake: Wake::Started });
        Ok(())
    }

    /// What the log holds; nothing if it is damaged beyond use, which only a garbled sector may do.
    fn recover(&mut self, node: NodeId) -> Result<Option<Recovered>, Finding> {
        let limits = self.settings.disk.log;
        let computer = self.computer(node);
        let failed = |error| Finding::Safety(format!("{node} cannot recover its log: {error}"));
        let segments = computer.log_disk.segments();
        let mut recovery = Recovery::new(computer.identity, limits, &segments).map_err(failed)?;
        while let Some(segment) = recovery.wanted() {
            let bytes = computer.log_disk.read_all(segment).ok_or_else(|| {
                Finding::Safety(format!("{node} wants segment {segment}, which is not there"))
            })?;
            recovery.feed(segment, bytes).map_err(failed)?;
        }
        match recovery.finish() {
            Err(RecoveryError::Damaged(damage))
                if computer.garbled_one_in.is_some() && !damage.proven =>
            {
                computer.is_lost = true;
                self.counters.lost_disks += 1;
                self.note(format_args!("{node} is lost: {damage}"));
                Ok(None)
            }
            recovered => recovered.map(Some).map_err(failed),
        }
    }

    /// The new incarnation is durable: the process lives.
    pub(crate) fn started(&mut self, peer: Peer) -> Result<(), Finding> {
        let node = peer.node;
        let computer = self.computer(node);
        let recovered = match core::mem::replace(&mut computer.power, Power::Off) {
            Power::Starting(recovered) if recovered.incarnation == peer.incarnation => recovered,
            other => {
                computer.power = other;
                return Ok(());
            }
        };
        for operation in &recovered.start {
            computer.log_disk.perform(operation);
        }
        let drift = self.settings.drift_ppm_max;
        let fast = Clock::EXACT - drift + self.chances.lives.between(0, 2 * drift);
        let wall_ahead_ms = self.chances.lives.between(0, 100_000);
        let now_ns = self.now_ns;
        self.computer(node).clock = Clock::new(now_ns, fast, wall_ahead_ms);
        let Some(life) = self.new_life(peer, *recovered)? else {
            return Ok(());
        };
        self.computer(node).power = Power::On(Box::new(life));
        self.give(node, kernel::Input::Timeout)
    }

    /// The applier over the tables that the log names; nothing if their disk fails, and then the
    /// process ends again.
    fn new_applier(
        &mut self,
        me: Peer,
        recovered: &Recovered,
    ) -> Result<Option<Applier<C::Machine>>, Finding> {
        let machine = self.composition.machine();
        let flush_bytes = self.settings.flush_bytes;
        let rng = &mut self.chances.disk;
        let computer = self.computers.get_mut(&me.node).expect("every node has a computer");
        let base_disk = &mut computer.base_disk;
        let opened = base_disk.open(recovered.generation).and_then(|tables| {
            let applied = tables.meta().applied.index;
            Ok((applied, Applier::new(me, machine, tables)?))
        });
        match opened {
            Ok((applied, _)) if applied < recovered.base.index => Err(Finding::Safety(format!(
                "the tables of {me} end at {applied}, and its log begins after {}",
                recovered.base
            ))),
            Ok((_, mut applier)) => {
                applier.set_flush_bytes(flush_bytes);
                Ok(Some(applier))
            }
            Err(_) if base_disk.take_failure() => {
                base_disk.crash(&Interrupted::default(), rng);
                self.counters.real_base_failures += 1;
                self.note(format_args!("{me} cannot open its tables"));
                self.plan_start(me.node);
                Ok(None)
            }
            Err(fault) => {
                Err(Finding::Safety(format!("the applier of {me} does not start: {fault}")))
            }
        }
    }

    fn new_life(&mut self, me: Peer, recovered: Recovered) -> Result<Option<Life<C>>, Finding> {
        let now = self.local_now(me.node);
        let Some(applier) = self.new_applier(me, &recovered)? else {
            return Ok(None);
        };
        let applied = applier.applied().index;
        let boot = Boot {
            me,
            seed: self.chances.lives.next(),
            now,
            hard: recovered.hard,
            base: recovered.base,
            base_stamp: recovered.base_stamp,
            membership: recovered.membership,
            entries: recovered.entries,
            applied,
            trust: recovered.trust,
        };
        Ok(Some(Life {
            me,
            node: self.composition.boot(boot),
            inputs: VecDeque::new(),
            is_in_turn: false,
            timer_ns: None,
            keeper: Keeper::new(recovered.log),
            gate: Gate::new(),
            batch: None,
            is_poisoned: false,
            background: None,
            awaits_room: false,
            is_told_full: false,
            fetches: BTreeMap::new(),
            applier,
            generation: recovered.generation,
            work: VecDeque::new(),
            is_applier_planned: false,
            has_failed_tables: false,
            flush: None,
            senders: BTreeMap::new(),
            streams_begun: 0,
            receiver: SnapshotReceiver::new(recovered.generation),
            storing: recovered.generation,
            receiving: None,
            receiver_inbox: VecDeque::new(),
            waiting: BTreeMap::new(),
            tickets_given: 0,
            membership: Membership::default(),
            role: Role::Follower,
            term: Term(0),
            leader: None,
        }))
    }

    /// A request is given to a node; how it ends is told to whoever waits.
    pub(crate) fn request(
        &mut self,
        node: NodeId,
        request: crate::computer::RequestOf<C>,
        waiting: Waiting,
    ) -> Result<(), Finding> {
        let wall_ms = self.computers[&node].clock.wall_ms(self.now_ns);
        let Some(life) = self.life_mut(node) else {
            // Nobody listens there: it was definitely not done.
            return match waiting {
                Waiting::Client { client, .. } => self.client_told(client, End::Refused),
                Waiting::Change | Waiting::Transfer => Ok(()),
            };
        };
        life.tickets_given += 1;
        let ticket = kernel::Ticket(life.tickets_given);
        life.waiting.insert(ticket, waiting);
        let input = kernel::Input::Request { ticket, request, wall_ms };
        if self.computer(node).backlog.is_some() {
            // The process stands still: the request waits at its door.
            self.living(node).inputs.push_back(input);
            return Ok(());
        }
        self.give(node, input)
    }
}

/// What of the tables becomes durable just now, or is being read.
fn interrupted<C: Composition>(power: &Power<C>) -> Interrupted<'_> {
    match power {
        Power::Off => Interrupted::default(),
        Power::Starting(recovered) => {
            Interrupted { open: Some(recovered.generation), ..Interrupted::default() }
        }
        Power::On(life) => Interrupted {
            open: None,
            flush: life.flush.as_ref().map(|(generation, flush)| (*generation, flush)),
            finish: life
                .receiving
                .as_ref()
                .map(|receiving| (receiving.generation, tables_meta(&receiving.meta))),
        },
    }
}

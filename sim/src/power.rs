//! Lives begin and end.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    format,
    string::String,
    vec::Vec,
};

use kernel::{Membership, NodeId, Peer, Role, Term};
use log::{Limits, Recovered, Recovery, RecoveryError, Trust};
use replica::{Applier, Gate, Keeper, SnapshotReceiver, check_fit};

use crate::{
    base_disk::tables_meta,
    clock::Clock,
    composition::{Boot, Composition},
    computer::{Computer, Power},
    crowd::End,
    event::{Event, Mend, Wake},
    finding::Finding,
    happening::Happening,
    life::{Life, Waiting},
    mishap::{DISK_FAILURE, DOOM, PAUSE},
    tables_disk::Interrupted,
    watch::Ends,
    world::World,
};

const MILLISECOND: u64 = 1_000_000;

impl<C: Composition> World<C> {
    /// The process ends and the disk keeps what it likes of what was not flushed.
    pub(crate) fn crash(&mut self, node: NodeId) {
        if self.computer(node).is_off() {
            return;
        }
        self.tell(|_| Happening::Crashed { node });
        self.fault_over(DOOM, node);
        self.fault_over(PAUSE, node);
        let mut operations = self.computer(node).operations_under_way();
        // The log's thread and its work on files run side by side.
        if self.chances.disk.chance(1, 2) {
            operations.reverse();
        }
        let may_garble = self.victim == Some(node) && self.has_spare();
        let garbled_one_in = self.settings.disk.garbled_one_in.filter(|_| may_garble);
        let rng = &mut self.chances.disk;
        let computer = &mut self.computers[node];
        for list in &operations {
            computer.log_disk.perform_in_part(list, rng);
        }
        computer.log_disk.crash(garbled_one_in, rng);
        computer.ambush = None;
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
        let is_left_out = self.trial.as_ref().is_some_and(|core| !core.contains(&node));
        if !self.computer(node).is_off() || self.computer(node).is_lost || is_left_out {
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
        let peer = Peer { node, incarnation: recovered.incarnation };
        self.tell(|_| Happening::Recovered { node: peer, text: describe(&recovered) });
        self.oracle.recovered(node, &recovered)?;
        let computer = self.computer(node);
        computer.is_in_use = true;
        computer.power = Power::Starting(Box::new(recovered));
        let wait = self.disk_wait_ns(node);
        self.queue.plan(self.now_ns + wait, Event::Wake { peer, wake: Wake::Started });
        Ok(())
    }

    /// What the log holds; nothing if it is damaged beyond use, which only the victim's may be.
    fn recover(&mut self, node: NodeId) -> Result<Option<Recovered>, Finding> {
        let is_victim = self.victim == Some(node);
        let garbles = is_victim && self.settings.disk.garbled_one_in.is_some();
        let computer = &mut self.computers[node];
        match read_log(computer, self.settings.disk.log) {
            Ok(recovered) => {
                computer.is_rotten = false;
                Ok(Some(recovered))
            }
            Err(error) => {
                // Proven, too: a life begins by writing the last batch once more, and that may garble what
                // was acknowledged long ago.
                let is_damage = matches!(error, RecoveryError::Damaged(_));
                if !(computer.is_rotten || garbles && is_damage) {
                    let text = format!("{node} cannot recover its log: {error}");
                    return Err(Finding::Safety(text));
                }
                computer.is_lost = true;
                self.counters.lost_disks += 1;
                self.tell(|_| Happening::Gone { node, text: format!("{error}") });
                Ok(None)
            }
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
        self.tell(|_| Happening::Started { node: peer });
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
        let computer = &mut self.computers[me.node];
        let base_disk = &mut computer.base_disk;
        let opened = base_disk.open(recovered.generation).and_then(|tables| {
            let fit = check_fit(recovered, tables.meta());
            Ok((fit, Applier::new(me, machine, tables)?))
        });
        match opened {
            Ok((Ok(()), mut applier)) => {
                applier.set_flush_bytes(flush_bytes);
                Ok(Some(applier))
            }
            Ok((Err(misfit), _)) => {
                let is_in_doubt = matches!(recovered.trust, Trust::Uncertain { .. });
                if !(is_in_doubt && misfit.is_of_the_log()) {
                    return Err(Finding::Safety(format!("{me} cannot start: {misfit}")));
                }
                computer.is_lost = true;
                self.counters.lost_disks += 1;
                let (node, text) = (me.node, format!("{misfit}"));
                self.tell(|_| Happening::Gone { node, text });
                Ok(None)
            }
            Err(_) if base_disk.take_failure() => {
                base_disk.crash(&Interrupted::default(), rng);
                self.counters.real_base_failures += 1;
                self.fault(DISK_FAILURE, &[me.node], Ends::AtOnce, format_args!("the tables"));
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
            timers_ns: Vec::new(),
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
            has_flipped: false,
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
        let wall_ms = self.computers[node].clock.wall_ms(self.now_ns);
        let Some(life) = self.life_mut(node) else {
            // Nobody listens there: it was definitely not done.
            return match waiting {
                Waiting::Client { client, .. } => self.client_told(client, End::Refused),
                Waiting::Aside | Waiting::Change | Waiting::Repair | Waiting::Transfer => Ok(()),
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

/// Reads the log of a computer back.
fn read_log<C: Composition>(
    computer: &Computer<C>,
    limits: Limits,
) -> Result<Recovered, RecoveryError> {
    let segments = computer.log_disk.segments();
    let mut recovery = Recovery::new(computer.identity, limits, &segments)?;
    while let Some(segment) = recovery.wanted() {
        let bytes = computer.log_disk.read_all(segment);
        let bytes = bytes.ok_or(RecoveryError::MissingSegment { segment })?;
        recovery.feed(segment, bytes)?;
    }
    recovery.finish()
}

/// What a log was found to hold, for people.
fn describe(recovered: &Recovered) -> String {
    let last = recovered.entries.last().map_or(recovered.base, kernel::Entry::id);
    let trust = match recovered.trust {
        Trust::Whole => "",
        Trust::Torn { .. } => ", a torn end cut off",
        Trust::Uncertain { .. } => ", its end in doubt",
    };
    let (base, term) = (recovered.base.index, recovered.hard.term);
    format!("term {term}, log {base} to {last}{trust}")
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

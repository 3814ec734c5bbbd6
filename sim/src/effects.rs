//! Gives inputs to a node and carries out what it says, in order.

use alloc::{format, vec::Vec};

use kernel::{
    Effect, Entry, Index, Input, Node, NodeId, Peer, PersistNumber, Record, Role, Term, Ticket,
};
use replica::Envelope;

use crate::{
    ambush::Trigger,
    composition::Composition,
    computer::{Computer, MessageOf, RequestOf},
    crowd::End,
    event::{Event, Wake},
    finding::Finding,
    happening::Happening,
    life::{GROUP, Waiting, Work},
    world::World,
};

impl<C: Composition> World<C> {
    /// Gives an input to a node, and what follows from it at once.
    pub(crate) fn give(
        &mut self,
        node: NodeId,
        input: Input<MessageOf<C>, RequestOf<C>>,
    ) -> Result<(), Finding> {
        self.living(node).inputs.push_back(input);
        self.turn(node)
    }

    /// Gives a node the inputs that wait for it, unless that is happening already.
    pub(crate) fn turn(&mut self, node: NodeId) -> Result<(), Finding> {
        if self.life(node).is_none_or(|life| life.is_in_turn) {
            return Ok(());
        }
        self.living(node).is_in_turn = true;
        while let Some(input) = self.life_mut(node).and_then(|life| life.inputs.pop_front()) {
            self.handle(node, input)?;
        }
        if let Some(life) = self.life_mut(node) {
            life.is_in_turn = false;
            self.plan_timer(node);
        }
        Ok(())
    }

    fn handle(
        &mut self,
        node: NodeId,
        input: Input<MessageOf<C>, RequestOf<C>>,
    ) -> Result<(), Finding> {
        let me = self.living(node).me;
        self.tell_input(me, &input);
        let now = self.local_now(node);
        // One list serves all turns, unless one turn leads to another.
        let mut effects = core::mem::take(&mut self.effects);
        let life = self.living(node);
        life.node.handle(now, input, &mut effects);
        life.node.check();
        for effect in effects.drain(..) {
            self.carry_out(me, effect)?;
            if self.life(node).is_none() {
                break;
            }
        }
        self.effects = effects;
        Ok(())
    }

    pub(crate) fn timer(&mut self, node: NodeId) -> Result<(), Finding> {
        let (now_ns, now) = (self.now_ns, self.local_now(node));
        let life = self.living(node);
        life.timers_ns.retain(|at_ns| *at_ns > now_ns);
        if life.node.deadline().is_some_and(|deadline| deadline <= now) {
            return self.give(node, Input::Timeout);
        }
        self.plan_timer(node);
        Ok(())
    }

    fn plan_timer(&mut self, node: NodeId) {
        let Some(life) = self.life(node) else {
            return;
        };
        let me = life.me;
        let Some(deadline) = life.node.deadline() else {
            return;
        };
        let due_ns = self.computer(node).clock.world_ns(deadline).max(self.now_ns);
        // A timer that is planned looks again when it has come; late by no more than the thread may be.
        let late_ns = due_ns + self.settings.thread_lag_ns_max;
        if self.living(node).timers_ns.iter().any(|planned_ns| *planned_ns <= late_ns) {
            return;
        }
        let lag_ns = match self.settings.thread_lag_ns_max {
            0 => 0,
            most => self.chances.threads.between(0, most),
        };
        self.living(node).timers_ns.push(due_ns + lag_ns);
        self.queue.plan(due_ns + lag_ns, Event::Wake { peer: me, wake: Wake::Timer });
    }

    fn carry_out(&mut self, me: Peer, effect: Effect<MessageOf<C>>) -> Result<(), Finding> {
        self.tell_effect(me, &effect);
        let node = me.node;
        match effect {
            Effect::Persist { number, records } => self.persist(me, number, records),
            Effect::Send { to, message, after } => {
                self.send_after(me, to, message, after);
                Ok(())
            }
            Effect::Apply { entries } => self.apply(node, entries),
            Effect::MayFlush { through } => self.work(node, Work::MayFlush(through)),
            Effect::ReadReady { ticket, index } => {
                self.oracle.node_ended(me, ticket, None)?;
                self.check_read(node, ticket, index)?;
                self.plan_to_give_up(me, ticket);
                self.work(node, Work::Read(ticket, index))
            }
            Effect::InstallSnapshot { meta, generation } => {
                self.work(node, Work::Install(meta, generation))
            }
            Effect::Answer { ticket, answer } => {
                self.oracle.node_ended(me, ticket, None)?;
                self.ended(node, ticket, End::Answered(answer))
            }
            Effect::Refused { ticket, refusal } => {
                self.oracle.node_ended(me, ticket, Some(&refusal))?;
                self.ended(node, ticket, End::Refused)
            }
            Effect::Unknown { ticket } => {
                self.oracle.node_ended(me, ticket, None)?;
                self.ended(node, ticket, End::Unknown)
            }
            Effect::Fetch { id, first, last, bytes_max } => {
                self.fetch(me, id, (first, last, bytes_max));
                Ok(())
            }
            Effect::SendSnapshot { to } => self.send_snapshot(node, to),
            Effect::Members(membership) => {
                membership.check();
                let before = core::mem::take(&mut self.living(node).membership);
                if self.living(node).role == Role::Leader {
                    self.oracle.reconfigured(node, &before, &membership)?;
                }
                self.living(node).membership = membership;
                Ok(())
            }
            Effect::Role { role, term, leader } => self.role(me, role, term, leader),
            Effect::Fault(fault) => {
                if !self.living(node).is_poisoned {
                    return Err(Finding::Safety(format!("{me} stopped: {fault}")));
                }
                self.crash(node);
                self.plan_start(node);
                Ok(())
            }
        }
    }

    /// A read sees all that was committed when it was asked for.
    fn check_read(&self, node: NodeId, ticket: Ticket, index: Index) -> Result<(), Finding> {
        let life = self.life(node).expect("the caller knows that the node lives");
        match life.waiting.get(&ticket) {
            Some(Waiting::Client { committed, .. }) if index.0 < *committed => {
                Err(Finding::Safety(format!(
                    "{node} reads at index {index}, and {committed} was committed when it was asked"
                )))
            }
            _ => Ok(()),
        }
    }

    /// A node that is cut off, or no member any more, may never apply what a read waits for.
    fn plan_to_give_up(&mut self, peer: Peer, ticket: Ticket) {
        const PATIENCE_NS: u64 = 3_000_000_000;
        let wake = Wake::GiveUp(ticket);
        self.queue.plan(self.now_ns + PATIENCE_NS, Event::Wake { peer, wake });
    }

    fn persist(
        &mut self,
        me: Peer,
        number: PersistNumber,
        records: Vec<Record>,
    ) -> Result<(), Finding> {
        self.hash.mix(number.0);
        for record in &records {
            match record {
                Record::Truncate(_) => self.counters.truncations += 1,
                Record::Compact { .. } => self.counters.compactions += 1,
                Record::Entries(entries) => self.hash.mix_bytes(checksum_of_last(entries)),
                Record::Hard(_) | Record::Snapshot { .. } => {}
            }
        }
        self.oracle.persisted(me.node, number, &records)?;
        self.living(me.node).keeper.persist(number, GROUP, records);
        self.spring(me.node, Trigger::Writes);
        self.start_batch(me.node);
        Ok(())
    }

    fn send_after(&mut self, me: Peer, to: NodeId, message: MessageOf<C>, after: PersistNumber) {
        let sent = (to, Envelope::Node(message));
        if let Some((to, envelope)) = self.living(me.node).gate.hold(after, sent) {
            self.post(me, to, envelope);
        }
    }

    fn apply(&mut self, node: NodeId, entries: Vec<Entry>) -> Result<(), Finding> {
        let life = self.computers.get(node).and_then(Computer::life);
        let life = life.expect("the caller knows that the node lives");
        let decides = (life.role == Role::Leader).then_some(&life.membership);
        self.counters.committed += self.oracle.committed(node, life.term, decides, &entries)?;
        self.spring(node, Trigger::Commits);
        let entries = self.through_memory(node, entries);
        self.work(node, Work::Apply(entries))
    }

    fn role(
        &mut self,
        me: Peer,
        role: Role,
        term: Term,
        leader: Option<NodeId>,
    ) -> Result<(), Finding> {
        self.tell(|_| Happening::Part { node: me, role, term, leader });
        let life = self.living(me.node);
        let was = (life.role, life.term);
        (life.role, life.term, life.leader) = (role, term, leader);
        if was == (role, term) {
            return Ok(());
        }
        match role {
            Role::Candidate => {
                self.counters.elections += 1;
                self.spring(me.node, Trigger::Stands);
            }
            Role::Leader => {
                self.counters.leaders += 1;
                let life = self.computers.get(me.node).and_then(Computer::life);
                let membership = &life.expect("who leads lives").membership;
                self.oracle.leads(me, term, membership)?;
                self.spring(me.node, Trigger::Leads);
                if self.now_ns < self.haunted_until_ns && !self.is_healed {
                    self.harass(me.node);
                }
            }
            Role::Follower | Role::PreCandidate => {}
        }
        Ok(())
    }

    /// A request of a node has ended.
    pub(crate) fn ended(&mut self, node: NodeId, ticket: Ticket, end: End) -> Result<(), Finding> {
        match self.living(node).waiting.remove(&ticket) {
            Some(Waiting::Client { client, .. }) => self.client_told(client, end),
            Some(Waiting::Aside) => Ok(()),
            Some(Waiting::Change) => {
                self.counters.changes += u64::from(matches!(end, End::Answered(_)));
                Ok(())
            }
            Some(Waiting::Repair) => {
                self.counters.repairs += u64::from(matches!(end, End::Answered(_)));
                Ok(())
            }
            Some(Waiting::Transfer) => {
                self.handover = Some(end);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn checksum_of_last(entries: &[Entry]) -> &[u8] {
    entries.last().map_or(&[], |entry| &entry.frame()[..4])
}

//! The thread of the node and of the connections: it takes whatever has arrived, gives it to the node,
//! and passes on what the node wants done. Nothing here waits for a disk or for another thread.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use kernel::{
    Effect, Effects, Entry, Fault, Generation, Input, Instant, Node, NodeId, PersistNumber, Role,
    StorageFault, Term, Wire,
};
use mio::{Events, Poll};
use replica::{Envelope, Gate};

use crate::{
    applier_thread::ApplierWork,
    clock::wall_ms,
    errands::Errands,
    inbox::{Arrivals, Event},
    last_inputs::Recorder,
    log_thread::{LogWork, records_bytes},
    mailbox::lock,
    metrics::Part,
    shared::Shared,
    snapshot_thread::SnapshotWork,
    start::Hosted,
    transport::{Received, Transport, WAKER, group_payload},
};

/// The status is published at most this often.
const PUBLISH_EVERY: Duration = Duration::from_millis(20);

/// How long a node whose disk has failed may still talk, so that it can hand over leadership.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Beyond this many bytes that wait for the log or the applier nothing more is read from other nodes,
/// and what they did not get to say is not held against them: the node's deadline waits as well.
const BACKLOG_BYTES_MAX: u64 = 256 << 20;

const EVENTS_MAX: usize = 256;

/// What the consensus thread works with.
pub(crate) struct ConsensusThread<N: Node> {
    pub(crate) shared: Arc<Shared<N>>,
    pub(crate) node: N,
    /// Keeps the last inputs for the case that one of them breaks the node.
    pub(crate) recorder: Recorder<N>,
    pub(crate) poll: Poll,
    pub(crate) transport: Transport,
    pub(crate) errands: Errands<N>,
    pub(crate) round: Round<N>,
}

/// What is gathered in one round and handed on at its end, and what lasts from round to round.
pub(crate) struct Round<N: Node> {
    effects: Effects<N::Message>,
    to_log: Vec<LogWork>,
    to_applier: Vec<ApplierWork>,
    gate: Gate<(NodeId, N::Message)>,
    /// The last number given to the log.
    last_persist: PersistNumber,
    /// Generations installed, each with what must be durable before older ones may go.
    installed: Vec<(PersistNumber, Generation)>,
    /// When the status is to be published, if it has changed.
    publish_at: Option<Instant>,
    last_publish: Instant,
    end: Option<End>,
    /// When a node whose disk has failed ends, and why.
    last_words: Option<(Instant, Fault)>,
}

/// Why the thread ends.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Stopped,
    /// Something under the node failed.
    Failed(Fault),
    /// The node, or what runs it, has broken an invariant.
    Broken(Fault),
}

impl<N: Node> Default for Round<N> {
    fn default() -> Self {
        Self {
            effects: Vec::new(),
            to_log: Vec::new(),
            to_applier: Vec::new(),
            gate: Gate::new(),
            last_persist: PersistNumber::NONE,
            installed: Vec::new(),
            publish_at: Some(Instant(0)),
            last_publish: Instant(0),
            end: None,
            last_words: None,
        }
    }
}

impl<N: Hosted> ConsensusThread<N> {
    /// Runs the node until it ends.
    pub(crate) fn run(&mut self) -> End {
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut arrivals = Arrivals::default();
        let mut has_more = false;
        loop {
            let before = self.shared.clock.now();
            let is_paused = self.is_paused();
            let wait = if has_more || !self.shared.inbox.may_sleep() {
                Some(Duration::ZERO)
            } else {
                self.wait(before, is_paused)
            };
            if let Err(error) = self.poll.poll(&mut events, wait)
                && error.kind() != io::ErrorKind::Interrupted
            {
                return End::Failed(Fault::Storage(format!("waiting for sockets: {error}")));
            }
            let now = self.shared.clock.now();
            self.shared.inbox.take(&mut arrivals);
            for event in events.iter().filter(|event| event.token() != WAKER) {
                self.transport.ready(event, now);
            }
            for event in arrivals.events.drain(..) {
                self.take_event(now, event);
            }
            has_more = !is_paused && self.take_messages(now);
            self.take_requests(now, &mut arrivals);
            self.take_unreachable(now);
            // All that had arrived when `before` was read has been given.
            let is_due = self.node.deadline().is_some_and(|deadline| deadline <= before);
            if is_due && !has_more && !is_paused {
                self.give(now, Input::Timeout);
            }
            if let Some(end) = self.end_round(now) {
                return end;
            }
        }
    }

    /// Lets all go but the last inputs.
    pub(crate) fn into_recorder(self) -> Recorder<N> {
        self.recorder
    }

    /// True while so much waits for the log or the applier that nothing more is read from other nodes.
    /// Whatever works it off wakes this thread.
    fn is_paused(&self) -> bool {
        let waiting =
            self.shared.metrics.log_queue_bytes.get() + self.shared.metrics.apply_queue_bytes.get();
        waiting > BACKLOG_BYTES_MAX
    }

    /// How long nothing needs to be done.
    fn wait(&self, now: Instant, is_paused: bool) -> Option<Duration> {
        let last_words = self.round.last_words.as_ref().map(|(until, _)| *until);
        let deadlines = [
            self.node.deadline().filter(|_| !is_paused),
            self.transport.deadline(),
            self.round.publish_at,
            last_words,
        ];
        deadlines.into_iter().flatten().min().map(|deadline| deadline.since(now))
    }

    /// Gives the node what another thread reports.
    fn take_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Durable(through) => self.durable(now, through),
            Event::Applied { index, durable, next_deadline } => {
                self.give(now, Input::Applied { index, durable, next_deadline });
            }
            Event::Storage(fault, words) => {
                if fault == StorageFault::Poisoned {
                    self.round.last_words = Some((now.after(LAST_WORDS), Fault::Storage(words)));
                }
                self.give(now, Input::Storage(fault));
            }
            Event::Fetched { id, outcome } => self.give(now, Input::Fetched { id, outcome }),
            Event::SnapshotReady { meta, generation } => {
                self.give(now, Input::SnapshotReady { meta, generation });
            }
            Event::SnapshotSent { to, delivered } => {
                self.give(now, Input::SnapshotSent { to, delivered });
            }
            Event::SnapshotInstalled { index } => {
                self.give(now, Input::SnapshotInstalled { index });
            }
            Event::SendSnapshot { to, message } => {
                self.transport.send(to, &Envelope::<N::Message>::Snapshot(message));
            }
            Event::Resolved { node, addresses } => self.transport.resolved(node, addresses, now),
            Event::Fail(fault) => self.round.end = Some(End::Failed(fault)),
            Event::Stop => self.round.end = Some(End::Stopped),
        }
    }

    fn durable(&mut self, now: Instant, through: PersistNumber) {
        for (to, message) in self.round.gate.open(through) {
            self.transport.send(to, &Envelope::Node(message));
        }
        let to_applier = &mut self.round.to_applier;
        self.round.installed.retain(|(number, generation)| {
            let is_durable = *number <= through;
            if is_durable {
                to_applier.push(ApplierWork::GenerationDurable(*generation));
            }
            !is_durable
        });
        self.give(now, Input::Durable { through });
    }

    /// Gives the node what other nodes have sent; true if more waits in the sockets.
    fn take_messages(&mut self, now: Instant) -> bool {
        let has_more = self.transport.receive(now);
        while let Some(received) = self.transport.next_received() {
            self.take_message(now, received);
        }
        has_more
    }

    fn take_message(&mut self, now: Instant, received: Received) {
        let Received { from, connection, payload } = received;
        let decode = |body: Bytes| {
            let (group, payload) = group_payload(body)?;
            let envelope = Envelope::<N::Message>::from_bytes(payload).ok()?;
            (group == crate::GROUP).then_some(envelope)
        };
        match decode(payload) {
            Some(Envelope::Node(message)) => self.give(now, Input::Message { from, message }),
            Some(Envelope::Snapshot(message)) => {
                self.shared.mail.snapshots.push(SnapshotWork::Message { from, message });
            }
            None => self.transport.reject(connection, "a message that makes no sense"),
        }
    }

    fn take_requests(&mut self, now: Instant, arrivals: &mut Arrivals<N>) {
        if arrivals.requests.is_empty() {
            return;
        }
        let wall_ms = wall_ms();
        for (ticket, request) in arrivals.requests.drain(..) {
            self.give(now, Input::Request { ticket, request, wall_ms });
        }
    }

    fn take_unreachable(&mut self, now: Instant) {
        for peer in self.transport.take_unreachable() {
            self.give(now, Input::Unreachable { peer });
        }
    }

    /// Gives the node one input and carries out what it wants, in order.
    fn give(&mut self, now: Instant, input: Input<N::Message, N::Request>) {
        if self.round.end.is_some() {
            return;
        }
        let mut effects = std::mem::take(&mut self.round.effects);
        self.recorder.record(&self.node, now, &input);
        self.node.handle(now, input, &mut effects);
        for effect in effects.drain(..) {
            if self.round.end.is_some() {
                break;
            }
            self.carry_out(now, effect);
        }
        self.round.effects = effects;
        if self.round.publish_at.is_none() {
            self.round.publish_at = Some(self.round.last_publish.after(PUBLISH_EVERY));
        }
    }

    fn carry_out(&mut self, now: Instant, effect: Effect<N::Message>) {
        let round = &mut self.round;
        match effect {
            Effect::Persist { number, records } => {
                self.shared.metrics.log_queue_bytes.add(records_bytes(&records));
                round.last_persist = number;
                round.to_log.push(LogWork::Persist { number, records });
            }
            Effect::Send { to, message, after } => {
                if let Some((to, message)) = round.gate.hold(after, (to, message)) {
                    self.transport.send(to, &Envelope::Node(message));
                }
            }
            Effect::Apply { entries } => {
                self.shared.metrics.apply_queue_bytes.add(entries.iter().map(Entry::size).sum());
                round.to_applier.push(ApplierWork::Apply(entries));
            }
            Effect::MayFlush { through } => round.to_applier.push(ApplierWork::MayFlush(through)),
            Effect::Answer { ticket, answer } => self.shared.tickets.answer(ticket, answer),
            Effect::Refused { ticket, refusal } => self.shared.tickets.refused(ticket, refusal),
            Effect::Unknown { ticket } => self.shared.tickets.unknown(ticket),
            Effect::ReadReady { ticket, index } => {
                round.to_applier.push(ApplierWork::Read { ticket, index });
            }
            Effect::Fetch { id, first, last, bytes_max } => {
                round.to_log.push(LogWork::Fetch { id, first, last, bytes_max });
            }
            Effect::SendSnapshot { to } => round.to_applier.push(ApplierWork::SendSnapshot { to }),
            Effect::InstallSnapshot { meta, generation } => {
                round.installed.push((round.last_persist, generation));
                round.to_applier.push(ApplierWork::Install { meta, generation });
            }
            Effect::Members(membership) => {
                self.transport.members(&membership, now);
                round.publish_at = Some(now);
            }
            Effect::Role { role, term, leader } => self.role(now, role, term, leader),
            Effect::Fault(fault @ Fault::Storage(_)) => round.end = Some(End::Failed(fault)),
            Effect::Fault(fault) => round.end = Some(End::Broken(fault)),
        }
    }

    fn role(&mut self, now: Instant, role: Role, term: Term, leader: Option<NodeId>) {
        let mut part = lock(&self.shared.metrics.part);
        let begins = |wanted: Role| role == wanted && part.role != wanted;
        self.shared.metrics.elections_started.add(u64::from(begins(Role::Candidate)));
        self.shared.metrics.leaderships.add(u64::from(begins(Role::Leader)));
        *part = Part { role, term: term.0, leader };
        self.round.publish_at = Some(now);
    }

    /// Hands on what the round has gathered: each thread is woken once.
    fn end_round(&mut self, now: Instant) -> Option<End> {
        if let Some(end) = self.round.end.take() {
            return Some(end);
        }
        self.shared.mail.log.push_all(&mut self.round.to_log);
        self.shared.mail.applier.push_all(&mut self.round.to_applier);
        self.transport.flush(now);
        if self.transport.deadline().is_some_and(|deadline| deadline <= now) {
            self.transport.tick(now);
        }
        for errand in self.transport.take_errands() {
            self.errands.run(errand);
        }
        if self.round.publish_at.is_some_and(|at| at <= now) {
            self.round.publish_at = None;
            self.round.last_publish = now;
            self.shared.board.publish(self.node.status());
        }
        match &self.round.last_words {
            Some((until, fault)) if *until <= now => Some(End::Failed(fault.clone())),
            _ => None,
        }
    }
}

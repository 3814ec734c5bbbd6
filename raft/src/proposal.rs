//! Requests on their way into the leader's log, from its own clients and from other members'.
//!
//! A request waits at the desk until there is a leader. A follower then hands it on, once; from that
//! moment nobody but the log can say what became of it. The leader puts all that waits into its log in
//! one write.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};

use kernel::{
    Effect, Entry, EntryKind, Incarnation, Index, NodeId, Origin, Peer, Refusal, Session, Ticket,
};

use crate::{
    image::image,
    leader::Draft,
    message::{Body, ForwardOutcome, Proposal},
    node::{Part, Raft},
    request::Request,
    tickets::Fate,
};

/// The most requests of one process that may be open at a time.
const TICKETS_MAX: u64 = 100_000;

/// Requests that wait to be put into a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Desk {
    waiting: VecDeque<(Peer, Proposal)>,
    bytes: u64,
    /// How many forwards this replica has sent.
    forwards: u64,
    /// The last forward taken from each replica, so that a repeated one is not taken twice.
    taken: BTreeMap<NodeId, (Incarnation, u64)>,
}

impl Desk {
    fn push(&mut self, from: Peer, proposal: Proposal) {
        self.bytes += proposal.request.size();
        self.waiting.push_back((from, proposal));
    }

    fn take(&mut self) -> VecDeque<(Peer, Proposal)> {
        self.bytes = 0;
        core::mem::take(&mut self.waiting)
    }

    fn is_repeat(&mut self, from: Peer, number: u64) -> bool {
        let seen = self.taken.get(&from.node).copied();
        let is_repeat = seen.is_some_and(|seen| seen >= (from.incarnation, number));
        if !is_repeat {
            self.taken.insert(from.node, (from.incarnation, number));
        }
        is_repeat
    }
}

impl Raft {
    /// A client of this process wants something.
    pub(crate) fn on_request(&mut self, ticket: Ticket, request: Request, wall_ms: u64) {
        if let Some(refusal) = self.refusal_of(&request) {
            self.emit(Effect::Refused { ticket, refusal });
            return;
        }
        self.tickets.accept(ticket, self.now.after(self.config.request_timeout));
        if request == Request::Read {
            self.reads.ask(ticket);
        } else {
            self.desk.push(self.me, Proposal { ticket, request, wall_ms });
        }
        self.note_work();
    }

    /// Why a request cannot even wait.
    fn refusal_of(&self, request: &Request) -> Option<Refusal> {
        let limit = self.config.entry_bytes_max;
        match request {
            Request::Command { data, .. } if data.len() as u64 > limit => {
                Some(Refusal::TooLarge { limit })
            }
            _ if self.tickets.len() >= TICKETS_MAX => Some(Refusal::Busy),
            Request::Command { .. } if self.is_desk_full() => Some(Refusal::Busy),
            // A node that cannot take entries would not see what becomes of its client's command.
            Request::Command { .. } if self.disk_full => Some(Refusal::DiskFull),
            _ => None,
        }
    }

    const fn is_desk_full(&self) -> bool {
        self.desk.bytes > self.config.waiting_bytes_max || self.is_swamped()
    }

    /// Ends what has run out of time.
    pub(crate) fn expire_tickets(&mut self) {
        while let Some((ticket, fate)) = self.tickets.expire(self.now) {
            self.emit(match fate {
                Fate::Refusable => Effect::Refused { ticket, refusal: Refusal::NoLeader },
                Fate::Open => Effect::Unknown { ticket },
            });
        }
    }

    /// Puts what waits into the log, or hands it to the leader.
    pub(crate) fn hand_requests_on(&mut self) {
        match &self.part {
            Part::Leader(leadership) if leadership.handover.is_none() => self.take_requests(),
            Part::Follower(following) => {
                if let Some(leader) = following.leader {
                    self.forward_requests(leader);
                }
            }
            _ => {}
        }
    }

    fn take_requests(&mut self) {
        let mut entries = Vec::new();
        let mut others = Vec::new();
        for (from, Proposal { ticket, request, wall_ms }) in self.desk.take() {
            if from == self.me && !self.tickets.contains(ticket) {
                continue;
            }
            let origin = Origin { peer: from, ticket };
            match request {
                Request::Command { .. } if self.disk_full => self.refuse(origin, Refusal::DiskFull),
                Request::Command { data, session } => {
                    self.open(origin);
                    entries.push(self.draft_command(
                        origin,
                        session,
                        wall_ms,
                        &data,
                        entries.len(),
                    ));
                }
                Request::Read => {}
                request @ (Request::Change(_) | Request::Transfer { .. }) => {
                    others.push((from, Proposal { ticket, request, wall_ms }));
                }
            }
        }
        self.draft_tick(&mut entries);
        if !entries.is_empty() {
            self.append(None, entries);
        }
        for (from, proposal) in others {
            self.take_rare_request(from, proposal);
        }
    }

    fn take_rare_request(&mut self, from: Peer, proposal: Proposal) {
        if self.leadership().is_some_and(|leadership| leadership.handover.is_some()) {
            // One before it hands leadership over: it waits like every request.
            self.desk.push(from, proposal);
            return;
        }
        let origin = Origin { peer: from, ticket: proposal.ticket };
        match proposal.request {
            Request::Change(change) => self.propose_change(origin, &change),
            Request::Transfer { to } => self.start_handover(origin, to),
            Request::Command { .. } | Request::Read => unreachable!("these are no rare requests"),
        }
    }

    fn draft_command(
        &self,
        origin: Origin,
        session: Option<Session>,
        wall_ms: u64,
        data: &[u8],
        place: usize,
    ) -> Entry {
        let index = Index(self.log.last().index.0 + 1 + place as u64);
        let draft = Draft { kind: EntryKind::Command, origin: Some(origin), session, wall_ms };
        self.draft(draft, data, index)
    }

    fn draft_tick(&mut self, entries: &mut Vec<Entry>) {
        if self.tick_at().is_none_or(|at| at > self.now) {
            return;
        }
        let index = Index(self.log.last().index.0 + 1 + entries.len() as u64);
        entries.push(self.draft(Draft::of(EntryKind::Tick), &[], index));
        if let Some(leadership) = self.leadership_mut() {
            leadership.ticked = index;
        }
    }

    fn forward_requests(&mut self, leader: Peer) {
        let mut proposals = Vec::new();
        let mut bytes = 0;
        for (from, proposal) in self.desk.take() {
            if from != self.me {
                // Its own process asks again, or tells its client.
                self.refuse(
                    Origin { peer: from, ticket: proposal.ticket },
                    Refusal::LeadershipLost,
                );
                continue;
            }
            if !self.tickets.open(proposal.ticket) {
                continue;
            }
            bytes += proposal.request.size();
            proposals.push(proposal);
            if bytes >= self.config.batch_bytes_max {
                self.forward(leader, core::mem::take(&mut proposals));
                bytes = 0;
            }
        }
        if !proposals.is_empty() {
            self.forward(leader, proposals);
        }
    }

    fn forward(&mut self, leader: Peer, proposals: Vec<Proposal>) {
        self.desk.forwards += 1;
        let number = self.desk.forwards;
        self.send(leader.node, Body::Forward { to: leader.incarnation, number, proposals });
    }

    /// Another member hands its clients' requests on.
    pub(crate) fn on_forward(
        &mut self,
        from: Peer,
        to: Incarnation,
        number: u64,
        proposals: Vec<Proposal>,
    ) {
        if to != self.me.incarnation || self.desk.is_repeat(from, number) {
            return;
        }
        for proposal in proposals {
            let origin = Origin { peer: from, ticket: proposal.ticket };
            match self.refusal_of(&proposal.request) {
                _ if !matches!(self.part, Part::Leader(_)) => {
                    self.refuse(origin, Refusal::LeadershipLost);
                }
                Some(refusal) => self.refuse(origin, refusal),
                None => self.desk.push(from, proposal),
            }
        }
        self.note_work();
    }

    /// Requests that others handed to this leader, and that are not in its log, go back refused.
    pub(crate) fn refuse_forwarded(&mut self) {
        for (from, proposal) in self.desk.take() {
            if from == self.me {
                self.desk.push(from, proposal);
            } else {
                self.refuse(
                    Origin { peer: from, ticket: proposal.ticket },
                    Refusal::LeadershipLost,
                );
            }
        }
    }

    /// From now on the request may be in a log.
    fn open(&mut self, origin: Origin) {
        if origin.peer == self.me {
            self.tickets.open(origin.ticket);
        }
    }

    pub(crate) fn refuse(&mut self, origin: Origin, refusal: Refusal) {
        self.end_request(origin, ForwardOutcome::Refused(refusal));
    }

    /// Ends a request that does not end through the log, here or where it came from.
    pub(crate) fn end_request(&mut self, origin: Origin, outcome: ForwardOutcome) {
        let Origin { peer, ticket } = origin;
        if peer == self.me {
            self.on_forward_reply(ticket, outcome);
        } else if peer.node != self.me.node {
            // Nobody waits any more for what an earlier life of this replica asked.
            let asked_by = peer.incarnation;
            self.send(peer.node, Body::ForwardReply { asked_by, ticket, outcome });
        }
    }

    pub(crate) fn on_forward_reply(&mut self, ticket: Ticket, outcome: ForwardOutcome) {
        if self.tickets.end(ticket).is_none() {
            return;
        }
        self.emit(match outcome {
            ForwardOutcome::Done(answer) => Effect::Answer { ticket, answer },
            ForwardOutcome::Refused(refusal) => Effect::Refused { ticket, refusal },
            ForwardOutcome::Unknown => Effect::Unknown { ticket },
        });
    }
}

image!(struct Desk { waiting, bytes, forwards, taken });

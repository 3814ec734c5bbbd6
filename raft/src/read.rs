//! Linearizable reads that skip the log (thesis §6.4).
//!
//! A leader notes its commit index, then asks everybody, with one heartbeat for all reads that wait,
//! whether it still leads; once a quorum has answered, the reads may be done at that index. Other
//! members ask the leader for an index, one question at a time for all their waiting reads. Each
//! question has a number of its own and is never repeated under the same one (B42).

use alloc::{collections::VecDeque, vec::Vec};

use kernel::{Effect, Index, Instant, NodeId, Peer, Ticket};

use crate::{
    image::image,
    message::Body,
    node::{Part, Raft},
    quorum,
};

/// The most rounds of heartbeats that confirm reads at a time.
const ROUNDS_MAX: usize = 4;

/// Reads that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads {
    waiting: VecDeque<Reader>,
    /// At a leader: reads whose heartbeats are on their way.
    rounds: VecDeque<Round>,
    /// At another member: the question on its way to the leader.
    asked: Option<Question>,
    questions: u64,
    retry_at: Option<Instant>,
}

/// Who reads.
#[derive(Clone, Copy, Debug)]
enum Reader {
    /// A client of this process.
    Local(Ticket),
    /// All that waits at another member.
    Remote { peer: Peer, number: u64 },
}

#[derive(Clone, Debug)]
struct Round {
    number: u64,
    index: Index,
    readers: Vec<Reader>,
}

#[derive(Clone, Debug)]
struct Question {
    number: u64,
    tickets: Vec<Ticket>,
}

impl Reads {
    pub(crate) fn ask(&mut self, ticket: Ticket) {
        self.waiting.push_back(Reader::Local(ticket));
    }

    /// True if no read waits for its turn.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When an unanswered question is asked anew.
    pub(crate) const fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Whatever was under way waits again; other members ask for themselves.
    fn start_over(&mut self) {
        self.retry_at = None;
        let asked = self.asked.take().into_iter().flat_map(|question| question.tickets);
        let rounds = core::mem::take(&mut self.rounds);
        let in_rounds =
            rounds.into_iter().flat_map(|round| round.readers).filter_map(Reader::local);
        let waiting = core::mem::take(&mut self.waiting).into_iter().filter_map(Reader::local);
        self.waiting = asked.chain(in_rounds).chain(waiting).map(Reader::Local).collect();
    }

    /// The rounds that are confirmed once `is_confirmed` holds for their number.
    fn confirmed(&mut self, is_confirmed: impl Fn(u64) -> bool) -> Vec<Round> {
        let mut done = Vec::new();
        while let Some(round) = self.rounds.pop_front_if(|round| is_confirmed(round.number)) {
            done.push(round);
        }
        done
    }
}

impl Reader {
    const fn local(self) -> Option<Ticket> {
        match self {
            Self::Local(ticket) => Some(ticket),
            Self::Remote { .. } => None,
        }
    }
}

impl Raft {
    /// The leader may be another one now: nothing that was under way counts any more.
    pub(crate) fn leader_changed(&mut self) {
        self.reads.start_over();
        self.note_work();
    }

    /// Moves waiting reads on.
    pub(crate) fn confirm_reads(&mut self) {
        let tickets = &self.tickets;
        self.reads
            .waiting
            .retain(|reader| reader.local().is_none_or(|ticket| tickets.contains(ticket)));
        if self.reads.waiting.is_empty() {
            return;
        }
        match &self.part {
            Part::Leader(_) => self.start_round(),
            Part::Follower(following) => {
                if let Some(leader) = following.leader {
                    self.ask_leader(leader.node);
                }
            }
            _ => {}
        }
    }

    /// Nothing is read before the first commit of the term: until then the leader does not know what is
    /// committed (B42, K-3).
    fn start_round(&mut self) {
        let knows_commit = self.log.term_at(self.hard.commit) == Some(self.hard.term);
        if !knows_commit || self.reads.rounds.len() >= ROUNDS_MAX {
            return;
        }
        let index = self.hard.commit;
        let readers = core::mem::take(&mut self.reads.waiting).into_iter().collect();
        let number = self.send_heartbeats();
        self.reads.rounds.push_back(Round { number, index, readers });
        self.finish_reads();
    }

    /// Ends the reads of all rounds that a quorum has answered.
    pub(crate) fn finish_reads(&mut self) {
        let Part::Leader(leadership) = &self.part else {
            return;
        };
        let (me, membership) = (self.me.node, self.history.current());
        let has_answered = |node: NodeId, number: u64| {
            let round = leadership.peers.get(&node).map(|progress| progress.round);
            node == me || round.is_some_and(|round| round >= number)
        };
        let is_confirmed =
            |number| quorum::has_quorum(membership, |node| has_answered(node, number));
        let confirmed = self.reads.confirmed(is_confirmed);
        if !confirmed.is_empty() && !self.reads.waiting.is_empty() {
            // There is room for their round now.
            self.is_work_noted = true;
        }
        for round in confirmed {
            assert!(round.index <= self.hard.commit, "reads see what is committed");
            for reader in round.readers {
                self.finish_read(reader, round.index);
            }
        }
    }

    fn finish_read(&mut self, reader: Reader, index: Index) {
        match reader {
            Reader::Local(ticket) => {
                if self.tickets.end(ticket).is_some() {
                    self.emit(Effect::ReadReady { ticket, index });
                }
            }
            Reader::Remote { peer, number } => {
                let body = Body::ReadIndexReply { asked_by: peer.incarnation, number, index };
                self.send(peer.node, body);
            }
        }
    }

    fn ask_leader(&mut self, leader: NodeId) {
        if self.reads.asked.is_some() {
            return;
        }
        let tickets = core::mem::take(&mut self.reads.waiting)
            .into_iter()
            .filter_map(Reader::local)
            .collect();
        self.reads.questions += 1;
        let number = self.reads.questions;
        self.reads.asked = Some(Question { number, tickets });
        self.reads.retry_at = Some(self.now.after(self.config.election_min));
        self.send(leader, Body::ReadIndex { number });
    }

    pub(crate) fn ask_again_for_reads(&mut self) {
        if self.reads.retry_at.is_some_and(|at| at <= self.now) {
            self.leader_changed();
        }
    }

    pub(crate) fn on_read_index(&mut self, peer: Peer, number: u64) {
        if matches!(self.part, Part::Leader(_)) {
            self.reads.waiting.push_back(Reader::Remote { peer, number });
            self.note_work();
        }
    }

    pub(crate) fn on_read_index_reply(&mut self, number: u64, index: Index) {
        let Some(question) = self.reads.asked.take_if(|question| question.number == number) else {
            return;
        };
        self.reads.retry_at = None;
        for ticket in question.tickets {
            self.finish_read(Reader::Local(ticket), index);
        }
        self.note_work();
    }
}

image!(struct Reads { waiting, rounds, asked, questions, retry_at });

image!(enum Reader {
    0 => Local(ticket),
    1 => Remote { peer, number },
});

image!(struct Round { number, index, readers });

image!(struct Question { number, tickets });

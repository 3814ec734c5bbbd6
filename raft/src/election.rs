//! Elections: pre-votes, votes, terms (§5.2, §5.4.1, thesis §9.6).
//!
//! Three rules keep a healthy leader in office. A replica that has heard from a leader within the
//! shortest election timeout takes no part in an election, unless that leader asked for it. Nobody
//! raises its term before a quorum has said that it would win. A leader that hears from no quorum
//! steps down by itself.

use alloc::collections::{BTreeMap, BTreeSet};

use core::time::Duration;

use kernel::{EntryId, Incarnation, Index, NodeId, Peer, PersistNumber, Term};

use crate::{
    follower::Following,
    image::image,
    message::{Body, Message},
    node::{Part, Raft},
    quorum::{self, Tally},
};

/// The votes or pre-votes gathered so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Poll {
    /// What each voter said.
    said: BTreeMap<NodeId, bool>,
    /// The candidate's own vote counts once this is durable.
    own_vote_after: PersistNumber,
}

impl Raft {
    pub(crate) fn on_message(&mut self, from: Peer, message: Message) {
        if from.node == self.me.node {
            return;
        }
        let Message { term, body } = message;
        if term > self.hard.term {
            if let Body::PreVote { last } = body {
                self.on_pre_vote(from, term, last);
                return;
            }
            if self.keeps_leader_against(&body) {
                return;
            }
            self.enter_term(term);
        } else if term < self.hard.term {
            self.on_earlier_term(from, body);
            return;
        }
        self.on_body(from, body);
    }

    /// A vote in a later term is not heard while a leader is known to be there.
    fn keeps_leader_against(&self, body: &Body) -> bool {
        matches!(body, Body::Vote { transfer: false, .. }) && self.hears_from_leader()
    }

    /// Who is behind is told the term, so that a stale leader steps down and a stale candidate goes on
    /// from here (B1, B2).
    fn on_earlier_term(&mut self, from: Peer, body: Body) {
        let asked_by = from.incarnation;
        match body {
            Body::Vote { .. } => {
                self.send_when_saved(from.node, Body::VoteReply { asked_by, granted: false });
            }
            Body::PreVote { .. } => {
                let asked_in = Term(0);
                self.send_when_saved(
                    from.node,
                    Body::PreVoteReply { asked_by, asked_in, granted: false },
                );
            }
            // A voter need not have heard of our term to say that it would vote in the next one.
            Body::PreVoteReply { asked_by, asked_in, granted } => {
                self.on_pre_vote_reply_to(asked_by, asked_in, from.node, granted);
            }
            Body::Append { previous, .. } => self.reject_append(from, previous),
            // Its rounds are not those of the term in which it may lead again: none is confirmed.
            Body::Heartbeat { .. } => {
                let round = 0;
                let (received, matched) = (Index(0), Index(0));
                let body = Body::HeartbeatReply { asked_by, round, received, matched };
                self.send_when_saved(from.node, body);
            }
            // A request is handed on once: who has it, and what became of it, holds in every term.
            Body::Forward { to, number, proposals } => self.on_forward(from, to, number, proposals),
            Body::ForwardReply { asked_by, ticket, outcome } if asked_by == self.me.incarnation => {
                self.on_forward_reply(ticket, outcome);
            }
            _ => {}
        }
    }

    fn on_body(&mut self, from: Peer, body: Body) {
        match body {
            Body::PreVote { last } => self.on_pre_vote(from, self.hard.term, last),
            Body::PreVoteReply { asked_by, asked_in, granted } => {
                self.on_pre_vote_reply_to(asked_by, asked_in, from.node, granted);
            }
            Body::Vote { last, .. } => self.on_vote(from, last),
            Body::VoteReply { asked_by, granted } => {
                if asked_by == self.me.incarnation {
                    self.on_vote_reply(from.node, granted);
                }
            }
            Body::Append { previous, entries, commit } => {
                self.on_append(from, previous, entries, commit);
            }
            Body::AppendReply { asked_by, outcome } => {
                if asked_by == self.me.incarnation {
                    self.on_append_reply(from, outcome);
                }
            }
            Body::Heartbeat { commit, round } => self.on_heartbeat(from, commit, round),
            Body::HeartbeatReply { asked_by, round, received, matched } => {
                if asked_by == self.me.incarnation {
                    self.on_heartbeat_reply(from, round, received, matched);
                }
            }
            Body::Commit { commit } => self.on_commit(from, commit),
            Body::TimeoutNow => self.on_timeout_now(from),
            Body::Forward { to, number, proposals } => self.on_forward(from, to, number, proposals),
            Body::ForwardReply { asked_by, ticket, outcome } => {
                if asked_by == self.me.incarnation {
                    self.on_forward_reply(ticket, outcome);
                }
            }
            Body::ReadIndex { number } => self.on_read_index(from, number),
            Body::ReadIndexReply { asked_by, number, index } => {
                if asked_by == self.me.incarnation {
                    self.on_read_index_reply(number, index);
                }
            }
            Body::Lost { acknowledged } => self.on_lost(acknowledged),
        }
    }

    /// Follows a later term, in which nobody is known to lead and no vote has been given.
    pub(crate) fn enter_term(&mut self, term: Term) {
        assert!(term > self.hard.term, "terms only go up");
        self.hard.term = term;
        self.hard.vote = None;
        self.become_follower(None);
    }

    /// Follows `leader`, or waits for one.
    pub(crate) fn become_follower(&mut self, leader: Option<Peer>) {
        let was_leader = matches!(self.part, Part::Leader(_));
        let was_following = matches!(self.part, Part::Follower(_));
        let before = core::mem::replace(&mut self.part, Part::Follower(Following::of(leader)));
        if let Part::Leader(leadership) = before {
            self.end_leadership(leadership);
        }
        if was_leader || !was_following {
            // Whoever stops leading or standing waits a whole timeout again (E-1, K-11).
            self.push_election_back();
        }
        self.leader_changed();
    }

    /// Draws a new moment to stand for election.
    pub(crate) fn push_election_back(&mut self) {
        let nanoseconds = |wait: Duration| u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        let low = nanoseconds(self.config.election_min);
        let high = nanoseconds(self.config.election_max);
        let wait = self.rng.between(low, high);
        self.election_at = self.now.after(Duration::from_nanos(wait));
    }

    /// The election timeout has passed: asks whether an election could be won.
    pub(crate) fn stand(&mut self) {
        self.push_election_back();
        if !self.may_stand() {
            self.become_follower(None);
            return;
        }
        self.part = Part::PreCandidate(Poll::default());
        self.leader_changed();
        let last = self.log.last();
        self.ask_voters(|| Body::PreVote { last });
        self.on_pre_vote_reply(self.me.node, true);
    }

    /// Stands for election in the next term. The request leaves once term, vote and the end of the log
    /// are durable, so that a restart cannot make it untrue (B8).
    pub(crate) fn campaign(&mut self, transfer: bool) {
        assert!(self.may_stand(), "only a voter whose log is whole stands");
        self.hard.term = self.hard.term.next();
        self.hard.vote = Some(self.me.node);
        let own_vote_after = self.save();
        self.part = Part::Candidate(Poll { said: BTreeMap::new(), own_vote_after });
        self.push_election_back();
        self.leader_changed();
        let last = self.log.last();
        self.ask_voters(|| Body::Vote { last, transfer });
    }

    /// Who is left out by a configuration that is not yet committed must still stand: it may hold the
    /// longest log. Its own vote does not count then (thesis §4.2.2).
    pub(crate) fn may_stand(&self) -> bool {
        let committed = self.history.as_of(self.hard.commit);
        (self.membership().is_voter(self.me.node) || committed.is_voter(self.me.node))
            && self.uncertain_until.is_none()
            && self.installing.is_none()
    }

    fn ask_voters(&mut self, question: impl Fn() -> Body) {
        let membership = self.membership();
        let voters: BTreeSet<NodeId> =
            membership.voters.union(&membership.outgoing).copied().collect();
        for voter in voters {
            if voter == self.me.node {
                continue;
            }
            match question() {
                body @ Body::PreVote { .. } => self.send(voter, body),
                body => self.send_when_saved(voter, body),
            }
        }
    }

    /// True while a leader is known to be there: one was heard from within the shortest election
    /// timeout, or the replica leads itself.
    fn hears_from_leader(&self) -> bool {
        match &self.part {
            Part::Leader(_) => true,
            Part::Follower(Following { leader: Some(_), heard: Some(heard), .. }) => {
                self.now.since(*heard) < self.config.election_min
            }
            _ => false,
        }
    }

    /// The sender stands at `asked_in`, which is not before our term: in the next one we could vote.
    fn on_pre_vote(&mut self, from: Peer, asked_in: Term, last: EntryId) {
        assert!(asked_in >= self.hard.term, "an earlier term has been answered already");
        let granted = !self.hears_from_leader() && self.may_vote() && last >= self.log.last();
        let body = Body::PreVoteReply { asked_by: from.incarnation, asked_in, granted };
        self.send(from.node, body);
    }

    fn may_vote(&self) -> bool {
        self.uncertain_until.is_none() && self.installing.is_none()
    }

    fn on_pre_vote_reply_to(
        &mut self,
        asked_by: Incarnation,
        asked_in: Term,
        from: NodeId,
        granted: bool,
    ) {
        if asked_by == self.me.incarnation && asked_in == self.hard.term {
            self.on_pre_vote_reply(from, granted);
        }
    }

    fn on_pre_vote_reply(&mut self, from: NodeId, granted: bool) {
        let Part::PreCandidate(poll) = &mut self.part else {
            return;
        };
        poll.said.insert(from, granted);
        match self.tally_votes() {
            Tally::Won => self.campaign(false),
            Tally::Lost => self.become_follower(None),
            Tally::Open => {}
        }
    }

    fn on_vote(&mut self, from: Peer, last: EntryId) {
        let is_free = self.hard.vote.is_none_or(|vote| vote == from.node);
        let knows_leader = self.leader().is_some();
        // A log that is at least as up to date: by the last term, then by length (§5.4.1).
        let granted = is_free && !knows_leader && self.may_vote() && last >= self.log.last();
        if granted {
            self.hard.vote = Some(from.node);
            self.push_election_back();
        }
        let body = Body::VoteReply { asked_by: from.incarnation, granted };
        self.send_when_saved(from.node, body);
    }

    fn on_vote_reply(&mut self, from: NodeId, granted: bool) {
        let Part::Candidate(poll) = &mut self.part else {
            return;
        };
        poll.said.insert(from, granted);
        match self.tally_votes() {
            Tally::Won => self.become_leader(),
            Tally::Lost => self.become_follower(None),
            Tally::Open => {}
        }
    }

    /// The candidate's own vote counts once it is durable.
    pub(crate) fn count_own_vote(&mut self) {
        let finished = self.durability.finished();
        if let Part::Candidate(poll) = &self.part
            && poll.own_vote_after <= finished
            && !poll.said.contains_key(&self.me.node)
        {
            self.on_vote_reply(self.me.node, true);
        }
    }

    fn tally_votes(&self) -> Tally {
        match &self.part {
            Part::PreCandidate(poll) | Part::Candidate(poll) => {
                quorum::tally(self.membership(), |voter| poll.said.get(&voter).copied())
            }
            Part::Follower(_) | Part::Leader(_) => Tally::Open,
        }
    }
}

image!(struct Poll { said, own_vote_after });

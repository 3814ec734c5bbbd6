//! Members come and go (§6, thesis §4).
//!
//! A configuration is in force as soon as it is in the log, and out of force if it is truncated. A
//! change of one vote is one entry. A larger one is two: first a joint configuration, in which both the
//! old and the new voters must agree, then, once that is committed, the new one alone.

use alloc::{
    collections::{BTreeSet, VecDeque},
    format, vec,
};

use kernel::{Entry, EntryKind, Index, Membership, NodeId, Origin, Refusal, Wire};

use crate::{
    image::image, leader::Draft, message::Body, node::Raft, progress::Progress, request::Change,
};

/// The configurations of the log, oldest first; never empty.
#[derive(Clone, Debug)]
pub(crate) struct History {
    configurations: VecDeque<(Index, Membership)>,
    has_news: bool,
}

impl History {
    /// The configuration as of the log's base.
    pub(crate) fn new(base: Index, membership: Membership) -> Self {
        membership.check();
        Self { configurations: VecDeque::from([(base, membership)]), has_news: false }
    }

    /// The configuration in force.
    pub(crate) fn current(&self) -> &Membership {
        &self.configurations.back().expect("there is always a configuration").1
    }

    /// Where the configuration in force stands in the log.
    pub(crate) fn index(&self) -> Index {
        self.configurations.back().expect("there is always a configuration").0
    }

    /// The configuration as of `index`.
    pub(crate) fn as_of(&self, index: Index) -> &Membership {
        let at = self.configurations.iter().rev().find(|(since, _)| *since <= index);
        &at.expect("the log's base has a configuration").1
    }

    pub(crate) fn appended(&mut self, entry: &Entry) {
        if entry.kind() == EntryKind::Configuration {
            let membership = Membership::from_bytes(entry.data().clone())
                .expect("an entry with a matching checksum holds what its leader put in");
            membership.check();
            self.configurations.push_back((entry.index(), membership));
            self.has_news = true;
        }
    }

    pub(crate) fn truncated(&mut self, from: Index) {
        while self.configurations.pop_back_if(|(index, _)| *index >= from).is_some() {
            self.has_news = true;
        }
        assert!(!self.configurations.is_empty(), "the log's base has a configuration");
    }

    pub(crate) fn compacted(&mut self, base: Index) {
        while self.configurations.get(1).is_some_and(|(index, _)| *index <= base) {
            self.configurations.pop_front();
        }
    }

    pub(crate) fn reset(&mut self, base: Index, membership: Membership) {
        membership.check();
        *self = Self::new(base, membership);
        self.has_news = true;
    }

    /// True once after each change of the configuration in force.
    pub(crate) const fn take_news(&mut self) -> bool {
        core::mem::replace(&mut self.has_news, false)
    }
}

impl Raft {
    /// Puts a change into the log, or says why not.
    pub(crate) fn propose_change(&mut self, origin: Origin, change: &Change) {
        match self.plan(change) {
            Ok(next) => {
                if origin.peer == self.me {
                    self.tickets.open(origin.ticket);
                }
                // Whoever asked for a joint change is answered by its end.
                let answers = (!next.is_joint()).then_some(origin);
                if next.is_joint()
                    && let Some(leadership) = self.leadership_mut()
                {
                    leadership.change_origin = Some(origin);
                }
                self.append_configuration(&next, answers);
            }
            Err(refusal) => self.refuse(origin, refusal),
        }
    }

    fn append_configuration(&mut self, next: &Membership, origin: Option<Origin>) {
        next.check();
        let draft = Draft { origin, ..Draft::of(EntryKind::Configuration) };
        let entry = self.draft(draft, &next.to_bytes(), self.log.last().index.next());
        self.append(None, vec![entry]);
        self.note_work();
    }

    /// The configuration that `change` leads to.
    fn plan(&self, change: &Change) -> Result<Membership, Refusal> {
        let leadership = self.leadership().ok_or(Refusal::LeadershipLost)?;
        if self.disk_full {
            return Err(Refusal::DiskFull);
        }
        // One at a time, and none before this term has committed: an earlier leader's change may still
        // be undone (thesis §4.1, B58).
        if self.history.index() > self.hard.commit
            || self.membership().is_joint()
            || self.hard.commit < leadership.first
        {
            return Err(Refusal::ChangeUnderWay);
        }
        let next = changed(self.membership(), change)?;
        for newcomer in next.voters.difference(&self.membership().voters) {
            self.check_caught_up(*newcomer)?;
        }
        // Votes that go to who is gone cannot be given back: nothing would be decided any more.
        if !self.hears_from_quorum(&next) {
            return Err(Refusal::TooFewVoters);
        }
        Ok(next)
    }

    /// Whoever gets a vote has nearly all of the log, and has said so itself: else it could hold up every
    /// commit (B60).
    fn check_caught_up(&self, newcomer: NodeId) -> Result<(), Refusal> {
        let progress = self.leadership().and_then(|leadership| leadership.peers.get(&newcomer));
        let matched = progress.map_or(Index(0), |progress| progress.matched);
        let behind = self.log.last().index.0 - matched.0;
        if matched == Index(0) || behind > self.config.promote_behind_max {
            return Err(Refusal::NotCaughtUp { behind });
        }
        Ok(())
    }

    /// What a commit may end: a joint configuration, or this leader's own membership.
    pub(crate) fn on_committed(&mut self) {
        if self.history.index() > self.hard.commit || self.leadership().is_none() {
            return;
        }
        if self.membership().is_joint() {
            let next = without_outgoing(self.membership());
            let origin =
                self.leadership_mut().and_then(|leadership| leadership.change_origin.take());
            self.append_configuration(&next, origin);
        } else if !self.membership().voters.contains(&self.me.node) {
            self.leave_office();
        }
    }

    /// The configuration without this leader is committed: the others are told, and the one that is
    /// furthest takes over.
    fn leave_office(&mut self) {
        let successor = self.furthest_voter();
        self.replicate();
        if let Some(successor) = successor {
            self.send_when_saved(successor, Body::TimeoutNow);
        }
        self.become_follower(None);
    }

    /// The configuration in force has changed: a leader sends to exactly its members.
    pub(crate) fn follow_membership(&mut self) {
        let (me, now, next) = (self.me.node, self.now, self.log.last().index.next());
        let members: BTreeSet<NodeId> = self.membership().members.keys().copied().collect();
        if let Some(leadership) = self.leadership_mut() {
            leadership.peers.retain(|node, _| members.contains(node));
            for node in members.into_iter().filter(|node| *node != me) {
                leadership.peers.entry(node).or_insert_with(|| Progress::new(next, now));
            }
        }
        // A smaller configuration may have a quorum already.
        self.advance_commit();
        self.finish_reads();
        self.note_work();
    }
}

/// `membership` after `change`; joint if more than one vote moves.
fn changed(membership: &Membership, change: &Change) -> Result<Membership, Refusal> {
    let bad = |why: &str| Err(Refusal::BadChange(why.into()));
    let mut next = membership.clone();
    match change {
        Change::AddLearner { node, member } => {
            if membership.is_voter(*node) {
                return bad("this node has a vote already");
            }
            let is_namesake = |learner: &NodeId| {
                learner != node && membership.members[learner].name == member.name
            };
            if membership.learners.iter().any(is_namesake) {
                return bad("another learner has this name; remove it first");
            }
            next.learners.insert(*node);
            next.members.insert(*node, member.clone());
        }
        Change::Promote { node, replacing } => {
            if !next.learners.remove(node) {
                return bad("only a learner can be promoted; add the node first");
            }
            next.voters.insert(*node);
            if let Some(replaced) = replacing
                && !next.voters.remove(replaced)
            {
                return bad("the node to be replaced has no vote");
            }
        }
        Change::Remove { node } => {
            if !next.learners.remove(node) && !next.voters.remove(node) {
                return bad("there is no such member");
            }
        }
        Change::SetVoters(voters) => {
            if let Some(stranger) = voters.iter().find(|voter| !membership.contains(**voter)) {
                return Err(Refusal::BadChange(format!(
                    "{stranger} is not a member; add it first"
                )));
            }
            next.voters.clone_from(voters);
            next.learners.retain(|learner| !voters.contains(learner));
        }
    }
    if next.voters.is_empty() {
        return bad("the last voter cannot go");
    }
    if next == *membership {
        return bad("this is how it is already");
    }
    if next.voters.symmetric_difference(&membership.voters).count() > 1 {
        next.outgoing.clone_from(&membership.voters);
    }
    forget_strangers(&mut next);
    Ok(next)
}

/// The end of a joint change.
fn without_outgoing(membership: &Membership) -> Membership {
    let mut next = membership.clone();
    next.outgoing.clear();
    forget_strangers(&mut next);
    next
}

fn forget_strangers(membership: &mut Membership) {
    let Membership { members, voters, outgoing, learners } = membership;
    members.retain(|node, _| {
        voters.contains(node) || outgoing.contains(node) || learners.contains(node)
    });
}

image!(struct History { configurations, has_news });

//! Leadership handed over (thesis §3.10).
//!
//! The leader stops taking requests (they wait), brings its successor up to its own last entry, on that
//! one's disk, and asks it to stand for election at once. If nothing comes of it within an election
//! timeout, the leader goes on.

use kernel::{Bytes, Index, Instant, NodeId, Origin, Peer, Refusal, Term};

use crate::{
    image::image,
    message::{Body, ForwardOutcome},
    node::{Part, Raft},
};

/// Leadership on its way to another voter.
#[derive(Clone, Debug)]
pub(crate) struct Handover {
    to: NodeId,
    origin: Origin,
    /// The term that the leader leaves.
    term: Term,
    /// When the leader gives up.
    pub(crate) until: Instant,
    /// The successor has been asked to stand.
    asked: bool,
}

impl Raft {
    pub(crate) fn start_handover(&mut self, origin: Origin, to: Option<NodeId>) {
        let bad = |why: &str| Refusal::BadChange(why.into());
        let is_voter = |node: &NodeId| self.membership().voters.contains(node);
        let chosen = match to {
            Some(node) if node == self.me.node => Err(bad("this node leads already")),
            Some(node) if !is_voter(&node) => Err(bad("only a voter can lead")),
            Some(node) => Ok(node),
            None => self.furthest_voter().ok_or_else(|| bad("there is no other voter")),
        };
        let (term, until) = (self.hard.term, self.now.after(self.config.election_max));
        match chosen {
            Err(refusal) => self.refuse(origin, refusal),
            Ok(to) => {
                if let Some(leadership) = self.leadership_mut() {
                    leadership.handover = Some(Handover { to, origin, term, until, asked: false });
                }
                self.hand_over_if_ready();
                self.note_work();
            }
        }
    }

    /// The voter, other than this leader, whose log is longest.
    pub(crate) fn furthest_voter(&self) -> Option<NodeId> {
        let leadership = self.leadership()?;
        let is_voter = |node: &NodeId| self.membership().voters.contains(node);
        let others = leadership.peers.iter().filter(|(node, _)| is_voter(node));
        others.max_by_key(|(_, progress)| (progress.matched, progress.heard)).map(|(node, _)| *node)
    }

    /// Asks the successor to stand once it has everything.
    pub(crate) fn hand_over_if_ready(&mut self) {
        let last = self.log.last().index;
        let Some(leadership) = self.leadership_mut() else {
            return;
        };
        let Some(handover) = &mut leadership.handover else {
            return;
        };
        let matched =
            leadership.peers.get(&handover.to).map_or(Index(0), |progress| progress.matched);
        if matched == last && !handover.asked {
            handover.asked = true;
            let to = handover.to;
            self.send(to, Body::TimeoutNow);
        }
    }

    pub(crate) fn give_up_late_handover(&mut self) {
        let now = self.now;
        let Some(leadership) = self.leadership_mut() else {
            return;
        };
        if let Some(handover) = leadership.handover.take_if(|handover| handover.until <= now) {
            self.end_handover(handover);
            self.note_work();
        }
    }

    /// The hand-over is over: the leader has stepped down, or gives up.
    pub(crate) fn end_handover(&mut self, handover: Handover) {
        // A leader that steps down in its own term has lost its majority or its disk.
        let is_succeeded = self.hard.term > handover.term;
        let outcome = match (handover.asked, is_succeeded) {
            (true, true) => ForwardOutcome::Done(Bytes::new()),
            (true, false) => ForwardOutcome::Unknown,
            (false, _) => ForwardOutcome::Refused(Refusal::Transferring),
        };
        self.end_request(handover.origin, outcome);
    }

    /// The leader asks this replica to stand: neither a pre-vote nor the leader's lease is in the way.
    pub(crate) fn on_timeout_now(&mut self, from: Peer) {
        if self.leader() == Some(from.node)
            && matches!(self.part, Part::Follower(_))
            && self.may_stand()
        {
            self.campaign(true);
        }
    }
}

image!(struct Handover { to, origin, term, until, asked });

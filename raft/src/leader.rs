//! Being a leader: taking office, heartbeats, the quorum check, cluster time.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use kernel::{
    Entry, EntryHead, EntryId, EntryKind, Index, Instant, Membership, NodeId, Origin,
    PersistNumber, Session, Stamp,
};

use crate::{
    image::image,
    message::Body,
    node::{Part, Raft},
    progress::Progress,
    quorum,
    transfer::Handover,
};

/// What belongs to one term in office.
#[derive(Clone, Debug)]
pub(crate) struct Leadership {
    /// The other members.
    pub(crate) peers: BTreeMap<NodeId, Progress>,
    /// The number of the last heartbeat.
    pub(crate) round: u64,
    /// When the next heartbeat is due.
    pub(crate) heartbeat_at: Instant,
    /// The term's first entry.
    pub(crate) first: Index,
    /// Cluster time when the leader took office, and its own clock then.
    pub(crate) clock: (Stamp, Instant),
    /// Leadership that is being handed over.
    pub(crate) handover: Option<Handover>,
    /// Who waits for the end of a joint change.
    pub(crate) change_origin: Option<Origin>,
    /// The last tick that was put into the log.
    pub(crate) ticked: Index,
}

/// All that a new entry carries besides its place in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft {
    pub(crate) kind: EntryKind,
    pub(crate) origin: Option<Origin>,
    pub(crate) session: Option<Session>,
    pub(crate) wall_ms: u64,
}

impl Draft {
    /// An entry that nobody waits for.
    pub(crate) const fn of(kind: EntryKind) -> Self {
        Self { kind, origin: None, session: None, wall_ms: 0 }
    }
}

impl Leadership {
    /// When the leader next has something to do; `tick` is when its state machine has.
    pub(crate) fn next_wake(&self, tick: Option<Instant>) -> Instant {
        let handover = self.handover.as_ref().map(|handover| handover.until);
        // While leadership is handed over nothing is added to the log, ticks neither.
        let tick = tick.filter(|_| handover.is_none());
        [tick, handover].into_iter().flatten().fold(self.heartbeat_at, Instant::min)
    }

    fn stamp(&self, now: Instant) -> Stamp {
        let (stamp, since) = self.clock;
        stamp.after(now.since(since))
    }
}

impl Raft {
    /// A quorum has voted for this replica. The term's first entry commits what earlier terms left
    /// behind (§8); until it is committed, nothing is read.
    pub(crate) fn become_leader(&mut self) {
        assert!(matches!(self.part, Part::Candidate(_)), "only a candidate is elected");
        assert_eq!(self.hard.vote, Some(self.me.node), "a candidate has voted for itself");
        assert!(self.durability.finished() > PersistNumber::NONE, "a candidate's vote is durable");
        let next = self.log.last().index.next();
        let others = self.membership().members.keys().filter(|node| **node != self.me.node);
        let peers = others.map(|node| (*node, Progress::new(next, self.now))).collect();
        self.part = Part::Leader(Leadership {
            peers,
            round: 0,
            heartbeat_at: self.now.after(self.config.heartbeat),
            first: next,
            clock: (self.log.last_stamp(), self.now),
            handover: None,
            change_origin: None,
            ticked: Index(0),
        });
        let noop = self.draft(Draft::of(EntryKind::Noop), &[], next);
        self.append(None, vec![noop]);
        self.leader_changed();
        // The first entries say who leads.
        self.replicate();
    }

    /// Leaves office: what was being done for others is theirs to ask again.
    pub(crate) fn end_leadership(&mut self, leadership: Leadership) {
        if let Some(handover) = leadership.handover {
            self.end_handover(handover);
        }
        self.refuse_forwarded();
    }

    /// A leader's timers.
    pub(crate) fn lead_on(&mut self) {
        self.give_up_late_handover();
        let is_due =
            self.leadership().is_some_and(|leadership| leadership.heartbeat_at <= self.now);
        if !is_due {
            if self.tick_at().is_some_and(|at| at <= self.now) {
                self.note_work();
            }
            return;
        }
        if !self.hears_from_quorum(self.membership()) || self.is_disk_stalled() {
            self.become_follower(None);
            return;
        }
        self.send_heartbeats();
        self.note_work();
    }

    /// A leader that no quorum answers may long have been replaced: it steps down, so that it neither
    /// keeps clients waiting nor keeps others from electing (B3).
    pub(crate) fn hears_from_quorum(&self, membership: &Membership) -> bool {
        let Some(leadership) = self.leadership() else {
            return false;
        };
        let horizon = self.config.election_max;
        let is_heard = |node: NodeId| {
            let heard = leadership.peers.get(&node).map(|progress| progress.heard);
            node == self.me.node || heard.is_some_and(|heard| self.now.since(heard) <= horizon)
        };
        quorum::has_quorum(membership, is_heard)
    }

    /// A leader whose disk hangs steps down if others could lead (B13).
    fn is_disk_stalled(&self) -> bool {
        let since = self.durability.waiting_since();
        let is_stalled = since.is_some_and(|since| self.now.since(since) > self.config.disk_stall);
        is_stalled && self.membership().voters.len() > 1
    }

    /// Tells everybody who leads; the round's number. Answers confirm that it still does.
    pub(crate) fn send_heartbeats(&mut self) -> u64 {
        let commit = self.hard.commit;
        let heartbeat_at = self.now.after(self.config.heartbeat);
        let Some(leadership) = self.leadership_mut() else {
            unreachable!("only a leader sends heartbeats");
        };
        leadership.round += 1;
        leadership.heartbeat_at = heartbeat_at;
        let round = leadership.round;
        for progress in leadership.peers.values_mut() {
            progress.asked = (round, progress.next);
            progress.commit_told = commit;
        }
        let peers: Vec<NodeId> = leadership.peers.keys().copied().collect();
        for peer in peers {
            self.send(peer, Body::Heartbeat { commit, round });
        }
        round
    }

    /// Frames a new entry of this term, stamped with cluster time.
    pub(crate) fn draft(&self, draft: Draft, data: &[u8], index: Index) -> Entry {
        let leadership = self.leadership().expect("only a leader makes entries");
        let head = EntryHead {
            id: EntryId { term: self.hard.term, index },
            kind: draft.kind,
            stamp: leadership.stamp(self.now),
            wall_ms: draft.wall_ms,
            origin: draft.origin,
            session: draft.session,
        };
        Entry::new(head, data)
    }

    /// When, by this leader's clock, the state machine's next deadline comes; none while a tick is on
    /// its way.
    pub(crate) fn tick_at(&self) -> Option<Instant> {
        let leadership = self.leadership()?;
        let next = self.next_tick.filter(|_| leadership.ticked <= self.applied)?;
        let (stamp, since) = leadership.clock;
        Some(Instant(since.0.saturating_add(next.0.saturating_sub(stamp.0))))
    }
}

image!(struct Leadership {
    peers, round, heartbeat_at, first, clock, handover, change_origin, ticked,
});

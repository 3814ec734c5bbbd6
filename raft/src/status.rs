//! What a replica tells people about itself.

use alloc::collections::BTreeMap;

use kernel::{Index, Membership, NodeId, Peer, Role, Stamp, Term};

use crate::node::Raft;

/// One replica's view, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Who tells.
    pub me: Peer,
    /// Its part.
    pub role: Role,
    /// Its term.
    pub term: Term,
    /// Who leads, as far as it knows.
    pub leader: Option<NodeId>,
    /// The last entry that it knows to be committed.
    pub commit: Index,
    /// The last entry that its state machine has applied.
    pub applied: Index,
    /// The last entry of its log.
    pub last: Index,
    /// The last entry of its log that is on its disk.
    pub durable: Index,
    /// The entry at which its log begins.
    pub base: Index,
    /// Cluster time of its last entry.
    pub stamp: Stamp,
    /// The configuration in force.
    pub membership: Membership,
    /// How many requests wait for an end.
    pub waiting: u64,
    /// True if it may neither vote nor stand, because the end of its log is in doubt.
    pub uncertain: bool,
    /// True if its disk is full.
    pub disk_full: bool,
    /// How the other members do; only a leader knows.
    pub peers: BTreeMap<NodeId, PeerStatus>,
}

/// What a leader knows of another member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// The last entry that it has on its disk.
    pub matched: Index,
    /// The next entry to send to it.
    pub next: Index,
    /// How entries are sent: `probe`, `replicate` or `snapshot`.
    pub state: &'static str,
    /// True if it has answered within an election timeout.
    pub recently_active: bool,
}

impl Raft {
    pub(crate) fn describe(&self) -> Status {
        let horizon = self.config.election_max;
        let peers = self.leadership().map_or_else(BTreeMap::new, |leadership| {
            let describe = |progress: &crate::progress::Progress| PeerStatus {
                matched: progress.matched,
                next: progress.next,
                state: progress.state_name(),
                recently_active: self.now.since(progress.heard) <= horizon,
            };
            leadership.peers.iter().map(|(node, progress)| (*node, describe(progress))).collect()
        });
        Status {
            me: self.me,
            role: self.role(),
            term: self.hard.term,
            leader: self.leader(),
            commit: self.hard.commit,
            applied: self.applied,
            last: self.log.last().index,
            durable: self.durability.durable(),
            base: self.log.base().index,
            stamp: self.log.last_stamp(),
            membership: self.membership().clone(),
            waiting: self.tickets.len(),
            uncertain: self.uncertain_until.is_some(),
            disk_full: self.disk_full,
            peers,
        }
    }
}

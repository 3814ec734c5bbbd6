//! What is true of a replica at every moment, as far as it can be seen from inside.

use kernel::Role;

use crate::node::{Part, Raft};

impl Raft {
    pub(crate) fn check_invariants(&self) {
        self.log.check();
        self.check_order();
        match &self.part {
            Part::Leader(_) => self.check_leader(),
            Part::Candidate(_) => {
                assert_eq!(self.hard.vote, Some(self.me.node), "a candidate has voted for itself");
            }
            Part::Follower(_) | Part::PreCandidate(_) => {}
        }
        if let Part::PreCandidate(_) | Part::Candidate(_) = self.part {
            assert!(self.leader().is_none(), "who stands for election follows nobody");
        }
    }

    /// What comes before what: flushed, applied, handed over, committed, in the log.
    fn check_order(&self) {
        let (commit, last) = (self.hard.commit, self.log.last().index);
        assert!(self.log.base().index <= commit, "what left the log was committed");
        assert!(commit <= last, "what is committed is in the log");
        assert!(self.log.last().term <= self.hard.term, "the log has no entry of a later term");
        assert!(self.durability.durable() <= last, "what is durable is in the log");
        if self.installing.is_none() {
            assert!(self.flushed <= self.applied, "tables are flushed as applied");
            assert!(self.applied <= self.pipeline.handed, "what is applied was handed over");
            assert!(self.pipeline.handed <= commit, "only what is committed is applied");
            assert!(
                self.log.base().index <= self.flushed,
                "what left the log is in the durable tables"
            );
        }
        assert_eq!(
            (self.saved.term, self.saved.vote),
            (self.hard.term, self.hard.vote),
            "term and vote are on their way to the disk before the input has been handled"
        );
    }

    fn check_leader(&self) {
        let Some(leadership) = self.leadership() else {
            unreachable!("only called for a leader");
        };
        assert_eq!(self.role(), Role::Leader, "a leader leads");
        let last = self.log.last().index;
        for (node, progress) in &leadership.peers {
            assert!(*node != self.me.node, "a leader does not send to itself");
            assert!(
                progress.matched < progress.next,
                "{node}: what is acknowledged is not sent again"
            );
            assert!(
                progress.next <= last.next(),
                "{node}: nothing is sent from beyond the log's end"
            );
        }
        let members = self.membership().members.keys().filter(|node| **node != self.me.node);
        assert!(members.eq(leadership.peers.keys()), "a leader sends to exactly the members");
    }
}

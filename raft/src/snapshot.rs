//! What is no longer in the log (§7).
//!
//! The tables themselves travel outside: the node says when to send them, and decides what becomes of
//! those that have arrived. One record in the log switches from the old tables and the whole old log to
//! the new tables; only once it is durable is anything acknowledged.

use alloc::vec;

use kernel::{Effect, Generation, Index, NodeId, Peer, PersistNumber, Record, SnapshotMeta};

use crate::{
    commitment::Pipeline,
    durability::LogChange,
    image::image,
    message::{AppendOutcome, Body},
    node::{Part, Raft},
    progress::State,
};

/// A snapshot on its way into the tables.
#[derive(Clone, Debug)]
pub(crate) struct Installing {
    meta: SnapshotMeta,
    generation: Generation,
    /// The record that switches to it.
    after: PersistNumber,
    /// The state machine has been told.
    told: bool,
}

impl Installing {
    /// True if `index` can only have been applied by this snapshot.
    pub(crate) fn covers(&self, index: Index) -> bool {
        index >= self.meta.last.index
    }
}

impl Raft {
    /// A snapshot has arrived whole. It is installed if it tells something new.
    pub(crate) fn on_snapshot_ready(&mut self, meta: SnapshotMeta, generation: Generation) {
        if meta.last.index <= self.hard.commit || self.installing.is_some() {
            return;
        }
        if meta.last.term > self.hard.term || matches!(self.part, Part::Leader(_)) {
            return;
        }
        if self.log.contains(meta.last) {
            // The log has it all, and perhaps acknowledged entries after it: it stays (B18).
            self.learn_commit(meta.last.index);
            return;
        }
        // What follows the snapshot's end in this log follows another entry: none of it is committed.
        self.log.reset(meta.last, meta.stamp);
        self.history.reset(meta.last.index, meta.membership.clone());
        self.hard.commit = meta.last.index;
        self.fetches.clear();
        let change = LogChange { truncate_from: Some(Index(1)), ends_at: Some(meta.last.index) };
        let after = self.persist(change, vec![Record::Snapshot { meta: meta.clone(), generation }]);
        self.installing = Some(Installing { meta, generation, after, told: false });
        self.acknowledge_snapshot();
    }

    fn acknowledge_snapshot(&mut self) {
        let leader: Option<Peer> = match &self.part {
            Part::Follower(following) => following.leader,
            _ => None,
        };
        if let Some(leader) = leader {
            let outcome = AppendOutcome::Accepted { matched: self.hard.commit };
            self.send_when_saved(
                leader.node,
                Body::AppendReply { asked_by: leader.incarnation, outcome },
            );
        }
    }

    /// Switches the tables once the record is durable.
    pub(crate) fn install_if_durable(&mut self) {
        let finished = self.durability.finished();
        let Some(installing) = &mut self.installing else {
            return;
        };
        if installing.after <= finished && !installing.told {
            installing.told = true;
            let (meta, generation) = (installing.meta.clone(), installing.generation);
            self.emit(Effect::InstallSnapshot { meta, generation });
        }
    }

    pub(crate) fn on_snapshot_installed(&mut self, index: Index) {
        let Some(installing) = self.installing.take() else {
            return;
        };
        assert_eq!(installing.meta.last.index, index, "one snapshot is installed at a time");
        self.pipeline = Pipeline::new(index);
        self.applied = index;
        self.flushed = index;
        self.may_flush = self.may_flush.max(index);
        self.note_work();
    }

    pub(crate) fn on_snapshot_sent(&mut self, to: NodeId, delivered: Option<Index>) {
        let last = self.log.last().index;
        self.with_progress(to, |progress| {
            if progress.state != State::Snapshot {
                return;
            }
            match delivered {
                Some(index) => progress.probe_from(index.next().min(last.next())),
                None => progress.lose_snapshot(),
            }
        });
        self.note_work();
    }
}

image!(struct Installing { meta, generation, after, told });

//! One node with all that it stands on: its disk, its gate, its applier, its own clock.

use std::collections::{BTreeSet, VecDeque};

use archipel_raft::{Boot, Config, Message, Raft};
use kernel::{
    EntryId, FetchId, Incarnation, Index, Instant, Node, NodeId, Peer, PersistNumber, Record,
};

use crate::{applier::Applier, disk::Disk};

/// A part that works at once, or only when the script says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Writes to the log.
    Disk,
    /// The state machine.
    Applier,
    /// Reads back from the log.
    Reader,
}

/// A read back from the log that the script has not answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fetching {
    pub(crate) id: FetchId,
    pub(crate) first: Index,
    pub(crate) last: Index,
    pub(crate) bytes_max: u64,
}

/// One node.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) me: Peer,
    pub(crate) clock: Instant,
    /// When something last came from a leader.
    pub(crate) heard: Instant,
    /// Nothing while it is down.
    pub(crate) raft: Option<Raft>,
    pub(crate) disk: Disk,
    pub(crate) applier: Applier,
    /// What may be said only once something is durable.
    pub(crate) gate: VecDeque<(PersistNumber, NodeId, Message)>,
    pub(crate) fetching: VecDeque<Fetching>,
    pub(crate) slow: BTreeSet<Part>,
}

impl Machine {
    pub(crate) fn new(node: NodeId, disk: Disk) -> Self {
        Self {
            me: Peer { node, incarnation: Incarnation(0) },
            clock: Instant(0),
            heard: Instant(0),
            raft: None,
            disk,
            applier: Applier::default(),
            gate: VecDeque::new(),
            fetching: VecDeque::new(),
            slow: BTreeSet::new(),
        }
    }

    /// A new life, with what the disk holds.
    pub(crate) fn start(&mut self, config: &Config, uncertain_until: Option<EntryId>) {
        assert!(self.raft.is_none(), "only what is down starts");
        self.me.incarnation = Incarnation(self.me.incarnation.0 + 1);
        let image = self.disk.durable_image();
        let tables = self.disk.tables[&image.generation].clone();
        let boot = Boot {
            me: self.me,
            seed: self.me.node.0 * 1000 + self.me.incarnation.0,
            hard: image.hard,
            base: image.base,
            base_stamp: image.base_stamp,
            membership: image.membership,
            entries: image.entries,
            applied: tables.last.index,
            uncertain_until,
        };
        self.applier = Applier::new(tables, image.generation);
        self.raft = Some(Raft::new(config.clone(), boot, self.clock));
    }

    /// The power fails.
    pub(crate) fn crash(&mut self) {
        self.raft = None;
        self.disk.crash();
        self.gate.clear();
        self.fetching.clear();
    }

    /// Loses durable entries from `from` on, as a bad disk would.
    pub(crate) fn lose(&mut self, from: Index) {
        assert!(self.raft.is_none(), "the disk is changed while nobody uses it");
        self.disk.prepare(Record::Truncate(from));
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.raft.as_ref().and_then(Node::deadline)
    }

    /// What may leave now.
    pub(crate) fn open_gate(&mut self) -> Vec<(NodeId, Message)> {
        let finished = self.disk.finished;
        let (open, held) = self.gate.drain(..).partition(|(after, ..)| *after <= finished);
        self.gate = held;
        let open: VecDeque<(PersistNumber, NodeId, Message)> = open;
        open.into_iter().map(|(_, to, message)| (to, message)).collect()
    }
}

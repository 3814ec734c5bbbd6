//! One life of one process: the node and the parts that carry out what it says, as on a host.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};

use kernel::{
    Entry, FetchId, Generation, GroupId, Index, Membership, NodeId, Peer, Role, SnapshotMeta, Term,
    Ticket, tables::Flush,
};
use log::DiskOperation;
use replica::{Applier, Envelope, Gate, Keeper, ReceiverEffect, SnapshotReceiver, SnapshotSender};

use crate::{
    composition::Composition,
    computer::{MessageOf, RequestOf},
};

/// The one group of every log.
pub(crate) const GROUP: GroupId = GroupId(1);

pub(crate) struct Life<C: Composition> {
    pub(crate) me: Peer,
    pub(crate) node: C::Node,
    pub(crate) inputs: VecDeque<kernel::Input<MessageOf<C>, RequestOf<C>>>,
    /// The node is being given its inputs.
    pub(crate) is_in_turn: bool,
    /// The moments of the world for which timers are planned.
    pub(crate) timers_ns: Vec<u64>,

    pub(crate) keeper: Keeper,
    pub(crate) gate: Gate<(NodeId, Envelope<MessageOf<C>>)>,
    pub(crate) batch: Option<Vec<DiskOperation>>,
    /// A write has failed: the node must stop.
    pub(crate) is_poisoned: bool,
    pub(crate) background: Option<DiskOperation>,
    /// There was no room for a file; it is tried again after a while.
    pub(crate) awaits_room: bool,
    pub(crate) is_told_full: bool,
    pub(crate) fetches: BTreeMap<FetchId, (Index, Index, u64)>,

    pub(crate) applier: Applier<C::Machine>,
    pub(crate) generation: Generation,
    pub(crate) work: VecDeque<Work>,
    pub(crate) is_applier_planned: bool,
    /// A bit has flipped in what the applier is to apply.
    pub(crate) has_flipped: bool,
    /// The disk of the tables has failed: the applier does nothing any more, and the process will end.
    pub(crate) has_failed_tables: bool,
    pub(crate) flush: Option<(Generation, Flush)>,

    pub(crate) senders: BTreeMap<NodeId, SnapshotSender>,
    pub(crate) streams_begun: u64,
    pub(crate) receiver: SnapshotReceiver,
    /// The generation that was begun last.
    pub(crate) storing: Generation,
    /// What the receiver wants done once a received snapshot is durable; nothing while none is
    /// being made durable.
    pub(crate) receiving: Option<Receiving>,
    /// What arrived for the receiver meanwhile.
    pub(crate) receiver_inbox: VecDeque<(Peer, replica::SnapshotMessage)>,

    pub(crate) waiting: BTreeMap<Ticket, Waiting>,
    pub(crate) tickets_given: u64,
    pub(crate) membership: Membership,
    pub(crate) role: Role,
    pub(crate) term: Term,
    pub(crate) leader: Option<NodeId>,
}

impl<C: Composition> Life<C> {
    /// What the applier does next.
    pub(crate) fn next_work(&mut self) -> Option<Work> {
        if self.has_failed_tables { None } else { self.work.pop_front() }
    }

    /// Begins a flush of all that may become durable, so that a crash can come in the middle of it: flushes
    /// are short and seldom, and else hardly any crash would.
    pub(crate) fn begin_flush(&mut self) {
        if self.flush.is_none() {
            let generation = self.generation;
            self.flush = self.applier.flush(true).map(|flush| (generation, flush));
        }
    }
}

/// A snapshot that is being made durable, and what comes after it.
#[derive(Debug)]
pub(crate) struct Receiving {
    pub(crate) meta: SnapshotMeta,
    pub(crate) generation: Generation,
    /// Who sends it, in which stream.
    pub(crate) source: (Peer, u64),
    pub(crate) then: VecDeque<ReceiverEffect>,
}

/// What the applier is to do.
#[derive(Debug)]
pub(crate) enum Work {
    Apply(Vec<Entry>),
    Read(Ticket, Index),
    MayFlush(Index),
    Install(SnapshotMeta, Generation),
    Rebuild,
}

/// Who waits for a request.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// A client, perhaps with a query for when it may be read.
    Client {
        client: usize,
        query: Option<kernel::Bytes>,
        /// How much was committed when the client asked: a read must see all of it.
        committed: u64,
    },
    /// Nobody; something beside what is recorded.
    Aside,
    /// Nobody; a change of the membership.
    Change,
    /// The operator, who replaces a lost replica.
    Repair,
    /// Nobody, unless it is the last one asked for; a transfer of leadership.
    Transfer,
}

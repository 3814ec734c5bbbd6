//! What can happen next.

use bytes::Bytes;
use kernel::{FetchId, NodeId, Peer, Ticket};
use replica::Envelope;

use crate::{network::Link, weights::Mishap};

use alloc::vec::Vec;

/// Something planned.
#[derive(Debug)]
pub(crate) enum Event<M> {
    /// A message arrives, by its name for people.
    Deliver { message: u64, from: Peer, to: NodeId, parcel: Parcel<M> },
    /// Something in one life is due. It dies with that life.
    Wake { peer: Peer, wake: Wake },
    /// A client has thought of something.
    Ask { client: usize },
    /// Something goes wrong.
    Mishap,
    /// Something that lay in wait for a node goes wrong.
    Sprung { node: NodeId, mishap: Mishap },
    /// Who looks after the cluster looks.
    Operator,
    /// Something that went wrong is over.
    Mend(Mend),
}

/// A message on its way, as a value or as bytes.
#[derive(Clone, Debug)]
pub(crate) enum Parcel<M> {
    Value(Envelope<M>),
    Bytes(Bytes),
}

/// What is due in a life.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wake {
    /// The writes that make the new incarnation durable are done.
    Started,
    /// The node's deadline may have come.
    Timer,
    /// Power fails while a batch is being written.
    Doom,
    /// The batch under way is durable.
    Batch,
    /// The file under way has been made or removed.
    Background,
    /// The applier comes to its work.
    Applier,
    /// The flush under way is durable.
    Flush,
    /// A fetch has ended.
    Fetch(FetchId),
    /// A read has waited long enough for the tables.
    GiveUp(Ticket),
    /// A peer is found not to be reachable.
    Unreachable(NodeId),
    /// A snapshot sender's deadline has come.
    Sender(NodeId),
    /// The snapshot that was received is durable.
    Received,
}

/// What is over, or due.
#[derive(Debug)]
pub(crate) enum Mend {
    /// The computer starts again.
    Start(NodeId),
    /// The process goes on.
    Resume(NodeId),
    /// The links carry messages again.
    Links(Vec<Link>),
    /// Messages no longer take their time on the links.
    Clear(Vec<Link>),
    /// The disk has room again.
    Roomy(NodeId),
    /// The computer crashes after all.
    Fall(NodeId),
    /// The leader crashes, once another has on its disk what it has not, or at that moment.
    Forget { leader: NodeId, hearer: NodeId, until_ns: u64 },
    /// The node is to be handed leadership, and cut off when it has it.
    Lead(NodeId),
}

impl<M> Event<M> {
    /// Whose process it needs, if any.
    pub(crate) const fn process(&self) -> Option<NodeId> {
        match self {
            Self::Deliver { to, .. } => Some(*to),
            Self::Wake { peer, .. } => Some(peer.node),
            Self::Ask { .. }
            | Self::Mishap
            | Self::Sprung { .. }
            | Self::Operator
            | Self::Mend(_) => None,
        }
    }

    /// Two numbers for the event hash.
    pub(crate) const fn numbers(&self) -> (u64, u64) {
        match self {
            Self::Deliver { from, to, .. } => (1 + (from.node.0 << 8), to.0),
            Self::Wake { peer, wake } => (2 + ((wake.number()) << 8), peer.node.0),
            Self::Ask { client } => (3, *client as u64),
            Self::Mishap => (4, 0),
            Self::Mend(_) => (5, 0),
            Self::Sprung { node, .. } => (6, node.0),
            Self::Operator => (7, 0),
        }
    }
}

impl Wake {
    const fn number(self) -> u64 {
        match self {
            Self::Started => 0,
            Self::Timer => 1,
            Self::Batch => 2,
            Self::Background => 3,
            Self::Applier => 4,
            Self::Flush => 5,
            Self::Fetch(_) => 6,
            Self::Unreachable(_) => 7,
            Self::Sender(_) => 8,
            Self::Received => 9,
            Self::GiveUp(_) => 10,
            Self::Doom => 11,
        }
    }
}

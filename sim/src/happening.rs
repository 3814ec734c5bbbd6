//! What happens in a world, for whoever watches it: the text of a trace, a page, a test.

use alloc::{rc::Rc, string::String, vec::Vec};
use core::cell::RefCell;

use kernel::{Index, NodeId, Peer, Role, Term};

use crate::finding::Finding;

/// Sees everything that happens in a world, in order.
pub trait Witness {
    /// Something happens at `at_ns`, in nanoseconds of virtual time since the world began. Never goes
    /// back; much happens at the same moment.
    fn see(&mut self, at_ns: u64, happening: &Happening);
}

/// A witness that somebody keeps, to ask it afterwards what it saw.
impl<W: Witness> Witness for Rc<RefCell<W>> {
    fn see(&mut self, at_ns: u64, happening: &Happening) {
        self.borrow_mut().see(at_ns, happening);
    }
}

/// One thing that happens.
///
/// An input of a node ([`Happening::Arrived`] or [`Happening::Took`]) is followed by its effects
/// ([`Happening::Said`]) and by what these do at once. Texts are lines for people, made by the
/// [`Composition`](crate::Composition).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The world begins: before anything else.
    Begins {
        /// Its seed.
        seed: u64,
        /// The computers that found the cluster.
        founders: Vec<NodeId>,
        /// The computers that may join later.
        spares: Vec<NodeId>,
        /// How many clients there are; they are numbered from 0.
        clients: usize,
    },
    /// A message leaves its sender.
    Left {
        /// Names the message; no other one has it.
        message: u64,
        /// The sender, in the life that sends it.
        from: Peer,
        /// The receiver.
        to: NodeId,
        /// Who says it.
        layer: Layer,
        /// The word for its kind.
        kind: &'static str,
        /// What it says.
        text: String,
        /// What becomes of it.
        fate: Fate,
    },
    /// A message has come to its receiver; one that was copied comes twice.
    Arrived {
        /// Its name.
        message: u64,
        /// The sender, in the life that sent it.
        from: Peer,
        /// The receiver.
        to: NodeId,
        /// What it says.
        text: String,
        /// False if nobody is there: the receiver is down.
        is_received: bool,
    },
    /// A node takes an input that is no message.
    Took {
        /// The node.
        node: Peer,
        /// A line that begins with the node.
        text: String,
        /// It is of no interest unless the node says something: time has passed, or something that it
        /// wanted is done.
        is_routine: bool,
    },
    /// A node wants something done. That tables may be flushed is not told, as in the golden scripts.
    Said {
        /// The node.
        node: Peer,
        /// To whom, if it is a message.
        to: Option<NodeId>,
        /// A line.
        text: String,
    },
    /// A node's part, term or leader is now this.
    Part {
        /// The node.
        node: Peer,
        /// Its part.
        role: Role,
        /// Its term.
        term: Term,
        /// Who leads, as far as it knows.
        leader: Option<NodeId>,
    },
    /// A node's state machine has applied everything through an entry.
    Applied {
        /// The node.
        node: NodeId,
        /// The entry's index.
        through: Index,
    },
    /// A computer has recovered its log and makes its new life durable.
    Recovered {
        /// The node, in its new life.
        node: Peer,
        /// What it found.
        text: String,
    },
    /// A process begins to live.
    Started {
        /// The node, in its new life.
        node: Peer,
    },
    /// A process ends and leaves on its disk what it likes of what was not flushed.
    Crashed {
        /// The node.
        node: NodeId,
    },
    /// A computer's log is damaged beyond use: the replica is gone for good.
    Gone {
        /// The node.
        node: NodeId,
        /// What is damaged.
        text: String,
    },
    /// Something goes wrong, or is done to the cluster.
    FaultBegins {
        /// Names the fault; counts from 1.
        fault: u64,
        /// The words for its kind.
        kind: &'static str,
        /// The nodes that it concerns.
        nodes: Vec<NodeId>,
        /// More about it; perhaps empty.
        text: String,
    },
    /// It is over.
    FaultEnds {
        /// Its name.
        fault: u64,
    },
    /// A client begins an operation. It has one at a time.
    Invoked {
        /// The client.
        client: usize,
        /// What it wants.
        text: String,
    },
    /// A client asks a node, perhaps not for the first time.
    Asked {
        /// The client.
        client: usize,
        /// The node; nothing if none is up.
        node: Option<NodeId>,
    },
    /// A client's attempt has failed, and it will ask again.
    WillAskAgain {
        /// The client.
        client: usize,
    },
    /// A client's operation has ended.
    Told {
        /// The client.
        client: usize,
        /// How.
        outcome: Told,
        /// What it was told.
        text: String,
    },
    /// Everything that went wrong is over, or soon will be; from now on nothing does.
    Healed,
    /// Something that must not be: the last that is seen.
    Found {
        /// What.
        finding: Finding,
        /// When it was, in nanoseconds: before now if it is judged only at the end.
        was_ns: u64,
    },
}

/// Who says a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The node, by an effect.
    Node,
    /// The sender or the receiver of a snapshot's stream.
    Snapshot,
}

/// What becomes of a message that leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The link is cut: it gets nowhere.
    Cut,
    /// It gets lost on its way.
    Lost,
    /// It will arrive.
    OnItsWay,
}

/// How a client's operation has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It was carried out, or a compare-and-set found something else.
    Done,
    /// It was not carried out and will not be.
    Refused,
    /// Nobody can say.
    Unknown,
}

//! [`Node`]: takes one input at a time and says what should happen.

use alloc::vec::Vec;
use core::fmt::Debug;

use bytes::Bytes;

use crate::{
    codec::{Malformed, Wire},
    entry::Entry,
    ids::{Generation, Index, NodeId, Peer, PersistNumber, Term, Ticket},
    membership::Membership,
    outcome::{Fault, Refusal, StorageFault},
    record::{Record, SnapshotMeta},
    time::{Instant, Stamp},
};

/// Something that decides: consensus, a hash table of peers. A function of its inputs and of nothing
/// else.
///
/// Who runs a node keeps four duties:
/// 1. carry out the effects of one input in their order, before the next input is given;
/// 2. let a send leave only once its `after` is durable (writes may be joined, never reordered);
/// 3. report what became of each effect that has an answer among the inputs;
/// 4. give [`Input::Timeout`] when [`Node::deadline`] has come, and not before all that had already
///    arrived has been given.
pub trait Node {
    /// What nodes say to each other.
    type Message: Wire + Clone + Debug;
    /// What clients ask of it.
    type Request: Clone + Debug;
    /// What it tells people about itself.
    type Status: Clone + Debug;

    /// Takes one input at the moment `now`, which never goes back, and appends what should happen.
    /// Never fails: what makes no sense is dropped, what cannot be is an [`Effect::Fault`].
    fn handle(
        &mut self,
        now: Instant,
        input: Input<Self::Message, Self::Request>,
        effects: &mut Effects<Self::Message>,
    );

    /// When the node next wants [`Input::Timeout`].
    fn deadline(&self) -> Option<Instant>;

    /// What people want to know.
    fn status(&self) -> Self::Status;

    /// Asserts every invariant that can be seen from inside.
    fn check(&self);
}

/// A node that can give an image of itself between two inputs, for whoever keeps its last inputs to run
/// them again.
///
/// An image is read by the very build that made it, and by no other: its bytes have no history to keep.
pub trait Image: Sized {
    /// All that the node will ever decide by.
    fn image(&self) -> Bytes;

    /// The node as it was: the same inputs have the same effects.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are no image, or that of a build whose node has other fields.
    fn from_image(image: Bytes) -> Result<Self, Malformed>;
}

/// The effects of an input, in the order in which they should happen.
pub type Effects<Message> = Vec<Effect<Message>>;

/// Names one fetch among those under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchId(pub u64);

/// What became of a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchOutcome {
    /// Consecutive entries from the first one asked for; at least one, perhaps fewer than asked for.
    Entries(Vec<Entry>),
    /// They are no longer in the log.
    Compacted,
    /// They could not be read this time.
    Failed,
}

/// What the world did.
#[derive(Clone, Debug)]
pub enum Input<Message, Request> {
    /// A message has come. `from` is who sent it and in which life.
    Message {
        /// The sender.
        from: Peer,
        /// What it said.
        message: Message,
    },
    /// A client of this process wants something; it ends exactly once, under this ticket.
    Request {
        /// The request's name, never used twice in one incarnation.
        ticket: Ticket,
        /// What is wanted.
        request: Request,
        /// Time of day, milliseconds since 1970, for display.
        wall_ms: u64,
    },
    /// The deadline has come.
    Timeout,
    /// All persist work up to this number is on stable storage.
    Durable {
        /// The last number.
        through: PersistNumber,
    },
    /// The log's disk has a problem, or no longer has.
    Storage(StorageFault),
    /// The state machine has applied entries.
    Applied {
        /// The last one applied.
        index: Index,
        /// The last one whose effect on the tables is on stable storage.
        durable: Index,
        /// When, in cluster time, the state machine next has something to expire.
        next_deadline: Option<Stamp>,
    },
    /// A fetch has ended.
    Fetched {
        /// Which.
        id: FetchId,
        /// How.
        outcome: FetchOutcome,
    },
    /// A snapshot has been received whole, is checked and durable, and waits to be installed.
    SnapshotReady {
        /// What it covers.
        meta: SnapshotMeta,
        /// Which generation of the tables holds it.
        generation: Generation,
    },
    /// The stream of a snapshot has ended.
    SnapshotSent {
        /// The receiver.
        to: NodeId,
        /// The last entry that it covers if the receiver has it all; nothing if the stream broke.
        delivered: Option<Index>,
    },
    /// The tables are now those of the snapshot.
    SnapshotInstalled {
        /// The last entry that it covers.
        index: Index,
    },
    /// A peer cannot be reached: what was sent to it of late may be lost.
    Unreachable {
        /// The peer.
        peer: NodeId,
    },
}

/// What should happen.
#[derive(Clone, Debug)]
pub enum Effect<Message> {
    /// Write these records, in the order of the numbers; several writes may become one.
    Persist {
        /// The number that [`Input::Durable`] will report.
        number: PersistNumber,
        /// What to write.
        records: Vec<Record>,
    },
    /// Send a message, but not before `after` is durable. It may be lost.
    Send {
        /// The receiver.
        to: NodeId,
        /// What to say.
        message: Message,
        /// What must be durable first; [`PersistNumber::NONE`] for nothing.
        after: PersistNumber,
    },
    /// Apply these entries, which are committed, right after those applied before.
    Apply {
        /// Consecutive entries.
        entries: Vec<Entry>,
    },
    /// The tables may become durable up to this index: the log is.
    MayFlush {
        /// The index.
        through: Index,
    },
    /// The request has been carried out.
    Answer {
        /// The request.
        ticket: Ticket,
        /// What to answer.
        answer: Bytes,
    },
    /// The request has definitely not been carried out, and will not be.
    Refused {
        /// The request.
        ticket: Ticket,
        /// Why.
        refusal: Refusal,
    },
    /// Nobody can say whether the request has been or will be carried out.
    Unknown {
        /// The request.
        ticket: Ticket,
    },
    /// The request may read the tables once they have been applied up to `index`.
    ReadReady {
        /// The request.
        ticket: Ticket,
        /// What must have been applied.
        index: Index,
    },
    /// Read entries back from the log.
    Fetch {
        /// The name under which to report.
        id: FetchId,
        /// The first entry wanted.
        first: Index,
        /// The last entry wanted.
        last: Index,
        /// Stop before the entries together are larger than this, but after one at least.
        bytes_max: u64,
    },
    /// Stream a snapshot of the tables to a member whose entries are no longer in the log.
    SendSnapshot {
        /// The receiver.
        to: NodeId,
    },
    /// Make the tables those of a received snapshot.
    InstallSnapshot {
        /// What it covers.
        meta: SnapshotMeta,
        /// Which generation of the tables holds it.
        generation: Generation,
    },
    /// The configuration from now on: whom to connect to, and where.
    Members(Membership),
    /// The node's part has changed.
    Role {
        /// Its part.
        role: Role,
        /// In which term.
        term: Term,
        /// Who leads, as far as it knows.
        leader: Option<NodeId>,
    },
    /// The node must stop; nothing that it says from now on should leave.
    Fault(Fault),
}

/// A node's part in its group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Follows a leader or waits for one.
    #[default]
    Follower,
    /// Asks whether it could win an election (thesis §9.6).
    PreCandidate,
    /// Stands for election.
    Candidate,
    /// Leads.
    Leader,
}

impl Role {
    /// The word for it, as the course's interface writes it; a pre-candidate is a candidate there.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Follower => "follower",
            Self::PreCandidate => "pre-candidate",
            Self::Candidate => "candidate",
            Self::Leader => "leader",
        }
    }
}

//! The contract of archipel: everything that runs is a [`Node`].
//!
//! A node takes one [`Input`] at a time and says, as a list of [`Effect`]s, what should happen. It
//! has no clock, no socket, no file, no thread and no randomness of its own. Two things can run a
//! node, the simulator and the host, and nothing else in the repository knows about the world.
//!
//! ```text
//!   input ─▶ decision ─▶ effects
//!
//!   Message, Request, Timeout, ...      Input      what the world did
//!   Persist, Send, Apply, ...           Effect     what should happen, in this order
//!   Entry, Record, HardState            Record     what is written to the log
//!   StateMachine over Tables            apply      what a committed entry does
//! ```
#![no_std]

extern crate alloc;

pub mod checksum;
pub mod codec;
pub mod datagram;
pub mod entry;
pub mod ids;
mod input_codec;
pub mod membership;
pub mod node;
pub mod outcome;
pub mod record;
pub mod rng;
pub mod state_machine;
pub mod tables;
pub mod time;

pub use bytes::Bytes;
pub use codec::{Malformed, Reader, Wire, Writer};
pub use datagram::{Datagram, Endpoint};
pub use entry::{Entry, EntryHead, EntryKind, Origin, Session};
pub use ids::{
    ClientId, ClusterId, DiskId, EntryId, Generation, GroupId, Incarnation, Index, NodeId, Peer,
    PersistNumber, Term, Ticket,
};
pub use membership::{Member, Membership};
pub use node::{Effect, Effects, FetchId, FetchOutcome, Image, Input, Node, Role};
pub use outcome::{Fault, Refusal, StorageFault};
pub use record::{HardState, Record, SnapshotMeta};
pub use rng::Rng;
pub use state_machine::{Outcome, StateMachine};
pub use tables::{BaseReading, Reading, TableId, Tables, TablesMeta};
pub use time::{Instant, Stamp};

//! The consensus key/value store.
//!
//! A map from keys to values, both bytes, kept the same on every replica by consensus.
//!
//! ```text
//!   Command   put, delete, transaction, lease, compaction     through the log     state_machine/
//!   Query     get, list, range, leases                        from a Reading      query.rs, range.rs
//!   Answer    what either of them comes to                                        answer.rs
//!   Caller    on whose behalf, and what that one may do       before either       auth/
//! ```
//! What it promises:
//!
//! 1. Each command takes effect at one moment, in the order of the log, or not at all. With its
//!    expectation not met it changes nothing and says what it found. A transaction is one such moment.
//! 2. The store has one revision. It starts at 1 and grows by one with every command that changes keys:
//!    a put, a delete of a key that is there, a transaction that does any of them, the end of a lease
//!    with which keys went. Nothing else moves it.
//! 3. A key has, as in etcd, the revision that created it, the revision that last changed it, and a
//!    version that counts its puts from 1. A deleted key that is put again is created anew.
//! 4. Every earlier revision can be read, and every change be watched, until a compaction gives it up.
//! 5. A key that goes with a lease is deleted when the lease ends: when it is revoked, or when it was
//!    not kept alive for its time. Time is cluster time, and every lease has its whole time again when
//!    somebody new leads.
//! 6. In the course's interface keys are 1 to [`KEY_BYTES_MAX`] bytes, values up to [`VALUE_BYTES_MAX`];
//!    beyond that a command is answered as invalid and changes nothing.
//! 7. A list gives the keys of a prefix in the order of their bytes, a page at a time, each page true of
//!    one moment.
//! 8. While authentication is on, nobody changes or reads what their roles do not allow at that very
//!    moment. While an alarm stands, nothing is done that the alarm forbids.
//! 9. Nothing that a client sends stops a replica. A command of a kind that this build does not know
//!    does: to go on would be to differ from the replicas that know it.
#![no_std]

extern crate alloc;

pub mod alarm;
pub mod answer;
pub mod auth;
pub mod command;
pub mod dump;
pub mod events;
mod failure;
pub mod hash;
mod item;
mod keys;
pub mod load;
pub mod model;
pub mod protobuf;
pub mod query;
mod range;
mod reply;
pub mod state_machine;
mod store;
pub mod transaction;
mod write;

pub use alarm::{Alarm, AlarmKind};
pub use answer::{Answer, Invalid};
pub use auth::{Access, AuthFailure, Caller, Permission, User};
pub use command::{Command, Expect};
pub use events::{Event, Events, Interest, is_compacting};
pub use failure::Failure;
pub use hash::Hash;
pub use item::{Item, LeaseId};
pub use keys::Keys;
pub use model::Model;
pub use query::Query;
pub use range::{Bounds, Found, Order, Range, SortBy};
pub use reply::{Replies, Reply, ReplyKind};
pub use state_machine::KvMachine;
pub use transaction::{Comparison, Delete, Operation, Put, Relation, Target, Transaction};

/// The longest key, in bytes. The shortest is one byte.
pub const KEY_BYTES_MAX: usize = 4096;

/// The longest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// The most items on one page of a list.
pub const PAGE_ITEMS_MAX: u32 = 1000;

/// A page of a list ends before its keys and values together are longer than this, in bytes, but holds
/// one item at least if there is one.
pub const PAGE_BYTES_MAX: usize = 1 << 20;

//! The consensus key/value store.
//!
//! A map from keys to values, both bytes, kept the same on every replica by consensus.
//!
//! ```text
//!   Command   put, delete, each with an expectation      through the log      state_machine.rs
//!   Query     get, list by prefix                        from a Reading       query.rs
//!   Answer    what either of them comes to                                    answer.rs
//! ```
//! What it promises:
//!
//! 1. Each command takes effect at one moment, in the order of the log, or not at all. With its
//!    expectation not met it changes nothing and says what it found.
//! 2. The store has one revision. It starts at 0 and grows by one with every change that has an effect:
//!    every put, every delete of a key that is there. Nothing else moves it.
//! 3. A key has, as in etcd, the revision that created it, the revision that last changed it, and a
//!    version that counts its puts from 1. A deleted key that is put again is created anew.
//! 4. Keys are 1 to [`KEY_BYTES_MAX`] bytes, values up to [`VALUE_BYTES_MAX`]; beyond that a command is
//!    answered as invalid and changes nothing.
//! 5. A list gives the keys of a prefix in the order of their bytes, a page at a time, each page true of
//!    one moment.
//! 6. Nothing that a client sends stops a replica. A command of a kind that this build does not know
//!    does: to go on would be to differ from the replicas that know it.
#![no_std]

extern crate alloc;

pub mod answer;
pub mod command;
mod item;
pub mod model;
pub mod query;
pub mod state_machine;

pub use answer::{Answer, Invalid, Item};
pub use command::{Command, Expect};
pub use model::Model;
pub use query::Query;
pub use state_machine::KvMachine;

/// The longest key, in bytes. The shortest is one byte.
pub const KEY_BYTES_MAX: usize = 4096;

/// The longest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// The most items on one page of a list.
pub const PAGE_ITEMS_MAX: u32 = 1000;

/// A page of a list ends before its keys and values together are longer than this, in bytes, but holds
/// one item at least if there is one.
pub const PAGE_BYTES_MAX: usize = 1 << 20;

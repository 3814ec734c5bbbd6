//! Histories of what clients saw, and checkers that judge them.
//!
//! ```text
//!   clients ─▶ History ─▶ one register a key ─▶ linearizability ─▶ Verdict
//! ```
//! A [`History`] holds invocations and their ends. The key/value store is a set of registers, one a
//! key, and a set of objects is linearizable exactly if each object is (Herlihy and Wing 1990, §3.3),
//! so each key is judged on its own. Nothing here knows what was tested.
#![no_std]

extern crate alloc;

pub mod history;
pub mod linearizability;
pub mod register;
mod verdict;

pub use history::{Answer, Call, End, Event, EventKind, History, HistoryError, Operation, Process};
pub use linearizability::Limits;
pub use verdict::{Verdict, Witness, judge};

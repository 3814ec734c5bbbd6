//! Histories of what clients saw, and checkers that judge them.
//!
//! ```text
//!   clients ─▶ History ─▶ one register a key ─▶ linearizability ─▶ Verdict
//! ```
//! A [`History`] holds invocations and their ends. The key/value store is a set of registers, one a
//! key, and a set of objects is linearizable exactly if each object is (Herlihy and Wing 1990, §3.3),
//! so each key is judged on its own. A work queue has histories and rules of its own, in [`queue`]. Nothing
//! here knows what was tested.
#![no_std]

extern crate alloc;

mod causal;
mod eventual;
mod facts;
pub mod history;
mod ladder;
mod linearizability;
pub mod queue;
mod register;
mod sequential;
mod sessions;
mod shrink;
mod verdict;
mod zones;

pub use history::{Answer, Call, End, Event, EventKind, History, HistoryError, Operation, Process};
pub use ladder::{Consistency, Evidence, Finding, Ladder, Reason};
pub use linearizability::{Limit, Limits};
pub use sequential::SEQUENTIAL_OPERATIONS_MAX;
pub use verdict::{Verdict, Witness, judge};

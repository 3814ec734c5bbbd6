//! Whole clusters in the simulator: which consensus and which system are put together, how many seeds
//! are run, and what becomes of what they find.
//!
//! ```text
//!   Scenario      a seed, and what is decided in place of it      scenario
//!   RaftWith      Raft and a system: the store or the queue      raft_with, system, kv, queue
//!     │ run
//!   Outcome       what was found, what was exercised              outcome, panics
//!   Search        many seeds on several threads                   search
//!   shrink        a smaller scenario that still fails             shrink
//!   Bug           a finding that is kept as a file                bug
//!   trace, page   a run as text, and as one page of HTML        trace, page
//!   speed         how fast all this is                            speed
//! ```
//! The simulator knows neither Raft nor a store; here they meet. The program, the tests and the zoo of
//! known bugs run the same worlds.

mod bug;
mod kv;
mod outcome;
pub mod page;
mod panics;
mod queue;
mod raft_with;
mod real_base;
mod scenario;
mod search;
mod shrink;
pub mod speed;
mod system;
pub mod trace;

pub use bug::Bug;
pub use kv::{Kv, PRINTER};
pub use outcome::{Found, Kind, Outcome, Seen, without_numbers};
pub use queue::WorkQueue;
pub use raft_with::{RaftWith, RaftWithKv, RaftWithQueue};
pub use real_base::RealBase;
pub use scenario::{LISTS, Malformed, OVERRIDES, Override, Scenario, Served};
pub use search::{ENDLESS, Finished, Search, Totals};
pub use shrink::{Shrunk, Size, shrink};
pub use system::System;

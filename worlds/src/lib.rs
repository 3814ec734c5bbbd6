//! Whole clusters in the simulator: which consensus and which system are put together, how many seeds
//! are run, and what becomes of what they find.
//!
//! ```text
//!   Scenario      a seed, and what is decided in place of it      scenario
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
mod etcd;
mod outcome;
pub mod page;
mod panics;
mod raft_with_kv;
mod real_base;
mod scenario;
mod search;
mod shrink;
pub mod speed;
pub mod trace;
mod watchers;

pub use bug::Bug;
pub use outcome::{Found, Kind, Outcome, without_numbers};
pub use raft_with_kv::{PRINTER, RaftWithKv};
pub use real_base::RealBase;
pub use scenario::{LISTS, Malformed, OVERRIDES, Override, Scenario};
pub use search::{ENDLESS, Finished, Search, Totals};
pub use shrink::{Shrunk, Size, shrink};

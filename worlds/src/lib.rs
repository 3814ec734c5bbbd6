//! Whole clusters in the simulator: which consensus and which system are put together.
//!
//! The simulator knows neither; here they meet. The program, the tests and the zoo of known bugs run
//! the same worlds.

pub mod page;
mod raft_with_kv;
pub mod trace;

pub use raft_with_kv::RaftWithKv;

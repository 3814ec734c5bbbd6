//! Whole clusters: seeds, scripts, real processes. Here is what puts raft and the key/value store
//! together for the simulator.

mod raft_with_kv;

pub use raft_with_kv::RaftWithKv;

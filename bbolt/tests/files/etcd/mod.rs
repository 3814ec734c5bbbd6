//! A real etcd: its snapshots are read here, and what is written here it restores and works with.
//!
//! ```text
//!   etcd ── snapshot save ──▶ file ──▶ Reader ──▶ Model ──▶ Writer ──▶ file ── snapshot restore ──▶ etcd
//! ```
//! Observed with etcd 3.4.23. Without the programs `etcd` and `etcdctl` these tests are skipped.

mod export;
mod process;
mod protobuf;
mod schema;
mod snapshot;

//! The etcd v3 interface, held against etcd itself: the same operations on both, and the clients that people
//! have on ours.
//!
//! ```text
//!   servers        clusters of real processes: Debian's etcd, or ours      differential   both, side by side
//! ```
//! What needs a program that is not installed says so and passes; `cargo xtask foreign` installs all of it.
#![expect(clippy::unwrap_used, reason = "what a test cannot have fails it")]

mod clients;
mod differential;
mod servers;

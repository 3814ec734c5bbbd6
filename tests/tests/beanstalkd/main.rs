//! The protocol of beanstalkd, held against beanstalkd itself: the same requests to both, and the clients that
//! people have on ours.
//!
//! ```text
//!   servers   Debian's beanstalkd, or a cluster of ours      differential   both, side by side      clients
//! ```
//! What needs a program that is not installed says so and passes; `cargo xtask foreign` installs all of it.
#![expect(clippy::unwrap_used, reason = "what a test cannot have fails it")]

mod clients;
mod differential;
mod servers;

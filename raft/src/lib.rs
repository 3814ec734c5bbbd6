//! Raft: agreement on a log, as a [`Node`](kernel::Node).
//!
//! Follows Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (the paper, §)
//! and Ongaro's dissertation (the thesis), with pre-vote, check-quorum, leadership transfer, learners,
//! joint consensus, batched reads by read index, and pipelined replication.
//!
//! ```text
//!   node          what comes in, and who handles it          start here
//!   election      votes and pre-votes                        §5.2, §5.4.1, thesis §9.6
//!   follower      entries that a leader sends                §5.3
//!   leader        heartbeats, quorum check, cluster time     §5.2, thesis §6.2
//!   replication   entries to the followers, commitment       §5.3, §5.4.2
//!   proposal      requests on their way to the leader        thesis §6.2, §6.3
//!   read          linearizable reads without the log         thesis §6.4
//!   reconfigure   members come and go                        §6, thesis §4
//!   transfer      leadership handed over                     thesis §3.10
//!   snapshot      what is no longer in the log               §7
//!   commitment    what is committed is applied, then dropped from the log
//!
//!   entries  cache  durability  progress  quorum  tickets    the parts that these work with
//!   print                                                    all of it as lines for people
//!   image                                                    all of it as bytes, to go on from there
//! ```
//!
//! # What it promises
//!
//! - At most one leader a term; a leader never changes its own log; logs that agree on an entry agree
//!   on all before it; what is committed is in the log of every later leader; what is applied at an
//!   index is the same everywhere (figure 3 of the paper).
//! - Nothing is said before it is durable: a vote, a vote request and an acknowledgement wait for the
//!   disk. A leader's entries do not: they travel while its own disk writes.
//! - Every request ends exactly once: applied, refused, or unknown.
#![no_std]

extern crate alloc;

mod cache;
mod check;
mod commitment;
mod config;
mod durability;
mod election;
mod entries;
mod follower;
mod image;
mod leader;
mod message;
mod message_codec;
mod node;
pub mod print;
mod progress;
mod proposal;
mod quorum;
mod read;
mod reconfigure;
mod replication;
mod request;
mod snapshot;
mod status;
mod tickets;
mod transfer;

pub use config::{Boot, Config};
pub use message::{AppendOutcome, Body, ForwardOutcome, Message, Proposal};
pub use node::Raft;
pub use quorum::{Tally, committed, has_quorum, tally};
pub use request::{Change, Request};
pub use status::{PeerStatus, Status};

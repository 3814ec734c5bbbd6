//! The real world: disk, sockets, clock, threads; runs any [`Node`](kernel::Node).
//!
//! ```text
//!   fronts ──request──▶ ┌───────────────────┐ ◀──▶ sockets to the other nodes
//!          ◀─answer──   │ consensus thread  │
//!                       │ Node::handle      │ ──persist──▶ log thread ──▶ segments of the log
//!                       └───────────────────┘ ◀─durable──  segment thread (makes and removes them)
//!                          │ apply    ▲ applied
//!                          ▼          │
//!                       applier thread ──flush──▶ flush thread ──▶ base of the tables
//!                          └──▶ answers, readings     snapshot thread (streams between nodes)
//!                                         verify thread (reads the tables through)
//! ```
//! Hand-offs move whole queues, with one wake-up for each batch and thread. Nothing on the consensus
//! thread waits for a disk. Nothing here is a rule of consensus: what must be durable before what is
//! said stands in the effects of the node and is kept by the gate.
//!
//! A node without a log, whose messages are datagrams, is run by [`DatagramHost`] instead.
//!
//! Begin with [`start()`]; talk to the node over its [`Handle`].

mod applier_thread;
mod base;
mod clock;
mod config;
mod consensus_thread;
mod datagram;
mod disk;
mod entropy;
mod errands;
mod folder;
mod generations;
mod handle;
mod identity;
mod inbox;
mod last_inputs;
mod leftovers;
mod log_thread;
mod mailbox;
mod metrics;
mod recover;
mod request_error;
mod running;
#[cfg(test)]
mod scratch;
mod segment_thread;
mod shared;
mod snapshot_thread;
mod start;
mod start_error;
mod tickets;
mod transport;
mod world;

pub use config::{Begin, HostConfig, Limits, Notify};
pub use datagram::{DatagramAnswer, DatagramHost, DatagramSocket};
pub use entropy::{draw_client_id, draw_cluster_id, draw_secret, draw_u64};
pub use folder::peek;
pub use handle::Handle;
pub use identity::FolderIdentity;
pub use last_inputs::{LastInputs, LastInputsError, Recorder};
pub use leftovers::{Leftovers, leftovers};
pub use metrics::{HostMetrics, Quantiles};
pub use recover::FirstTables;
pub use request_error::RequestError;
pub use running::Running;
pub use start::{Boot, Hosted, found, start};
pub use start_error::StartError;
pub use transport::{LinkState, LinkStatus};

/// The one group that a host runs as yet.
pub(crate) const GROUP: kernel::GroupId = kernel::GroupId(1);

//! The fronts: what clients speak. HTTP/JSON for every system, gRPC for the key/value store, the protocol of
//! beanstalkd for the work queue.
//!
//! ```text
//!   server ─▶ connection ─▶ front ─▶ route ─▶ kv  queue  members  observe ─▶ the node's handle
//!                             └ call, body        └ answer, error, outcome
//! ```
//! A front holds no rule of any system: it translates, bounds (connections, bytes, time) and explains.

mod answer;
mod beanstalkd;
mod body;
mod call;
mod connection;
mod consistency;
mod error;
mod etcd;
mod front;
mod kv;
mod limits;
mod members;
mod observe;
mod outcome;
mod percent;
mod queue;
mod quota;
mod route;
mod server;
mod system;

pub use etcd::{EtcdSnapshot, Holds};
pub use front::{Front, Node};
pub use limits::{Limits, raise_open_files};
pub use percent::encode;
pub use server::{listen, serve, serve_beanstalkd};
pub use system::System;

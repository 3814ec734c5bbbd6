//! The fronts: what clients speak. HTTP/JSON for now.
//!
//! ```text
//!   server ─▶ connection ─▶ front ─▶ route ─▶ kv  members  observe ─▶ the node's handle
//!                             └ call, body        └ answer, error, outcome
//! ```
//! A front holds no rule of any system: it translates, bounds (connections, bytes, time) and explains.

mod answer;
mod body;
mod call;
mod connection;
mod error;
mod etcd;
mod front;
mod kv;
mod limits;
mod members;
mod observe;
mod outcome;
mod percent;
mod quota;
mod route;
mod server;

pub use etcd::{EtcdSnapshot, Holds};
pub use front::{Front, Node};
pub use limits::{Limits, raise_open_files};
pub use percent::encode;
pub use server::{listen, serve};

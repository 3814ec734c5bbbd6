//! The work queue for clients of beanstalkd: the same tasks as over HTTP, as jobs in tubes.
//!
//! ```text
//!   bytes ─▶ Decoder ─▶ client ─┬▶ proposals   what can go through the log together: put, delete, release, ...
//!                               ├▶ reserve     waits in line at the desk, or takes at once
//!                               └▶ look        peek, stats, lists: what is read
//! ```
//! Every node takes every command and reaches the leader by itself. A job is reserved for a connection; when it is
//! lost, its jobs are ready again. A tube without jobs is known only at the node whose clients use or watch it, and
//! what counts commands and clients counts those of this node.

mod census;
mod client;
mod look;
mod pages;
mod proposals;
mod reserve;

use std::{sync::Arc, time::Instant};

use tokio::{net::TcpStream, sync::watch};

use crate::{front::Front, queue::Desk};
use census::Census;
use client::Client;

/// The tube that every client uses and watches at first.
const DEFAULT_TUBE: &[u8] = b"default";

/// The longest body of a job, in bytes: that of any task.
const JOB_BYTES_MAX: u32 = 1 << 20;
const _: () = assert!(JOB_BYTES_MAX as usize == queue::PAYLOAD_BYTES_MAX);

/// One node's server for clients of beanstalkd.
#[derive(Debug)]
pub(crate) struct Server {
    front: Arc<Front>,
    desk: Arc<Desk>,
    census: Census,
    started: Instant,
}

impl Server {
    pub(crate) fn new(front: &Arc<Front>) -> Arc<Self> {
        Arc::new(Self {
            front: Arc::clone(front),
            desk: Arc::clone(front.desk()),
            census: Census::default(),
            started: Instant::now(),
        })
    }

    /// Serves a connection until the client leaves or `stop` becomes true.
    pub(crate) async fn serve(self: Arc<Self>, stream: TcpStream, stop: watch::Receiver<bool>) {
        let mut client = Client::new(self);
        // Whatever ended it, the client has left.
        let _ = client.converse(stream, stop).await;
        client.leave().await;
    }
}

//! Clients that say `hasleader: true` rather hear of a cluster without a leader than wait for one.
//!
//! As in etcd, such a request is refused at once, and a stream ends when there has been no leader for a while: so
//! whoever watches at a member that is cut off learns it, and goes on at another one.

use std::time::Duration;

use http::HeaderMap;
use tokio::time::{Instant, sleep};
use tonic::Status;

use super::Etcd;

const NAME: &str = "hasleader";

/// How long a stream goes on without a leader: longer than an election takes.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often it is looked at.
const POLL: Duration = Duration::from_millis(500);

/// True if a request with these headers is of no use without a leader.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    headers.get(NAME).is_some_and(|value| value == "true")
}

impl Etcd {
    pub(super) fn has_leader(&self) -> bool {
        self.front.node.status().leader.is_some()
    }

    /// Waits until a stream that wants a leader has been without one for too long; for ever if it does not want one.
    /// Gives what its client is told.
    pub(super) async fn leader_lost(&self) -> Status {
        if !self.wants_leader {
            return std::future::pending().await;
        }
        let mut seen = Instant::now();
        while seen.elapsed() < PATIENCE {
            sleep(POLL).await;
            if self.has_leader() {
                seen = Instant::now();
            }
        }
        no_leader()
    }
}

/// In etcd's words.
pub(super) fn no_leader() -> Status {
    Status::unavailable("etcdserver: no leader")
}

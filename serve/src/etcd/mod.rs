//! etcd's v3 interface: gRPC on the port on which HTTP/1.1 is spoken too.
//!
//! ```text
//! connection ─▶ server ──▶ kv  lease  watch  cluster  maintenance  auth  lock  election  health
//!            └▶ gateway ─┘  └ messages: theirs ◀─▶ ours       refusal: why not, in etcd's own words
//! ```
//! Like every front it holds no rule: a request becomes a command or a query of the store, an answer
//! becomes a message.

mod auth;
mod authority;
mod cluster;
mod election;
mod gateway;
mod health;
mod hpack;
mod import;
mod kv;
mod leader;
mod lease;
mod lock;
mod maintenance;
mod messages;
mod refusal;
mod retention;
mod server;
mod snapshot;
mod watch;

use std::sync::Arc;

use ::etcd::etcdserverpb::ResponseHeader;
use ::kv::{Answer, Command, Failure, Query};
use kernel::{Reading, Wire};
use raft::Request;
use tonic::Status;

use crate::{front::Front, quota};
use auth::{Passwords, Token};

pub(crate) use gateway::{BEGINS as GATEWAY_BEGINS, is_for as is_for_gateway};
pub use import::{EtcdSnapshot, Holds};
pub(crate) use server::serve;
pub(crate) use watch::Hub;

/// The version of etcd whose interface this is. From 3.5.13 on clients rely on the progress of watches.
pub(crate) const VERSION: &str = "3.5.21";

/// The version of the cluster's data, in etcd's counting.
pub(crate) const CLUSTER_VERSION: &str = "3.5.0";

/// The largest request, in bytes.
pub(crate) const REQUEST_BYTES_MAX: usize = 1_572_864;

/// The largest message that etcd reads, in bytes; what is between the two it refuses otherwise.
pub(crate) const MESSAGE_BYTES_MAX: usize = REQUEST_BYTES_MAX + (512 << 10);

/// The services of one node. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Etcd {
    front: Arc<Front>,
    watches: Arc<Hub>,
    passwords: Passwords,
    /// By which whoever asks is known.
    token: Option<Token>,
    /// The request is of no use without a leader.
    wants_leader: bool,
}

impl Etcd {
    pub(crate) fn new(front: &Arc<Front>) -> Self {
        if let Some(kept) = front.limits.history_kept {
            retention::start(front.node.clone(), kept);
        }
        Self {
            front: Arc::clone(front),
            watches: Hub::start(front.node.clone()),
            passwords: Passwords::new(),
            token: None,
            wants_leader: false,
        }
    }

    /// Puts a command through the log, on behalf of whoever asks.
    async fn carry_out(&self, command: Command) -> Result<Answer, Status> {
        if quota::is_exceeded(&self.front, &command).await {
            return Err(refusal::of(Failure::NoSpace));
        }
        let command = command.by(self.caller().await?);
        let request = Request::Command { data: command.to_bytes(), session: None };
        let answer = self.front.node.request(request).await.map_err(refusal::of_write)?;
        let answer = Answer::from_bytes(answer).map_err(|_| refusal::broken("its answer"))?;
        told(answer)
    }

    /// A moment of the tables: of now, or, if `stale`, as far as this node has applied the log.
    async fn reading(&self, stale: bool) -> Result<Reading, Status> {
        let node = &self.front.node;
        let reading = if stale { node.stale().await } else { node.read(Request::Read).await };
        reading.map_err(refusal::of_read)
    }

    /// Asks at such a moment, on behalf of whoever asks; aside, if that may take long.
    async fn ask(&self, query: Query, stale: bool) -> Result<Answer, Status> {
        let reading = self.reading(stale).await?;
        let is_short = matches!(&query, Query::Range(range) if range.is_of_one());
        let query = query.by(self.caller_at(&reading)?);
        let answer = if is_short {
            query.answer(&reading)
        } else {
            let asked = tokio::task::spawn_blocking(move || query.answer(&reading));
            asked.await.expect("a read does not panic")
        };
        told(answer.map_err(|fault| refusal::damaged(&fault))?)
    }

    /// The head of an answer.
    fn header(&self, revision: u64) -> Option<ResponseHeader> {
        let status = self.front.node.status();
        Some(ResponseHeader {
            cluster_id: self.cluster_id(),
            member_id: status.me.node.0,
            revision: revision.cast_signed(),
            raft_term: status.term.0,
        })
    }

    fn cluster_id(&self) -> u64 {
        // Half of it is as good a number, and 0 is none.
        let low = u64::try_from(self.front.cluster.0 & u128::from(u64::MAX));
        low.expect("half of the bits").max(1)
    }
}

/// An answer that is none is told as etcd tells it.
fn told(answer: Answer) -> Result<Answer, Status> {
    match answer {
        Answer::Failed(failure) => Err(refusal::of(failure)),
        Answer::Invalid(invalid) => Err(Status::invalid_argument(invalid.to_string())),
        answer => Ok(answer),
    }
}

/// An answer that was not asked for: a bug, told as one.
fn unexpected(answer: &Answer) -> Status {
    refusal::broken(&format!("an answer that was not asked for: {answer:?}"))
}

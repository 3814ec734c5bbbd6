//! The service Watch: changes of keys, as they happen and as they happened.
//!
//! ```text
//!                  ┌─ up to date: hub ─ reads each change once ─┐
//! client ─▶ stream ┤                                            ├─▶ stream ─▶ client
//!                  └─ behind: the stream reads until it is      ─┘
//! ```
//! What clients rely on: a watch is answered in the order of the requests and before any event of it; its
//! events come once, in the order of revisions, all of a revision together unless it may be split; what
//! is said of the revision that has been reached is never ahead of an event that is still to come.

mod hub;
mod requests;
mod stream;

pub(crate) use hub::Hub;

use std::pin::Pin;

use etcd::etcdserverpb::{WatchRequest, WatchResponse, watch_server::Watch};
use tokio::sync::mpsc;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Request, Response, Status, Streaming};

use super::Etcd;

/// How many answers wait for a client before it is left behind.
const ANSWERS_WAITING_MAX: usize = 64;

#[tonic::async_trait]
impl Watch for Etcd {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<Streaming<WatchRequest>>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let (answers, outgoing) = mpsc::channel(ANSWERS_WAITING_MAX);
        let stream = stream::Stream::new(self.clone(), answers);
        tokio::spawn(stream.run(request.into_inner()));
        Ok(Response::new(Box::pin(ReceiverStream::new(outgoing))))
    }
}

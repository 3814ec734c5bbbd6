//! [`Handle`]: how fronts talk to a node, from any number of threads and tasks.

use std::sync::Arc;

use bytes::Bytes;
use kernel::{Fault, Index, Node, Peer, Reading, Refusal};
use tokio::sync::{oneshot, watch};

use crate::{
    applier_thread::ApplierWork, inbox::Event, metrics::HostMetrics, request_error::RequestError,
    shared::Shared, tickets::Waiting, transport::LinkStatus,
};

/// Talks to a running node. Cheap to clone; it keeps nothing alive but memory.
///
/// Every request ends exactly once. Dropping a future ends the wait, not the request.
#[derive(Debug)]
pub struct Handle<N: Node> {
    shared: Arc<Shared<N>>,
}

impl<N: Node> Clone for Handle<N> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<N: Node> Handle<N> {
    pub(crate) const fn new(shared: Arc<Shared<N>>) -> Self {
        Self { shared }
    }

    /// Carries out a request that ends with an answer, and waits for it.
    ///
    /// # Errors
    /// [`RequestError`] says whether it was carried out.
    pub async fn request(&self, request: N::Request) -> Result<Bytes, RequestError> {
        self.submit(request).await
    }

    /// As [`Handle::request`], but the request is handed in when this is called, before anybody waits: those of
    /// one caller come in the order in which it calls.
    ///
    /// # Errors
    /// [`RequestError`] says whether it was carried out.
    pub fn submit(
        &self,
        request: N::Request,
    ) -> impl Future<Output = Result<Bytes, RequestError>> + Send + use<N> {
        let (ended, outcome) = oneshot::channel();
        let handed_in = self.hand_in(Waiting::Answer(ended), request);
        async move {
            handed_in?;
            outcome.await.unwrap_or(Err(RequestError::Unknown))
        }
    }

    /// Carries out a request that ends with a moment of the tables to read, and waits for it.
    ///
    /// # Errors
    /// [`RequestError`]; a read can be tried again in any case.
    pub async fn read(&self, request: N::Request) -> Result<Reading, RequestError> {
        let (ended, outcome) = oneshot::channel();
        self.hand_in(Waiting::Reading(ended), request)?;
        outcome.await.unwrap_or(Err(RequestError::Stopped))
    }

    /// What this node has applied by now, which may be behind what is committed.
    ///
    /// # Errors
    /// [`RequestError::Stopped`], or refused as busy.
    pub async fn stale(&self) -> Result<Reading, RequestError> {
        self.check_room(false)?;
        let (ended, outcome) = oneshot::channel();
        let ticket = self.shared.tickets.open(Waiting::Reading(ended));
        if !self.shared.mail.applier.push(ApplierWork::Stale { ticket }) {
            self.shared.tickets.stopped(ticket);
        }
        outcome.await.unwrap_or(Err(RequestError::Stopped))
    }

    /// The last entry that this node has applied, for whoever wants to know when there is more to read.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<Index> {
        self.shared.board.applied()
    }

    /// The node's status, some 20 milliseconds old at most.
    #[must_use]
    pub fn status(&self) -> Arc<N::Status> {
        self.shared.board.status()
    }

    /// The node and its present life.
    #[must_use]
    pub fn me(&self) -> Peer {
        self.shared.me
    }

    /// The connections to the other nodes.
    #[must_use]
    pub fn links(&self) -> Vec<LinkStatus> {
        self.shared.board.links()
    }

    /// What the host has counted.
    #[must_use]
    pub fn metrics(&self) -> HostMetrics {
        self.shared.metrics.snapshot()
    }

    /// The size of the file of the tables when they were last flushed, in bytes.
    #[must_use]
    pub fn tables_file_bytes(&self) -> u64 {
        self.shared.metrics.tables_file_bytes.get()
    }

    /// How many bytes may still be written to the disk of the data folder; nothing if nobody can say.
    #[must_use]
    pub fn room_bytes(&self) -> Option<u64> {
        crate::disk::room(self.shared.layout.root()).ok()
    }

    /// Waits until the node has ended; with the fault if it did not end as it was asked to.
    pub async fn stopped(&self) -> Option<Fault> {
        let mut ended = self.shared.board.ended();
        let fault = ended.wait_for(Option::is_some).await;
        fault.ok().and_then(|fault| fault.clone()).flatten()
    }

    /// True once the node has ended.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.board.ended().borrow().is_some()
    }

    /// Asks the node to stop: what is durable stays, tables are flushed, whoever waits is told.
    pub fn stop(&self) {
        self.shared.inbox.push(Event::Stop);
    }

    fn hand_in(&self, waiting: Waiting, request: N::Request) -> Result<(), RequestError> {
        self.check_room(true)?;
        let ticket = self.shared.tickets.open(waiting);
        if !self.shared.inbox.request(ticket, request) {
            self.shared.tickets.stopped(ticket);
        }
        Ok(())
    }

    /// Refuses what would not fit: queues are bounded here, where requests come in.
    fn check_room(&self, is_for_node: bool) -> Result<(), RequestError> {
        let Shared { limits, metrics, .. } = &*self.shared;
        let requests_max = u64::try_from(limits.requests_waiting_max).unwrap_or(u64::MAX);
        let is_full = metrics.requests_waiting.get() >= requests_max
            || is_for_node
                && (metrics.log_queue_bytes.get() > limits.log_queue_bytes_max
                    || metrics.apply_queue_bytes.get() > limits.apply_queue_bytes_max);
        if is_full {
            metrics.requests_refused.add(1);
            return Err(RequestError::Refused(Refusal::Busy));
        }
        Ok(())
    }
}

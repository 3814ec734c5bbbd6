//! Who waits for what: each ticket ends exactly once.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use kernel::{Reading, Refusal, Ticket};
use tokio::sync::oneshot;

use crate::{mailbox::lock, metrics::Metrics, request_error::RequestError};

/// Tickets are spread over this many locks, so that threads seldom meet at one.
const SHARDS: u64 = 16;

/// How a request ends.
pub(crate) type Ended<T> = oneshot::Sender<Result<T, RequestError>>;

/// Somebody who waits. That they no longer listen does not matter.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// For an answer.
    Answer(Ended<Bytes>),
    /// For a moment of the tables.
    Reading(Ended<Reading>),
}

impl Waiting {
    fn fail(self, error: RequestError) {
        // Whoever gave up waiting has dropped the other end.
        let _ = match self {
            Self::Answer(ended) => ended.send(Err(error)).is_ok(),
            Self::Reading(ended) => ended.send(Err(error)).is_ok(),
        };
    }
}

/// All who wait.
#[derive(Debug)]
pub(crate) struct Tickets {
    next: AtomicU64,
    shards: Vec<Mutex<HashMap<Ticket, Waiting>>>,
    metrics: std::sync::Arc<Metrics>,
}

impl Tickets {
    pub(crate) fn new(metrics: std::sync::Arc<Metrics>) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { next: AtomicU64::new(1), shards, metrics }
    }

    /// A new ticket under which `waiting` waits.
    pub(crate) fn open(&self, waiting: Waiting) -> Ticket {
        let ticket = Ticket(self.next.fetch_add(1, Ordering::Relaxed));
        lock(self.shard(ticket)).insert(ticket, waiting);
        self.metrics.requests.add(1);
        self.metrics.requests_waiting.add(1);
        ticket
    }

    pub(crate) fn answer(&self, ticket: Ticket, answer: Bytes) {
        match self.take(ticket) {
            Some(Waiting::Answer(ended)) => drop(ended.send(Ok(answer))),
            Some(waiting @ Waiting::Reading(_)) => waiting.fail(RequestError::Unknown),
            None => {}
        }
    }

    pub(crate) fn reading(&self, ticket: Ticket, reading: Reading) {
        match self.take(ticket) {
            Some(Waiting::Reading(ended)) => drop(ended.send(Ok(reading))),
            Some(waiting @ Waiting::Answer(_)) => waiting.fail(RequestError::Unknown),
            None => {}
        }
    }

    pub(crate) fn refused(&self, ticket: Ticket, refusal: Refusal) {
        self.metrics.requests_refused.add(1);
        self.fail(ticket, RequestError::Refused(refusal));
    }

    pub(crate) fn unknown(&self, ticket: Ticket) {
        self.fail(ticket, RequestError::Unknown);
    }

    pub(crate) fn forgotten(&self, ticket: Ticket) {
        self.fail(ticket, RequestError::Forgotten);
    }

    /// The node has stopped before it saw this request.
    pub(crate) fn stopped(&self, ticket: Ticket) {
        self.fail(ticket, RequestError::Stopped);
    }

    /// The node has stopped: nobody will learn what became of a command; a read was not carried out.
    pub(crate) fn end_all(&self) {
        for shard in &self.shards {
            for (_, waiting) in lock(shard).drain() {
                self.metrics.requests_waiting.sub(1);
                let error = match &waiting {
                    Waiting::Answer(_) => RequestError::Unknown,
                    Waiting::Reading(_) => RequestError::Stopped,
                };
                waiting.fail(error);
            }
        }
    }

    fn fail(&self, ticket: Ticket, error: RequestError) {
        if let Some(waiting) = self.take(ticket) {
            waiting.fail(error);
        }
    }

    fn take(&self, ticket: Ticket) -> Option<Waiting> {
        let waiting = lock(self.shard(ticket)).remove(&ticket)?;
        self.metrics.requests_waiting.sub(1);
        Some(waiting)
    }

    fn shard(&self, ticket: Ticket) -> &Mutex<HashMap<Ticket, Waiting>> {
        let place = usize::try_from(ticket.0 % SHARDS).expect("there are few shards");
        &self.shards[place]
    }
}

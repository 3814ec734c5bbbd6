//! What has arrived for the consensus thread from the other threads of its process.

use std::{net::SocketAddr, sync::Mutex};

use kernel::{
    Fault, FetchId, FetchOutcome, Generation, Index, Node, NodeId, PersistNumber, SnapshotMeta,
    Stamp, StorageFault, Ticket,
};
use replica::SnapshotMessage;

use crate::mailbox::lock;

/// Something that another thread tells the consensus thread.
#[derive(Debug)]
pub(crate) enum Event {
    /// All persist work through this number is durable.
    Durable(PersistNumber),
    /// Entries were applied, or tables flushed.
    Applied { index: Index, durable: Index, next_deadline: Option<Stamp> },
    /// The log's disk has a problem, or no longer has; in words, too.
    Storage(StorageFault, String),
    /// A fetch has ended.
    Fetched { id: FetchId, outcome: FetchOutcome },
    /// A snapshot was received whole.
    SnapshotReady { meta: SnapshotMeta, generation: Generation },
    /// The stream of a snapshot has ended.
    SnapshotSent { to: NodeId, delivered: Option<Index> },
    /// The tables are now those of the snapshot.
    SnapshotInstalled { index: Index },
    /// A message of a snapshot's stream is to be sent.
    SendSnapshot { to: NodeId, message: SnapshotMessage },
    /// A host name was looked up.
    Resolved { node: NodeId, addresses: Vec<SocketAddr> },
    /// The node must stop.
    Fail(Fault),
    /// The node is asked to stop.
    Stop,
}

/// All that has arrived, in order.
#[derive(Debug)]
pub(crate) struct Arrivals<N: Node> {
    pub(crate) events: Vec<Event>,
    pub(crate) requests: Vec<(Ticket, N::Request)>,
}

impl<N: Node> Default for Arrivals<N> {
    fn default() -> Self {
        Self { events: Vec::new(), requests: Vec::new() }
    }
}

impl<N: Node> Arrivals<N> {
    pub(crate) const fn is_empty(&self) -> bool {
        self.events.is_empty() && self.requests.is_empty()
    }
}

/// The consensus thread's queue. It sleeps in its poll for sockets, so it is woken there.
#[derive(Debug)]
pub(crate) struct Inbox<N: Node> {
    state: Mutex<State<N>>,
    waker: mio::Waker,
}

#[derive(Debug)]
struct State<N: Node> {
    arrivals: Arrivals<N>,
    is_sleeping: bool,
    is_closed: bool,
}

impl<N: Node> Inbox<N> {
    pub(crate) const fn new(waker: mio::Waker) -> Self {
        let arrivals = Arrivals { events: Vec::new(), requests: Vec::new() };
        let state = State { arrivals, is_sleeping: false, is_closed: false };
        Self { state: Mutex::new(state), waker }
    }

    /// Tells the consensus thread something. Nobody listens any more once it is closed.
    pub(crate) fn push(&self, event: Event) {
        self.with(|arrivals| add(&mut arrivals.events, event));
    }

    /// Hands in a request; false if the node has stopped and will never see it.
    pub(crate) fn request(&self, ticket: Ticket, request: N::Request) -> bool {
        self.with(|arrivals| arrivals.requests.push((ticket, request)))
    }

    fn with(&self, add: impl FnOnce(&mut Arrivals<N>)) -> bool {
        let mut state = lock(&self.state);
        if state.is_closed {
            return false;
        }
        add(&mut state.arrivals);
        let wake = std::mem::take(&mut state.is_sleeping);
        drop(state);
        if wake {
            self.waker.wake().expect("the consensus thread's queue of events takes a wake-up");
        }
        true
    }

    /// Swaps what has arrived with `into`, which must be empty.
    pub(crate) fn take(&self, into: &mut Arrivals<N>) {
        assert!(into.is_empty(), "what arrived before has been handled");
        let mut state = lock(&self.state);
        state.is_sleeping = false;
        std::mem::swap(&mut state.arrivals, into);
    }

    /// Notes that the consensus thread is about to sleep; false if it must not, because something has
    /// arrived.
    pub(crate) fn may_sleep(&self) -> bool {
        let mut state = lock(&self.state);
        state.is_sleeping = state.arrivals.is_empty();
        state.is_sleeping
    }

    /// Takes nothing more, and gives what had arrived.
    pub(crate) fn close(&self) -> Arrivals<N> {
        let mut state = lock(&self.state);
        state.is_closed = true;
        std::mem::take(&mut state.arrivals)
    }
}

/// Appends an event; a number that only grows takes the place of the one right before it.
fn add(events: &mut Vec<Event>, event: Event) {
    match (events.last_mut(), &event) {
        (Some(last @ Event::Durable(_)), Event::Durable(_))
        | (Some(last @ Event::Applied { .. }), Event::Applied { .. }) => *last = event,
        _ => events.push(event),
    }
}

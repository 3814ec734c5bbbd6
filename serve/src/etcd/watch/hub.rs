//! [`Hub`]: reads what changed once, and hands it to the streams that want it.
//!
//! The hub has one place in the history for all watches that are up to date. A watch that begins earlier,
//! or whose client does not take what it is handed, reads on its own until it is where the hub is, and
//! joins then. What is handed out ends with a whole revision.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use kernel::{Fault, Reading};
use kv::{
    Event, Interest, Item, Keys,
    events::{events_since, is_gone, revision},
};
use tokio::sync::{Notify, mpsc, watch};

use crate::front::Node;

/// About how many changes are read at once.
const EVENTS_AT_ONCE: usize = 512;

/// A change, and what was there before if somebody wants to know.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) event: Event,
    pub(super) previous: Option<Item>,
}

/// What the hub hands to a stream.
#[derive(Debug)]
pub(super) struct Delivery {
    /// Which watch of the stream it is for.
    pub(super) watch: i64,
    /// What changed that the watch wants, in order.
    pub(super) changes: Vec<Arc<Change>>,
    /// The first revision that has not been looked at.
    pub(super) next: u64,
}

/// What a watch is, as far as the hub must know.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    /// What it wants.
    pub(super) interest: Interest,
    /// The first revision that it wants.
    pub(super) from: u64,
    /// What was there before is wanted.
    pub(super) previous: bool,
    /// Its stream, and its number there.
    pub(super) stream: u64,
    pub(super) watch: i64,
    /// Where what it wants goes.
    pub(super) deliveries: mpsc::Sender<Delivery>,
    /// Where it is left if that is full.
    pub(super) left_behind: Arc<LeftBehind>,
}

/// The watches of a stream that could not be handed what they want, and from where they must read on.
#[derive(Debug, Default)]
pub(super) struct LeftBehind {
    watches: Mutex<Vec<(i64, u64)>>,
    pub(super) some: Notify,
}

impl LeftBehind {
    fn leave(&self, watch: i64, next: u64) {
        lock(&self.watches).push((watch, next));
        self.some.notify_one();
    }

    pub(super) fn is_empty(&self) -> bool {
        lock(&self.watches).is_empty()
    }

    pub(super) fn take(&self) -> Vec<(i64, u64)> {
        std::mem::take(&mut lock(&self.watches))
    }
}

/// A watch: its stream, and its number there.
type Place = (u64, i64);

#[derive(Debug, Default)]
struct Seats {
    /// The first revision that has not been handed out.
    next: u64,
    seats: HashMap<Place, Seat>,
    /// Those that want one key.
    by_key: HashMap<Bytes, HashSet<Place>>,
    /// Those that want a range.
    by_range: HashSet<Place>,
}

/// Reads what changed once, for all watches of a node.
#[derive(Debug)]
pub(crate) struct Hub {
    node: Node,
    seats: Mutex<Seats>,
    /// How many streams there have been.
    streams: AtomicU64,
    /// Changes whenever something was handed out.
    handed_out: watch::Sender<()>,
}

impl Hub {
    /// Reads as long as the node runs.
    pub(crate) fn start(node: Node) -> Arc<Self> {
        let hub = Arc::new(Self {
            node,
            seats: Mutex::default(),
            streams: AtomicU64::new(0),
            handed_out: watch::Sender::default(),
        });
        let runner = Arc::clone(&hub);
        tokio::spawn(async move { runner.run().await });
        hub
    }

    /// A number that no other stream has.
    pub(super) fn number_a_stream(&self) -> u64 {
        self.streams.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a watch in that has seen all before `from`, at a moment at which the store had a revision.
    /// Gives where the hub is if the watch must first read on until there.
    pub(super) fn join(&self, seat: Seat, at: u64) -> Result<(), u64> {
        let mut seats = lock(&self.seats);
        if seats.seats.is_empty() {
            seats.next = at + 1;
        }
        if seat.from < seats.next {
            return Err(seats.next);
        }
        seats.add(seat);
        Ok(())
    }

    /// Lets a watch go.
    pub(super) fn leave(&self, stream: u64, watch: i64) {
        lock(&self.seats).remove((stream, watch));
    }

    /// The last revision that has been handed out; nothing if there is nobody to hand it to.
    pub(super) fn reached(&self) -> Option<u64> {
        let seats = lock(&self.seats);
        (!seats.seats.is_empty()).then(|| seats.next - 1)
    }

    /// Changes whenever something was handed out.
    pub(super) fn handed_out(&self) -> watch::Receiver<()> {
        self.handed_out.subscribe()
    }

    async fn run(&self) {
        let mut applied = self.node.applied();
        while applied.changed().await.is_ok() {
            while let Some(from) = self.wanted() {
                let Ok(reading) = self.node.stale().await else {
                    break;
                };
                match self.hand_out(&reading, from) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(fault) => {
                        tracing::error!("Watchers cannot be told what changed: {fault}.");
                        return;
                    }
                }
            }
        }
    }

    fn wanted(&self) -> Option<u64> {
        let seats = lock(&self.seats);
        (!seats.seats.is_empty()).then_some(seats.next)
    }

    /// Hands out what changed from a revision on, a page of it. True if there may be more.
    fn hand_out(&self, reading: &Reading, from: u64) -> Result<bool, Fault> {
        if from > revision(reading)? {
            return Ok(false);
        }
        if is_gone(reading, from)? {
            lock(&self.seats).leave_all_behind(from);
            return Ok(false);
        }
        let page = events_since(reading, from, EVENTS_AT_ONCE)?;
        let mut seats = lock(&self.seats);
        if seats.next != from {
            return Ok(true);
        }
        let mut wanted: HashMap<Place, Vec<Arc<Change>>> = HashMap::new();
        for event in page.events {
            let places = seats.interested(&event);
            if places.is_empty() {
                continue;
            }
            let wants_previous = places.iter().any(|place| seats.seats[place].previous);
            let previous = if wants_previous { event.previous(reading)? } else { None };
            let change = Arc::new(Change { event, previous });
            for place in places {
                wanted.entry(place).or_default().push(Arc::clone(&change));
            }
        }
        seats.next = page.next;
        for (place, changes) in wanted {
            seats.deliver(place, changes, from);
        }
        drop(seats);
        self.handed_out.send_replace(());
        Ok(true)
    }
}

impl Seats {
    fn add(&mut self, seat: Seat) {
        let place = (seat.stream, seat.watch);
        match &seat.interest.keys {
            Keys::One(key) => {
                self.by_key.entry(key.clone()).or_default().insert(place);
            }
            Keys::Range(..) | Keys::From(_) => {
                self.by_range.insert(place);
            }
        }
        let before = self.seats.insert(place, seat);
        assert!(before.is_none(), "a watch joins once");
    }

    fn remove(&mut self, place: Place) -> Option<Seat> {
        let seat = self.seats.remove(&place)?;
        self.by_range.remove(&place);
        if let Keys::One(key) = &seat.interest.keys
            && let Some(places) = self.by_key.get_mut(key)
        {
            places.remove(&place);
            if places.is_empty() {
                self.by_key.remove(key);
            }
        }
        Some(seat)
    }

    fn interested(&self, event: &Event) -> Vec<Place> {
        let of_key = self.by_key.get(&event.item.key).into_iter().flatten();
        let is_interested = |place: &&Place| {
            let seat = &self.seats[place];
            seat.from <= event.item.modified && seat.interest.includes(event)
        };
        of_key.chain(&self.by_range).filter(is_interested).copied().collect()
    }

    /// Hands a watch what it wants; if there is no room for it, the watch reads on its own from where
    /// this page began.
    fn deliver(&mut self, place: Place, changes: Vec<Arc<Change>>, from: u64) {
        let next = self.next;
        let seat = &self.seats[&place];
        let delivery = Delivery { watch: place.1, changes, next };
        if seat.deliveries.try_send(delivery).is_err()
            && let Some(seat) = self.remove(place)
        {
            seat.left_behind.leave(place.1, from.max(seat.from));
        }
    }

    fn leave_all_behind(&mut self, next: u64) {
        for place in self.seats.keys().copied().collect::<Vec<_>>() {
            if let Some(seat) = self.remove(place) {
                seat.left_behind.leave(place.1, next.max(seat.from));
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

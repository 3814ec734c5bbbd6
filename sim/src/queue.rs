//! What will happen, by the moment at which it does; what was planned first happens first.

use alloc::{collections::BinaryHeap, vec::Vec};
use core::cmp::Reverse;

#[derive(Debug)]
pub(crate) struct Queue<Event> {
    /// Moment in nanoseconds, order of planning, place of the event.
    heap: BinaryHeap<Reverse<(u64, u64, usize)>>,
    events: Vec<Option<Event>>,
    free: Vec<usize>,
    planned: u64,
}

impl<Event> Queue<Event> {
    pub(crate) const fn new() -> Self {
        Self { heap: BinaryHeap::new(), events: Vec::new(), free: Vec::new(), planned: 0 }
    }

    pub(crate) fn plan(&mut self, at_ns: u64, event: Event) {
        let place = self.free.pop().unwrap_or(self.events.len());
        if place == self.events.len() {
            self.events.push(Some(event));
        } else {
            self.events[place] = Some(event);
        }
        self.heap.push(Reverse((at_ns, self.planned, place)));
        self.planned += 1;
    }

    /// How many events are planned.
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// The next event and its moment.
    pub(crate) fn next(&mut self) -> Option<(u64, Event)> {
        let Reverse((at_ns, _, place)) = self.heap.pop()?;
        self.free.push(place);
        let event = self.events[place].take().expect("what is planned has its place");
        Some((at_ns, event))
    }
}

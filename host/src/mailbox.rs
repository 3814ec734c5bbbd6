//! Hand-offs between threads: whole queues move at once, and a thread is woken once for all of them.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Locks; a thread that panicked while it held the lock stops the node by other means.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A queue with one receiver. What it holds is bounded by those who send.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
}

#[derive(Debug)]
struct State<T> {
    items: Vec<T>,
    is_waiting: bool,
    is_closed: bool,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        let state = State { items: Vec::new(), is_waiting: false, is_closed: false };
        Self { state: Mutex::new(state), arrived: Condvar::new() }
    }
}

impl<T> Mailbox<T> {
    /// Sends one item; false if it is dropped because the mailbox is closed.
    pub(crate) fn push(&self, item: T) -> bool {
        self.with(|items| items.push(item))
    }

    /// Sends all `items`, in their order, with one wake-up.
    pub(crate) fn push_all(&self, items: &mut Vec<T>) {
        if !items.is_empty() {
            self.with(|queue| queue.append(items));
        }
    }

    fn with(&self, add: impl FnOnce(&mut Vec<T>)) -> bool {
        let mut state = lock(&self.state);
        if state.is_closed {
            return false;
        }
        add(&mut state.items);
        let wake = std::mem::take(&mut state.is_waiting);
        drop(state);
        if wake {
            self.arrived.notify_one();
        }
        true
    }

    /// Waits for something and moves all of it to the end of `into`; false once the mailbox is closed
    /// and empty.
    pub(crate) fn take(&self, into: &mut Vec<T>) -> bool {
        let mut state = lock(&self.state);
        while state.items.is_empty() {
            if state.is_closed {
                return false;
            }
            state.is_waiting = true;
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        move_all(&mut state.items, into);
        true
    }

    /// Moves what is there to the end of `into` without waiting.
    pub(crate) fn take_now(&self, into: &mut Vec<T>) {
        move_all(&mut lock(&self.state).items, into);
    }

    /// As [`take`](Self::take), but waits no longer than `wait`; true unless it is closed and empty.
    pub(crate) fn take_within(&self, into: &mut Vec<T>, wait: Duration) -> bool {
        let mut state = lock(&self.state);
        if state.items.is_empty() {
            state = self.wait_within(state, wait);
        }
        let goes_on = !state.is_closed || !state.items.is_empty();
        move_all(&mut state.items, into);
        goes_on
    }

    /// Waits, but no longer than `wait`, for the close or for more items, and takes none; true if it is
    /// closed.
    pub(crate) fn closes_within(&self, wait: Duration) -> bool {
        let state = lock(&self.state);
        self.wait_within(state, wait).is_closed
    }

    /// True if nothing comes any more.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.state).is_closed
    }

    fn wait_within<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<T>>,
        wait: Duration,
    ) -> MutexGuard<'a, State<T>> {
        if state.is_closed {
            return state;
        }
        state.is_waiting = true;
        let waited = self.arrived.wait_timeout(state, wait);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.is_waiting = false;
        state
    }

    /// Takes no more items and drops those that are there.
    pub(crate) fn discard(&self) {
        self.close();
        drop(std::mem::take(&mut lock(&self.state).items));
    }

    /// No more items: the receiver takes what is there, then it ends.
    pub(crate) fn close(&self) {
        lock(&self.state).is_closed = true;
        self.arrived.notify_one();
    }
}

/// Moves all items; swaps the buffers if it can, so that neither side allocates for each batch.
fn move_all<T>(from: &mut Vec<T>, into: &mut Vec<T>) {
    if into.is_empty() {
        std::mem::swap(from, into);
    } else {
        into.append(from);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::Mailbox;

    #[test]
    fn items_arrive_in_order_and_none_is_lost_at_the_close() {
        let mailbox = Arc::new(Mailbox::default());
        let sender = Arc::clone(&mailbox);
        let thread = thread::spawn(move || {
            for number in 0..10_000 {
                sender.push(number);
            }
            sender.close();
        });
        let mut received = Vec::new();
        let mut batch = Vec::new();
        while mailbox.take(&mut batch) {
            received.append(&mut batch);
        }
        thread.join().unwrap();
        assert_eq!(received, (0..10_000).collect::<Vec<_>>());
    }
}

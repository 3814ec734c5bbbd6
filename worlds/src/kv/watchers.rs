//! Watchers of the store, who go from node to node: what they are promised is checked at each look.
//!
//! 1. Ordered: events come in the order of their revisions.
//! 2. Unique: none comes twice.
//! 3. Atomic: all events of a revision come together.
//! 4. Reliable: no revision is left out, unless the store says that it was compacted.
//! 5. Resumable: who goes on at another node misses nothing, and sees the same.
//! 6. Filtered: who wants some keys sees all of theirs and no others.
//! 7. What was there before is what the last event of the key left.
//! 8. An event is a creation if and only if nothing was there.
//! 9. What is said to be reached has been told.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Bytes, Fault, Reading};
use kv::{
    Event, Events, Interest, Item, Keys,
    events::{compacted, events_since, is_gone, revision},
};

/// How many changes each watcher reads at once, more or less.
const PAGES: [usize; 2] = [3, 200];

/// An event, and what was there before.
type Seen = (Event, Option<Item>);

/// All that watchers have seen, and where each of them is.
#[derive(Clone, Debug)]
pub(super) struct Watchers {
    /// What each revision changed, as whoever came first has seen it.
    seen: BTreeMap<u64, Vec<Seen>>,
    /// What the events so far have left of each key of which there was one.
    left: BTreeMap<Bytes, Option<Item>>,
    /// The next revision of each watcher.
    next: [u64; PAGES.len()],
    /// The latest revision at which the store was seen to be compacted.
    compacted: u64,
}

impl Default for Watchers {
    fn default() -> Self {
        Self { seen: BTreeMap::new(), left: BTreeMap::new(), next: [2; PAGES.len()], compacted: 0 }
    }
}

impl Watchers {
    /// The latest revision that was seen, and the latest of those at which the store was compacted.
    pub(super) fn known(&self) -> (u64, u64) {
        (self.seen.last_key_value().map_or(0, |(last, _)| *last), self.compacted)
    }

    /// Lets each watcher read on in the tables of one node.
    ///
    /// # Errors
    /// Which promise is broken.
    pub(super) fn look(&mut self, reading: &Reading) -> Result<(), String> {
        for (watcher, most) in PAGES.into_iter().enumerate() {
            match self.read_on(watcher, most, reading) {
                Ok(found) => found?,
                // A table that cannot be read stops its node, and tells nobody anything.
                Err(_) => return Ok(()),
            }
        }
        // What all of them have passed nobody will see again.
        let passed = self.next.into_iter().min().unwrap_or(0);
        self.seen = self.seen.split_off(&passed.saturating_sub(1));
        Ok(())
    }

    fn read_on(
        &mut self,
        watcher: usize,
        most: usize,
        reading: &Reading,
    ) -> Result<Result<(), String>, Fault> {
        let present = revision(reading)?;
        while self.next[watcher] <= present {
            let next = self.next[watcher];
            if is_gone(reading, next)? {
                self.next[watcher] = compacted(reading)?.unwrap_or(next).max(next + 1);
                continue;
            }
            let page = events_since(reading, next, most)?;
            if let Err(broken) = check_page(next, present, &page) {
                return Ok(Err(format!("{broken}, from {next} on: {page:?}")));
            }
            self.next[watcher] = page.next;
            if let Err(broken) = self.compare(page.events, reading)? {
                return Ok(Err(broken));
            }
        }
        Ok(Ok(()))
    }

    /// Whoever sees a revision first remembers it; whoever sees it later must see the same.
    fn compare(
        &mut self,
        events: Vec<Event>,
        reading: &Reading,
    ) -> Result<Result<(), String>, Fault> {
        let mut revisions: BTreeMap<u64, Vec<Seen>> = BTreeMap::new();
        for event in events {
            let previous = event.previous(reading)?;
            revisions.entry(event.item.modified).or_default().push((event, previous));
        }
        let gone = compacted(reading)?.unwrap_or(0);
        self.compacted = self.compacted.max(gone);
        for (revision, seen) in revisions {
            let is_first = self.seen.last_key_value().is_none_or(|(last, _)| *last < revision);
            let checked = match self.seen.get(&revision) {
                Some(before) => check_same(before, &seen, revision > gone),
                None if is_first => self.take(revision, seen, revision > gone),
                // It was skipped because it was compacted away where others looked.
                None => Ok(()),
            };
            if checked.is_err() {
                return Ok(checked);
            }
        }
        Ok(Ok(()))
    }

    fn take(&mut self, revision: u64, seen: Vec<Seen>, has_past: bool) -> Result<(), String> {
        let is_next = self.seen.last_key_value().is_none_or(|(last, _)| last + 1 == revision);
        if !is_next {
            // After a gap nobody knows what was there.
            self.left.clear();
        }
        for (event, previous) in &seen {
            let key = &event.item.key;
            if let Some(left) = self.left.get(key) {
                if event.is_creation() != (left.is_none() && !event.is_deletion) {
                    return Err(format!("{event:?} creates, or does not, after {left:?}"));
                }
                if has_past && previous != left {
                    return Err(format!("before {event:?} was {left:?}, not {previous:?}"));
                }
            }
            let item = (!event.is_deletion).then(|| event.item.clone());
            self.left.insert(key.clone(), item);
        }
        self.seen.insert(revision, seen);
        Ok(())
    }
}

/// Promises 1 to 4, 6 and 9, of one page.
fn check_page(next: u64, present: u64, page: &Events) -> Result<(), &'static str> {
    let revisions: Vec<u64> = page.events.iter().map(|event| event.item.modified).collect();
    if !revisions.is_sorted() {
        return Err("events are out of order");
    }
    let keys: BTreeSet<(u64, &Bytes)> =
        page.events.iter().map(|event| (event.item.modified, &event.item.key)).collect();
    if keys.len() != page.events.len() {
        return Err("an event comes twice");
    }
    let told: BTreeSet<u64> = revisions.into_iter().collect();
    if page.next > present + 1 || !told.into_iter().eq(next..page.next) {
        return Err("a revision is left out, split or told of too early");
    }
    let interest = Interest { keys: Keys::with_prefix("side".into()), puts: true, deletions: true };
    let is_right = |event: &Event| interest.includes(event) == event.item.key.starts_with(b"side");
    if page.events.iter().all(is_right) {
        Ok(())
    } else {
        Err("a filter lets through what it should not")
    }
}

/// Promise 5. What was there before may have been compacted away meanwhile.
fn check_same(before: &[Seen], now: &[Seen], has_past: bool) -> Result<(), String> {
    let is_same = before.len() == now.len()
        && before.iter().zip(now).all(|((event, previous), (event_now, previous_now))| {
            event == event_now && (!has_past || previous_now.is_none() || previous == previous_now)
        });
    if is_same { Ok(()) } else { Err(format!("{now:?} was {before:?} before")) }
}

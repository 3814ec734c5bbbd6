//! One bucket: at most eight nodes, and those that wait for a place.

use alloc::vec::Vec;
use core::time::Duration;

use kernel::Instant;

use super::K;
use crate::{contact::Contact, id::Id};

/// A node that was silent for longer is questionable, a bucket stale (BEP 5).
const FRESH: Duration = Duration::from_secs(15 * 60);
/// A node that leaves so many queries in a row unanswered is bad (BEP 5: several).
const FAILURES_MAX: u32 = 2;

#[derive(Clone, Copy, Debug)]
struct Known {
    contact: Contact,
    heard: Instant,
    failures: u32,
}

impl Known {
    const fn is_bad(&self) -> bool {
        self.failures >= FAILURES_MAX
    }
}

#[derive(Debug, Default)]
pub(super) struct Bucket {
    nodes: Vec<Known>,
    /// Those that have answered and found no place, the newest last.
    waiting: Vec<Known>,
    changed: Instant,
}

impl Bucket {
    pub(super) fn answered(&mut self, now: Instant, contact: Contact) -> bool {
        let known = Known { contact, heard: now, failures: 0 };
        self.touch(now);
        if let Some(old) = find(&mut self.nodes, contact.id) {
            // An id stays where it was: else whoever claims it could take its place.
            if old.contact == contact || old.is_bad() {
                *old = known;
            }
            return false;
        }
        self.waiting.retain(|waiting| waiting.contact.id != contact.id);
        if self.nodes.len() < K {
            self.nodes.push(known);
            return true;
        }
        if let Some(bad) = self.nodes.iter_mut().find(|node| node.is_bad()) {
            *bad = known;
            return true;
        }
        if self.waiting.len() == K {
            self.waiting.remove(0);
        }
        self.waiting.push(known);
        false
    }

    pub(super) fn asked(&mut self, now: Instant, contact: Contact) {
        if let Some(known) =
            find(&mut self.nodes, contact.id).filter(|known| known.contact == contact)
        {
            known.heard = now;
        }
    }

    pub(super) fn failed(&mut self, contact: Contact) {
        self.waiting.retain(|waiting| waiting.contact != contact);
        let Some(known) =
            find(&mut self.nodes, contact.id).filter(|known| known.contact == contact)
        else {
            return;
        };
        known.failures = known.failures.saturating_add(1);
        if known.is_bad()
            && let Some(next) = self.waiting.pop()
        {
            *known = next;
        }
    }

    pub(super) fn has_use_for(&self, id: Id) -> bool {
        let is_known = self.everybody().any(|contact| contact.id == id);
        !is_known && (self.waiting.len() < K || self.nodes.iter().any(Known::is_bad))
    }

    pub(super) fn must_split(&self, id: Id) -> bool {
        let has_place = self.nodes.len() < K || self.nodes.iter().any(Known::is_bad);
        !has_place && self.everybody().all(|contact| contact.id != id)
    }

    pub(super) fn split_off(&mut self, belongs: impl Fn(Id) -> bool) -> Self {
        let (nodes, stay) = self.nodes.drain(..).partition(|known| belongs(known.contact.id));
        self.nodes = stay;
        let (waiting, wait) = self.waiting.drain(..).partition(|known| belongs(known.contact.id));
        self.waiting = wait;
        Self { nodes, waiting, changed: self.changed }
    }

    pub(super) fn usable(&self) -> impl Iterator<Item = Contact> {
        self.nodes.iter().filter(|known| !known.is_bad()).map(|known| known.contact)
    }

    pub(super) fn everybody(&self) -> impl Iterator<Item = Contact> {
        self.nodes.iter().chain(&self.waiting).map(|known| known.contact)
    }

    pub(super) fn questionable(&self, now: Instant) -> Option<Contact> {
        let silent = self.nodes.iter().filter(|known| now.since(known.heard) >= FRESH);
        silent.min_by_key(|known| known.heard).map(|known| known.contact)
    }

    pub(super) fn is_stale(&self, now: Instant) -> bool {
        now.since(self.changed) >= FRESH
    }

    pub(super) const fn touch(&mut self, now: Instant) {
        self.changed = now;
    }

    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn check(&self) {
        assert!(self.nodes.len() <= K && self.waiting.len() <= K, "a bucket has a size");
        let mut ids: Vec<Id> = self.everybody().map(|contact| contact.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "nobody is known twice");
    }
}

fn find(nodes: &mut [Known], id: Id) -> Option<&mut Known> {
    nodes.iter_mut().find(|known| known.contact.id == id)
}

//! [`Census`]: who is connected to this node and what they do, for its statistics.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use queue::protocol::Verb;

/// The clients that use, watch and wait for a tube.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OfTube {
    pub(super) using: u64,
    pub(super) watching: u64,
    pub(super) waiting: u64,
}

/// All clients of this node.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    pub(super) connections: u64,
    pub(super) connections_ever: u64,
    pub(super) producers: u64,
    pub(super) workers: u64,
    pub(super) waiting: u64,
    /// How often each command came.
    pub(super) commands: BTreeMap<Verb, u64>,
    pub(super) tubes: BTreeMap<Bytes, OfTube>,
}

/// Who is connected to this node.
#[derive(Debug, Default)]
pub(super) struct Census(Mutex<Totals>);

impl Census {
    pub(super) fn totals(&self) -> MutexGuard<'_, Totals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of one tube.
    pub(super) fn of_tube(&self, tube: &[u8]) -> Option<OfTube> {
        self.totals().tubes.get(tube).copied()
    }
}

impl Totals {
    /// A command has come.
    pub(super) fn count(&mut self, verb: Verb) {
        *self.commands.entry(verb).or_default() += 1;
    }

    /// Changes what is known of a tube; it goes when nobody has to do with it.
    pub(super) fn change(&mut self, tube: &Bytes, change: impl FnOnce(&mut OfTube)) {
        let of_tube = self.tubes.entry(tube.clone()).or_default();
        change(of_tube);
        if *of_tube == OfTube::default() {
            self.tubes.remove(tube);
        }
    }
}

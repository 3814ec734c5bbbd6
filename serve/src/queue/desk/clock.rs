//! [`ClusterClock`]: about what cluster time it is now, to show how long something still takes.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use kernel::{Index, Reading, Stamp};

/// Notes when entries were applied here: the stamp of the last one, and the time since, are about cluster time. It
/// is shown and nothing else: while there is no leader cluster time rests, and this does not.
#[derive(Debug)]
pub(crate) struct ClusterClock {
    last: Mutex<(Index, Instant)>,
}

impl ClusterClock {
    pub(super) fn new() -> Self {
        Self { last: Mutex::new((Index(0), Instant::now())) }
    }

    /// Entries up to `index` have just been applied.
    pub(super) fn note(&self, index: Index) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = (index, Instant::now());
    }

    /// About what cluster time it is, to someone who has `reading`.
    pub(crate) fn now(&self, reading: &Reading) -> Stamp {
        let (index, at) = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let meta = reading.meta();
        if meta.applied.index < index { meta.stamp } else { meta.stamp.after(at.elapsed()) }
    }
}

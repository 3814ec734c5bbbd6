//! Who may run when: tests that measure time run alone, the others beside each other.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

static TURN: RwLock<()> = RwLock::new(());

/// The right to run, until it is dropped.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Nothing else runs.
    Alone { _guard: RwLockWriteGuard<'static, ()> },
    /// Others may run too.
    Shared { _guard: RwLockReadGuard<'static, ()> },
}

impl Turn {
    /// Waits until nothing else runs.
    pub(crate) fn alone() -> Self {
        // A test that failed has spoilt nothing for the others.
        Self::Alone { _guard: TURN.write().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Waits until nothing runs alone.
    pub(crate) fn shared() -> Self {
        Self::Shared { _guard: TURN.read().unwrap_or_else(PoisonError::into_inner) }
    }
}

//! What stands between a command and the store, as bits of one counter, so that who is not stopped by
//! anything has looked at one row.

use kernel::{Fault, Tables};

use super::{GUARDS, View, counter, set_counter};
use crate::alarm::AlarmKind;

/// Authentication is on.
pub(crate) const AUTH: u64 = 1;
/// Some member has no space.
pub(crate) const NO_SPACE: u64 = 2;
/// Some member is corrupt.
pub(crate) const CORRUPT: u64 = 4;

/// Which guards are up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Guards(u64);

impl Guards {
    pub(crate) const fn has(self, guard: u64) -> bool {
        self.0 & guard != 0
    }
}

/// The guard that stands for alarms of a kind.
pub(crate) const fn of(kind: AlarmKind) -> u64 {
    match kind {
        AlarmKind::NoSpace => NO_SPACE,
        AlarmKind::Corrupt => CORRUPT,
    }
}

pub(crate) fn standing(view: &impl View) -> Result<Guards, Fault> {
    Ok(Guards(counter(view, GUARDS)?.unwrap_or(0)))
}

/// Puts a guard up, or takes it down.
pub(crate) fn set(tables: &mut Tables, guard: u64, is_up: bool) -> Result<(), Fault> {
    let Guards(bits) = standing(tables)?;
    let next = if is_up { bits | guard } else { bits & !guard };
    if next == bits { Ok(()) } else { set_counter(tables, GUARDS, next) }
}

//! The clocks of the process: the monotonic one that nodes decide by, and the time of day for display.

use std::time::{Instant as SystemInstant, SystemTime, UNIX_EPOCH};

use kernel::Instant;

/// The monotonic clock, counted from the start of the host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: SystemInstant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: SystemInstant::now() }
    }

    pub(crate) fn now(self) -> Instant {
        let elapsed = self.start.elapsed().as_nanos();
        Instant(u64::try_from(elapsed).expect("no process runs for 584 years"))
    }
}

/// Time of day, milliseconds since 1970; for display only.
pub(crate) fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

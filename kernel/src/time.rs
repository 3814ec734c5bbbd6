//! Time as a value: the monotonic clock of one process, and the clock of the whole cluster.

use core::{fmt, time::Duration};

use crate::codec::{Malformed, Reader, Wire, Writer};

/// A moment of one process's monotonic clock, in nanoseconds since some start of its own. Never
/// compared between processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub u64);

impl Instant {
    /// The moment `wait` later. Saturates: a deadline beyond 584 years never comes.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(wait)))
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Cluster time in nanoseconds: stamped on each entry by its leader, rests while there is no leader,
/// never goes back. Leases live by it. It is not the time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The stamp `wait` later.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(wait)))
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}ms", self.0 / 1_000_000)
    }
}

impl Wire for Stamp {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.0);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self(reader.take_u64()?))
    }
}

fn nanoseconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)
}

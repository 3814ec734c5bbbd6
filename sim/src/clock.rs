//! The clocks of one computer: a monotonic one of its own pace, and the time of day.

use kernel::Instant;

const MILLION: u128 = 1_000_000;

/// A monotonic clock that started with the present life and runs at its own pace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started_at_ns: u64,
    /// How many nanoseconds pass here in a millisecond of the world.
    pace: u64,
    /// How far it has leapt ahead, in nanoseconds.
    leapt_ns: u64,
    /// How far the time of day is ahead of the world's, in milliseconds.
    pub(crate) wall_ahead_ms: u64,
}

impl Clock {
    pub(crate) const fn new(started_at_ns: u64, fast_ppm: u64, wall_ahead_ms: u64) -> Self {
        Self { started_at_ns, pace: 1_000_000 - 100_000 + fast_ppm, leapt_ns: 0, wall_ahead_ms }
    }

    /// The `fast_ppm` that keeps the world's pace.
    pub(crate) const EXACT: u64 = 100_000;

    /// What the monotonic clock says at this moment of the world.
    pub(crate) fn local(&self, world_ns: u64) -> Instant {
        let passed = u128::from(world_ns - self.started_at_ns) * u128::from(self.pace) / MILLION;
        let passed = u64::try_from(passed).expect("a run is shorter than 500 years");
        Instant(1 + passed + self.leapt_ns)
    }

    /// The first moment of the world at which the monotonic clock says `local` or later.
    pub(crate) fn world_ns(&self, local: Instant) -> u64 {
        let passed = local.0.saturating_sub(1).saturating_sub(self.leapt_ns);
        let passed = (u128::from(passed) * MILLION).div_ceil(self.pace.into());
        self.started_at_ns.saturating_add(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    /// The monotonic clock leaps ahead, as if the machine had stood still without the process noticing.
    pub(crate) const fn leap(&mut self, ahead_ns: u64) {
        self.leapt_ns += ahead_ns;
    }

    /// The time of day at this moment of the world, in milliseconds since 1970.
    pub(crate) const fn wall_ms(&self, world_ns: u64) -> u64 {
        const START_MS: u64 = 1_700_000_000_000;
        START_MS + self.wall_ahead_ms + world_ns / 1_000_000
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use kernel::Instant;

    #[test]
    fn a_deadline_is_met_at_the_first_moment_that_is_not_before_it() {
        for fast in [0, 33_333, Clock::EXACT, 2 * Clock::EXACT] {
            let mut clock = Clock::new(1_000, fast, 0);
            clock.leap(fast * 7);
            for local in [1, 2, 77, 1_000_003, 5_000_000_001] {
                let moment = clock.world_ns(Instant(local));
                assert!(clock.local(moment) >= Instant(local));
                assert!(moment == 1_000 || clock.local(moment - 1) < Instant(local));
            }
        }
    }
}

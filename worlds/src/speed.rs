//! How fast the simulator is: worlds made by hand, so that two measurements mean the same.

use std::{
    fmt, fs,
    time::{Duration, Instant},
};

use log::Limits;
use sim::{
    ClientSettings, Counters, DiskSettings, Mishap, MishapWeights, NetworkSettings, Settings,
    Spared, World,
};

use crate::RaftWithKv;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000 * MICROSECOND;

/// How much cluster time one world lasts.
const CHAOS_NS: u64 = 60_000 * MILLISECOND;

/// What a measurement gave.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    /// How many nodes the clusters had.
    pub nodes: u64,
    /// How many worlds were run.
    pub worlds: u64,
    /// What happened in all of them.
    pub counters: Counters,
    /// How long it took, making and judging the worlds included: time of the processor where the
    /// system tells it, so that other work on the machine does not count.
    pub elapsed: Duration,
}

impl Speed {
    /// How often something that happened `count` times happened in a second of real time.
    #[must_use]
    pub fn a_second(&self, count: u64) -> u64 {
        let nanoseconds = self.elapsed.as_nanos().max(1);
        u64::try_from(u128::from(count) * 1_000_000_000 / nanoseconds).unwrap_or(u64::MAX)
    }

    /// Milliseconds of cluster time in a millisecond of real time.
    #[must_use]
    pub fn cluster_seconds_a_second(&self) -> u64 {
        self.a_second(self.counters.virtual_ms) / 1_000
    }

    /// Operations of clients in a hundred seconds of cluster time.
    #[must_use]
    pub const fn operations_in_100_s(&self) -> u64 {
        let Counters { reads, writes, mismatches, refused, unknown, .. } = self.counters;
        let operations = reads + writes + mismatches + refused + unknown;
        operations * 100_000
            / if self.counters.virtual_ms == 0 { 1 } else { self.counters.virtual_ms }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations = self.operations_in_100_s();
        write!(
            formatter,
            "{} nodes: {} cluster seconds a second, {} events a second; {}.{:02} operations and {} \
             events a cluster second",
            self.nodes,
            self.cluster_seconds_a_second(),
            self.a_second(self.counters.events),
            operations / 100,
            operations % 100,
            self.counters.events * 1_000 / self.counters.virtual_ms.max(1),
        )
    }
}

/// Runs clusters of so many nodes on this thread, one after the other, for at least `at_least`.
///
/// # Panics
/// If a world finds something: then it is not the speed that needs attention.
#[must_use]
pub fn measure(nodes: u64, at_least: Duration) -> Speed {
    let started = Instant::now();
    let processor_before = processor_time();
    let mut counters = Counters::default();
    let mut worlds = 0;
    while started.elapsed() < at_least || worlds == 0 {
        let composition = RaftWithKv::with_defaults();
        let report = World::new(composition, settings(nodes, worlds), None).run();
        let report = report.unwrap_or_else(|finding| panic!("world {worlds}: {finding}"));
        counters.add(&report.counters);
        worlds += 1;
    }
    let processor = processor_time().zip(processor_before).map(|(after, before)| after - before);
    Speed { nodes, worlds, counters, elapsed: processor.unwrap_or_else(|| started.elapsed()) }
}

/// How long this thread has run on a processor, if the system tells.
fn processor_time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// A cluster with the default timings (a heartbeat every 50 ms), fifty operations a second, every kind
/// of mishap, and messages that travel as values.
#[must_use]
pub fn settings(nodes: u64, seed: u64) -> Settings {
    let mut settings = Settings {
        seed,
        nodes,
        spares: 1,
        chaos_ns: CHAOS_NS,
        network: network(),
        disk: disk(),
        clients: clients(),
        mishaps: mishaps(),
        spared: Spared::default(),
        mishap_every_ns: 1_500 * MILLISECOND,
        mishap_lasts_ns_max: 1_000 * MILLISECOND,
        applier_lag_ns_max: 100 * MICROSECOND,
        thread_lag_ns_max: 20 * MICROSECOND,
        apply_at_once_max: 1_000,
        flush_bytes: 64 << 10,
        drift_ppm_max: 100,
        wire: false,
        reports_unreachable: true,
        snapshot_chunk_bytes: 1 << 20,
        memory_flips_one_in: None,
        has_minority_trial: false,
        ..Settings::draw(seed)
    };
    settings.stay_repairable();
    settings
}

/// A network in one building, with some loss.
const fn network() -> NetworkSettings {
    NetworkSettings {
        delay_minimum_ns: 100 * MICROSECOND,
        delay_mean_ns: MILLISECOND,
        loss_per_mille: 10,
        copy_per_mille: 10,
        hold_per_mille: 1,
        keeps_order: false,
    }
}

const fn disk() -> DiskSettings {
    DiskSettings {
        batch_minimum_ns: 50 * MICROSECOND,
        batch_mean_ns: 2 * MILLISECOND,
        flush_mean_ns: 20 * MILLISECOND,
        garbled_one_in: None,
        failed_read_one_in: 20,
        log: Limits { segment_bytes: 64 << 10, batch_bytes_max: 16 << 10 },
    }
}

/// As many clients as it takes for fifty operations a second, with all the waiting for a leader.
const fn clients() -> ClientSettings {
    ClientSettings {
        count: 17,
        think_ns: 250 * MILLISECOND,
        keys: 5,
        reads_percent: 40,
        sessions_percent: 50,
        homed_percent: 50,
        value_bytes_max: 16,
    }
}

/// Every kind, as often as the others.
fn mishaps() -> MishapWeights {
    let mut weights = MishapWeights::default();
    for mishap in Mishap::ALL {
        *weights.of_mut(mishap) = 1;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::measure;
    use std::time::Duration;

    #[test]
    fn a_measured_cluster_does_fifty_operations_a_second() {
        // The first worlds alone say little: in some the leader is cut off for long.
        let speed = measure(3, Duration::from_secs(2));
        println!("{speed}");
        let operations = speed.operations_in_100_s();
        assert!((3_000..8_000).contains(&operations), "{operations} operations in 100 s");
    }
}

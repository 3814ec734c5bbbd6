//! The numbers that can be decided in place of a seed.

use sim::Settings;

/// A number of the settings that can be decided.
#[derive(Clone, Copy, Debug)]
pub struct Override {
    /// Its name on the command line, without the dashes.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub help: &'static str,
    /// The smallest value that makes sense.
    pub least: u64,
    /// Reads it.
    pub get: fn(&Settings) -> u64,
    /// Decides it.
    pub set: fn(&mut Settings, u64),
}

/// Makes the list from one line a number: name, least value, the place in the settings with how many of
/// its units make one of the option's, and the help.
macro_rules! overrides {
    ($($name:literal >= $least:literal: $($place:ident).+ $(* $unit:literal)?, $help:literal;)*) => {
        /// All numbers that can be decided.
        pub const OVERRIDES: &[Override] = &[$(Override {
            name: $name,
            help: $help,
            least: $least,
            get: |settings| {
                let number = Number::to_number(settings.$($place).+);
                number $(/ $unit)?
            },
            set: |settings, number| {
                settings.$($place).+ = Number::from_number(number $(.saturating_mul($unit))?);
            },
        },)*];
    };
}

overrides! {
    "nodes" >= 1: nodes,
        "How many nodes found the cluster";
    "spares" >= 0: spares,
        "How many more computers there are that may join";
    "chaos-ms" >= 1: chaos_ns * 1_000_000,
        "How long anything may happen, in milliseconds of virtual time";
    "progress-ms-max" >= 1: progress_ns_max * 1_000_000,
        "How long the healed cluster may take to do what is asked of it, in milliseconds";
    "mishap-every-ms" >= 1: mishap_every_ns * 1_000_000,
        "The mean time between mishaps, in milliseconds";
    "mishap-lasts-ms-max" >= 1: mishap_lasts_ns_max * 1_000_000,
        "How long a mishap lasts at most, in milliseconds";
    "clients" >= 1: clients.count,
        "How many clients there are";
    "keys" >= 1: clients.keys,
        "How many keys they use";
    "think-ms" >= 1: clients.think_ns * 1_000_000,
        "How long a client thinks between operations, in milliseconds on average";
    "reads-percent" >= 0: clients.reads_percent,
        "How many of a hundred operations are reads";
    "sessions-percent" >= 0: clients.sessions_percent,
        "How many of a hundred clients repeat what ended unknown, in a session";
    "homed-percent" >= 0: clients.homed_percent,
        "How many of a hundred clients ask one node only, as long as it lives";
    "value-bytes-max" >= 0: clients.value_bytes_max,
        "The largest value, in bytes";
    "loss-per-mille" >= 0: network.loss_per_mille,
        "How many of a thousand messages are lost";
    "copy-per-mille" >= 0: network.copy_per_mille,
        "How many of a thousand messages arrive twice";
    "hold-per-mille" >= 0: network.hold_per_mille,
        "How many of a thousand messages are held back for seconds";
    "keeps-order" >= 0: network.keeps_order,
        "1: messages of one link arrive in the order in which they were sent";
    "delay-us-min" >= 0: network.delay_minimum_ns * 1_000,
        "The shortest delay of a message, in microseconds";
    "delay-us" >= 0: network.delay_mean_ns * 1_000,
        "What comes on top of it on average, in microseconds";
    "batch-us" >= 0: disk.batch_mean_ns * 1_000,
        "How long the disk takes for a batch of the log on average, in microseconds";
    "flush-ms" >= 0: disk.flush_mean_ns * 1_000_000,
        "How long a flush of the tables takes on average, in milliseconds";
    "garbled-one-in" >= 0: disk.garbled_one_in,
        "One in so many unflushed sectors of one disk is garbled by a crash; 0: none";
    "failed-read-one-in" >= 1: disk.failed_read_one_in,
        "One in so many reads of a log fails once";
    "memory-flips-one-in" >= 0: memory_flips_one_in,
        "One in so many times a bit of an entry flips on its way to the applier; 0: none";
    "snapshot-chunk-bytes" >= 1: snapshot_chunk_bytes,
        "About how large a chunk of a snapshot is, in bytes";
    "minority-trial" >= 0: has_minority_trial,
        "1: before the end, a majority must do without the others";
    "applier-lag-us-max" >= 0: applier_lag_ns_max * 1_000,
        "How long the applier may let work wait, in microseconds";
    "thread-lag-us-max" >= 0: thread_lag_ns_max * 1_000,
        "How long a node may take to come to its work, in microseconds";
    "apply-at-once-max" >= 1: apply_at_once_max,
        "How many entries the applier takes at once";
    "flush-bytes" >= 1: flush_bytes,
        "How many bytes of writes gather before the tables are flushed";
    "drift-ppm-max" >= 0: drift_ppm_max,
        "How far clocks may differ in pace, in millionths";
    "wire" >= 0: wire,
        "1: messages travel as bytes";
    "reports-unreachable" >= 0: reports_unreachable,
        "1: a send that fails is reported";
}

/// What a setting and a number have to do with each other.
trait Number {
    fn to_number(self) -> u64;
    fn from_number(number: u64) -> Self;
}

impl Number for u64 {
    fn to_number(self) -> u64 {
        self
    }

    fn from_number(number: u64) -> Self {
        number
    }
}

impl Number for usize {
    fn to_number(self) -> u64 {
        self as u64
    }

    fn from_number(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

/// No means 0, yes means any other number.
impl Number for bool {
    fn to_number(self) -> u64 {
        u64::from(self)
    }

    fn from_number(number: u64) -> Self {
        number > 0
    }
}

/// None means 0.
impl Number for Option<u64> {
    fn to_number(self) -> u64 {
        self.unwrap_or(0)
    }

    fn from_number(number: u64) -> Self {
        (number > 0).then_some(number)
    }
}

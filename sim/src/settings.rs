//! What can happen in a world, and how often: drawn anew for each seed, so that each has its own mix.

use kernel::Rng;
use log::Limits;

use crate::weights::{MishapWeights, Spared};

const MILLISECOND: u64 = 1_000_000;

/// Everything that a seed decides before the world begins.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The seed.
    pub seed: u64,
    /// How many nodes found the cluster.
    pub nodes: u64,
    /// How many more computers there are that may join.
    pub spares: u64,
    /// How long anything may happen, in nanoseconds of virtual time.
    pub chaos_ns: u64,
    /// How long the healed cluster may take to carry out what is asked of it, in nanoseconds.
    pub progress_ns_max: u64,
    /// The links.
    pub network: NetworkSettings,
    /// The disks.
    pub disk: DiskSettings,
    /// The clients.
    pub clients: ClientSettings,
    /// What goes wrong.
    pub mishaps: MishapWeights,
    /// Which of them do not happen after all.
    pub spared: Spared,
    /// The mean time between mishaps, in nanoseconds.
    pub mishap_every_ns: u64,
    /// How long a mishap lasts at most, in nanoseconds.
    pub mishap_lasts_ns_max: u64,
    /// How long the applier may let work wait, in nanoseconds; 0 for work done at once.
    pub applier_lag_ns_max: u64,
    /// How long a node may take to come to noted work, in nanoseconds.
    pub thread_lag_ns_max: u64,
    /// How many entries the applier takes at once; the digests are compared after each time.
    pub apply_at_once_max: usize,
    /// How many bytes of writes gather before a flush of the tables.
    pub flush_bytes: u64,
    /// How far clocks may differ in pace, in millionths.
    pub drift_ppm_max: u64,
    /// Messages travel as bytes.
    pub wire: bool,
    /// A send that fails is reported.
    pub reports_unreachable: bool,
    /// Chunks of snapshots end before they are larger than this, in bytes. The smallest holds some rows: one chunk is
    /// under way at a time, and thousands of rows, each a round trip, would outlast the patience of a healed world.
    pub snapshot_chunk_bytes: usize,
    /// On one in so many ways from the node to the applier a bit of an entry flips in memory.
    pub memory_flips_one_in: Option<u64>,
    /// Before the end, the cluster must do without those that it can do without.
    pub has_minority_trial: bool,
}

/// How links behave.
#[derive(Clone, Debug)]
pub struct NetworkSettings {
    /// The shortest delay, in nanoseconds.
    pub delay_minimum_ns: u64,
    /// What comes on top of it on average, in nanoseconds.
    pub delay_mean_ns: u64,
    /// How many of a thousand messages are lost.
    pub loss_per_mille: u64,
    /// How many of a thousand messages arrive twice.
    pub copy_per_mille: u64,
    /// How many of a thousand messages are held back for up to four seconds.
    pub hold_per_mille: u64,
    /// Messages of one link arrive in the order in which they were sent, unless held.
    pub keeps_order: bool,
}

/// How disks behave.
#[derive(Clone, Debug)]
pub struct DiskSettings {
    /// The shortest time of a batch, in nanoseconds.
    pub batch_minimum_ns: u64,
    /// What comes on top of it on average, in nanoseconds.
    pub batch_mean_ns: u64,
    /// The mean time of a flush of the tables, in nanoseconds.
    pub flush_mean_ns: u64,
    /// Of one computer, one in so many unflushed sectors is garbled by a crash.
    pub garbled_one_in: Option<u64>,
    /// One in so many reads of the log fails once.
    pub failed_read_one_in: u64,
    /// Sizes of the log's files and batches.
    pub log: Limits,
}

/// How clients behave.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// How many there are.
    pub count: u64,
    /// How long they think between operations, in nanoseconds on average.
    pub think_ns: u64,
    /// How many keys there are.
    pub keys: u64,
    /// How many of a hundred operations are reads.
    pub reads_percent: u64,
    /// How many of a hundred clients use sessions and repeat what ended unknown.
    pub sessions_percent: u64,
    /// How many of a hundred clients ask one node only, as long as it lives.
    pub homed_percent: u64,
    /// The largest value, in bytes.
    pub value_bytes_max: u64,
}

impl Settings {
    /// What `seed` decides.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x7365_7474_696e_6773);
        let nodes = *rng.pick(&[3, 3, 3, 3, 3, 5, 5, 5, 1, 2, 4]).expect("some sizes");
        let mishaps = MishapWeights::draw(&mut rng);
        let mut settings = Self {
            seed,
            nodes,
            spares: if mishaps.change + mishaps.burst > 0 { rng.between(1, 2) } else { 0 },
            chaos_ns: rng.between(4_000, 12_000) * MILLISECOND,
            progress_ns_max: 30_000 * MILLISECOND,
            network: NetworkSettings::draw(&mut rng),
            disk: DiskSettings::draw(&mut rng),
            clients: ClientSettings::draw(&mut rng),
            mishaps,
            spared: Spared::default(),
            mishap_every_ns: *rng.pick(&[40, 120, 400, 1_000]).expect("some times") * MILLISECOND,
            mishap_lasts_ns_max: *rng.pick(&[300, 1_000, 4_000]).expect("some times") * MILLISECOND,
            applier_lag_ns_max: *rng.pick(&[0, 100_000, 5_000_000]).expect("some lags"),
            thread_lag_ns_max: *rng.pick(&[0, 20_000, 500_000]).expect("some lags"),
            apply_at_once_max: *rng.pick(&[1, 1_000]).expect("some sizes"),
            flush_bytes: *rng.pick(&[1, 2_000, 20_000]).expect("some sizes"),
            drift_ppm_max: *rng.pick(&[0, 100, 50_000]).expect("some drifts"),
            wire: rng.chance(1, 4),
            reports_unreachable: rng.chance(1, 2),
            snapshot_chunk_bytes: *rng.pick(&[300, 2_000, 1 << 20]).expect("some sizes"),
            memory_flips_one_in: rng.chance(1, 8).then(|| rng.between(20, 2_000)),
            has_minority_trial: rng.chance(1, 2),
        };
        if rng.chance(1, 8) {
            settings.keep_strict_time();
        }
        settings.stay_repairable();
        settings
    }

    /// Everything takes exactly as long as always: no two nodes differ but by their own chances.
    fn keep_strict_time(&mut self) {
        self.network.delay_mean_ns = 0;
        self.disk.batch_mean_ns = 0;
        self.applier_lag_ns_max = 0;
        self.thread_lag_ns_max = 0;
        self.drift_ppm_max = 0;
    }

    /// Takes back what no cluster of this size could survive: what is damaged on one disk must still be
    /// with a majority of the others, and somebody must be there to take its place.
    pub fn stay_repairable(&mut self) {
        if self.nodes < 3 || self.may_change() {
            self.disk.garbled_one_in = None;
            self.mishaps.rot = 0;
            self.mishaps.wipe = 0;
        }
        if self.may_damage() {
            self.spares = self.spares.max(3);
        }
        if self.disk.garbled_one_in.is_some() {
            // Batches of several sectors: where the first is whole, the log can tell what it lost.
            self.clients.value_bytes_max = 3_000;
        }
    }

    /// True if others than the operator may change the membership. Then no disk may lose anything: votes
    /// might go to who is lost, and the spare computers to others than those who take its place.
    pub(crate) const fn may_change(&self) -> bool {
        self.mishaps.change + self.mishaps.burst > 0
    }

    /// True if one disk may lose what was durable.
    pub(crate) const fn may_damage(&self) -> bool {
        self.disk.garbled_one_in.is_some() || self.mishaps.rot > 0 || self.mishaps.wipe > 0
    }
}

impl NetworkSettings {
    fn draw(rng: &mut Rng) -> Self {
        let mut rate = |most: u64| if rng.chance(1, 2) { rng.between(1, most) } else { 0 };
        let (loss_per_mille, copy_per_mille, hold_per_mille) = (rate(200), rate(200), rate(20));
        Self {
            delay_minimum_ns: rng.between(20, 1_000) * 1_000,
            delay_mean_ns: *rng.pick(&[100, 1_000, 10_000, 40_000]).expect("some delays") * 1_000,
            loss_per_mille,
            copy_per_mille,
            hold_per_mille,
            keeps_order: rng.chance(1, 2),
        }
    }
}

impl DiskSettings {
    fn draw(rng: &mut Rng) -> Self {
        let segment_bytes = *rng.pick(&[32 << 10, 64 << 10]).expect("some sizes");
        Self {
            batch_minimum_ns: 50_000,
            batch_mean_ns: *rng.pick(&[100, 2_000, 20_000]).expect("some times") * 1_000,
            flush_mean_ns: *rng.pick(&[1, 20, 200]).expect("some times") * MILLISECOND,
            garbled_one_in: rng.chance(1, 2).then(|| rng.between(2, 10)),
            failed_read_one_in: *rng.pick(&[2, 20, 1_000]).expect("some rates"),
            log: Limits { segment_bytes, batch_bytes_max: segment_bytes / 4 },
        }
    }
}

impl ClientSettings {
    fn draw(rng: &mut Rng) -> Self {
        Self {
            count: rng.between(1, 12),
            think_ns: *rng.pick(&[2, 20, 80, 300]).expect("some times") * MILLISECOND,
            keys: rng.between(1, 5),
            reads_percent: *rng.pick(&[10, 40, 70]).expect("some shares"),
            homed_percent: *rng.pick(&[0, 50, 100]).expect("some shares"),
            sessions_percent: *rng.pick(&[0, 50, 100]).expect("some shares"),
            value_bytes_max: *rng.pick(&[16, 16, 1_000, 3_000]).expect("some sizes"),
        }
    }
}

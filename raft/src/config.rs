//! What a replica is told when it starts: how to behave, and what its disk holds.

use alloc::vec::Vec;
use core::time::Duration;

use kernel::{Entry, EntryId, HardState, Index, Membership, Peer, Stamp};

use crate::image::image;

/// How to behave. Nothing here can cost safety.
#[derive(Clone, Debug)]
pub struct Config {
    /// How often a leader says that it is there.
    pub heartbeat: Duration,
    /// How long a follower waits for a leader at least. Each wait is drawn between this and the maximum.
    pub election_min: Duration,
    /// How long a follower waits for a leader at most; a leader that has not heard from a quorum for
    /// this long steps down.
    pub election_max: Duration,
    /// How long a request may take before it is refused or its fate called unknown.
    pub request_timeout: Duration,
    /// A leader whose disk has not finished a write for this long steps down.
    pub disk_stall: Duration,
    /// The largest data of an entry, in bytes.
    pub entry_bytes_max: u64,
    /// The most bytes of entries in one message, one entry at least.
    pub batch_bytes_max: u64,
    /// The most bytes of entries on their way to one follower.
    pub window_bytes: u64,
    /// The most bytes of requests that wait, and of entries not yet applied; beyond, requests are
    /// refused.
    pub waiting_bytes_max: u64,
    /// How many bytes of entries stay in memory for followers that are a little behind.
    pub cache_bytes: u64,
    /// How many bytes of entries stay in the log for followers that are further behind.
    pub retain_bytes: u64,
    /// How many bytes of entries stay in the log besides for a member that receives a snapshot, so that
    /// it can go on from there.
    pub snapshot_backlog_bytes: u64,
    /// How many entries a learner may lack when it is promoted.
    pub promote_behind_max: u64,
}

impl Default for Config {
    fn default() -> Self {
        const KIB: u64 = 1024;
        const MIB: u64 = 1024 * KIB;
        Self {
            heartbeat: Duration::from_millis(50),
            election_min: Duration::from_millis(150),
            election_max: Duration::from_millis(300),
            request_timeout: Duration::from_secs(3),
            disk_stall: Duration::from_secs(2),
            entry_bytes_max: 2 * MIB,
            batch_bytes_max: 512 * KIB,
            window_bytes: 8 * MIB,
            waiting_bytes_max: 64 * MIB,
            cache_bytes: 16 * MIB,
            retain_bytes: 64 * MIB,
            snapshot_backlog_bytes: 1024 * MIB,
            promote_behind_max: 256,
        }
    }
}

impl Config {
    /// Asserts that the times and sizes fit together.
    ///
    /// # Panics
    /// If they do not: whoever reads a configuration from outside checks it first, with better words.
    pub fn check(&self) {
        assert!(self.heartbeat < self.election_min, "heartbeats come more often than elections");
        assert!(self.election_min <= self.election_max, "the election range is not empty");
        assert!(self.batch_bytes_max <= self.window_bytes, "a batch fits in the window");
        assert!(self.entry_bytes_max <= self.waiting_bytes_max, "the largest entry may wait");
    }
}

/// What the disk of a replica holds, as recovery found it.
#[derive(Clone, Debug)]
pub struct Boot {
    /// Who it is, in this life.
    pub me: Peer,
    /// Where its chances start; different for each replica and each life.
    pub seed: u64,
    /// Term, vote and commit.
    pub hard: HardState,
    /// The entry at which the log begins: it and all before it are in the tables only.
    pub base: EntryId,
    /// That entry's stamp.
    pub base_stamp: Stamp,
    /// The configuration as of that entry.
    pub membership: Membership,
    /// All entries after it.
    pub entries: Vec<Entry>,
    /// How far the durable tables have been applied.
    pub applied: Index,
    /// The end of the log is in doubt: until the log on disk ends with this entry or a later one, the
    /// replica neither stands for election nor votes.
    pub uncertain_until: Option<EntryId>,
}

image!(struct Config {
    heartbeat, election_min, election_max, request_timeout, disk_stall, entry_bytes_max,
    batch_bytes_max, window_bytes, waiting_bytes_max, cache_bytes, retain_bytes,
    snapshot_backlog_bytes, promote_behind_max,
});

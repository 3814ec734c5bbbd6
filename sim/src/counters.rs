//! What a run exercised, so that one can see that it exercised something.

use core::fmt;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident: $label:literal,)*) => {
        /// How often things happened.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            /// Each counter's name and value.
            #[must_use]
            pub const fn each(&self) -> [(&'static str, u64); [$($label),*].len()] {
                [$(($label, self.$name)),*]
            }

            /// Adds what another run exercised.
            pub const fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counters! {
    /// Events that happened in the world.
    events: "events",
    /// Milliseconds of virtual time.
    virtual_ms: "virtual milliseconds",
    /// Times that a node stood for election.
    elections: "elections",
    /// Times that a node came to lead.
    leaders: "leaders",
    /// Entries committed.
    committed: "entries committed",
    /// Times that the end of a log was taken back.
    truncations: "truncations",
    /// Times that a log let go of its beginning.
    compactions: "compactions",
    /// Snapshots installed.
    snapshots: "snapshots installed",
    /// Entries read back from a log.
    fetches: "fetches",
    /// Flushes of tables into their base.
    flushes: "table flushes",
    /// Worlds whose tables lie in a real engine over simulated files.
    real_bases: "worlds over the real base",
    /// Flushes into a real engine.
    real_base_flushes: "flushes into the real base",
    /// Crashes of a real engine while something became durable.
    crashes_in_flush: "crashes in a flush of the real base",
    /// Lives ended because a real engine's file failed.
    real_base_failures: "failures of the real base",
    /// Batches that logs wrote.
    batches: "log batches",
    /// Mishaps of all kinds that happened.
    mishaps: "mishaps",
    /// Lives ended by a crash.
    crashes: "crashes",
    /// Crashes of all computers at once.
    power_cuts: "power cuts",
    /// Lives ended by a failed write.
    disk_failures: "disk failures",
    /// Disks that were full for a while.
    full_disks: "full disks",
    /// Disks that stood still for a while.
    disk_stalls: "disk stalls",
    /// Batches cut short by a crash and cut off at recovery.
    torn_tails: "torn tails",
    /// Recoveries that could not tell whether something acknowledged was lost.
    uncertain_tails: "uncertain tails",
    /// Replicas whose log was damaged beyond use.
    lost_disks: "lost disks",
    /// Processes that stood still for a while.
    pauses: "pauses",
    /// Links cut.
    cuts: "cuts",
    /// Messages sent.
    messages: "messages",
    /// Messages lost at random.
    lost: "messages lost",
    /// Messages that arrived twice.
    copied: "messages copied",
    /// Messages held back for a long time.
    held: "messages held",
    /// Messages from a life that had ended when they arrived.
    posthumous: "messages from the dead",
    /// Changes of the membership that were carried out.
    changes: "membership changes",
    /// Leadership transfers asked for.
    transfers: "transfers asked for",
    /// Times that messages of a node began to take their time.
    murks: "murks",
    /// Times that leadership was to go round and round.
    storms: "storms of transfers",
    /// Followers whose disk stood still when the leader crashed, with a crash ahead.
    amnesias: "amnesias",
    /// Leaders that crashed when one follower had what they had not written.
    ghosts: "ghosts",
    /// Members brought into a later term than the leader.
    estrangements: "estrangements",
    /// Mishaps that waited for their moment, and found it.
    ambushes: "ambushes sprung",
    /// Several changes of the membership asked for at once.
    bursts: "bursts of changes",
    /// Logs of which a bit flipped, or a file vanished, where they had been durable.
    rotten_disks: "rotten disks",
    /// Disks replaced by empty ones.
    replaced_disks: "disks replaced",
    /// Steps by which lost replicas were replaced.
    repairs: "repair steps",
    /// Entries of which a bit flipped in memory.
    memory_flips: "bits flipped in memory",
    /// Clocks that jumped.
    leaps: "clock leaps",
    /// Flushes of tables at a random moment.
    compactions_forced: "flushes asked for",
    /// Trials in which the cluster had to do without those that it can do without.
    minority_trials: "minority trials",
    /// State machines whose fields were dropped and rebuilt.
    rebuilds: "machines rebuilt",
    /// Reads answered.
    reads: "reads",
    /// Writes of all kinds carried out.
    writes: "writes",
    /// Compare-and-sets that found something else.
    mismatches: "mismatches",
    /// Operations refused.
    refused: "refused",
    /// Operations of unknown outcome.
    unknown: "unknown",
    /// Operations repeated under their session.
    repeats: "session repeats",
}

impl fmt::Display for Counters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in self.each() {
            writeln!(formatter, "{count:>12}  {name}")?;
        }
        Ok(())
    }
}

//! The kinds of mishaps: one list for their names, what they are, and how often each is drawn.

use alloc::{collections::BTreeSet, string::String};
use core::{fmt, str::FromStr};

use kernel::Rng;

/// Makes the kinds and their weights from one list of `field: Kind, "name", most;`.
macro_rules! mishaps {
    ($($(#[$doc:meta])* $field:ident: $kind:ident, $name:literal, $most:literal;)*) => {
        /// A kind of mishap.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mishap {
            $($(#[$doc])* $kind,)*
        }

        impl Mishap {
            /// All kinds, in the order in which their weights are drawn.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$kind),*];

            /// Its name on a command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

            /// The largest weight that a seed draws for it.
            const fn weight_max(self) -> u64 {
                match self {
                    $(Self::$kind => $most,)*
                }
            }
        }

        /// How often each kind of mishap is drawn, relative to the others.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct MishapWeights {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl MishapWeights {
            /// The weight of a kind.
            #[must_use]
            pub const fn of(&self, mishap: Mishap) -> u64 {
                match mishap {
                    $(Mishap::$kind => self.$field,)*
                }
            }

            /// The weight of a kind, to be changed.
            pub const fn of_mut(&mut self, mishap: Mishap) -> &mut u64 {
                match mishap {
                    $(Mishap::$kind => &mut self.$field,)*
                }
            }
        }
    };
}

// A new kind comes last: the weights of the others are then drawn as before.
mishaps! {
    /// One computer crashes and starts again.
    crash: Crash, "crash", 10;
    /// All computers crash at the same moment.
    power_cut: PowerCut, "power-cut", 3;
    /// One process stands still for a while.
    pause: Pause, "pause", 6;
    /// One node is cut off.
    isolate: Isolate, "isolate", 6;
    /// The nodes fall into two groups.
    split: Split, "split", 6;
    /// Two groups that only one node can both reach.
    bridge: Bridge, "bridge", 4;
    /// Each node can reach only its two neighbours.
    ring: Ring, "ring", 3;
    /// The leader can reach only some, and crashes at its next write or a while later.
    harass: Harass, "harass", 20;
    /// Single directions are cut at random.
    one_way: OneWay, "one-way", 6;
    /// One disk stands still for a while.
    stall: Stall, "stall", 4;
    /// One disk has no room for new files for a while.
    full: Full, "full", 3;
    /// One write or flush fails; the node must stop.
    disk_failure: DiskFailure, "disk-failure", 3;
    /// The membership changes.
    change: Change, "change", 10;
    /// Leadership is to be handed over.
    transfer: Transfer, "transfer", 5;
    /// A state machine's fields are dropped and rebuilt.
    rebuild: Rebuild, "rebuild", 3;
    /// Messages from or to one node take their time, each its own.
    murk: Murk, "murk", 12;
    /// Something lies in wait for each node, until it stands, leads, writes or commits.
    ambush: Ambush, "ambush", 20;
    /// For a while everybody who comes to lead is harassed at once.
    haunt: Haunt, "haunt", 15;
    /// Several changes of the membership are asked of several nodes at once.
    burst: Burst, "burst", 5;
    /// A bit of a log flips where it was durable, or a file vanishes.
    rot: Rot, "rot", 6;
    /// A disk is replaced by an empty one.
    wipe: Wipe, "wipe", 3;
    /// A clock jumps.
    leap: Leap, "leap", 4;
    /// The tables are flushed, so that the log can let go of all that it may.
    compact: Compact, "compact", 4;
    /// All messages take their time, each its own, and perhaps the leader crashes.
    fog: Fog, "fog", 8;
    /// Leadership is to be handed over again and again.
    storm: Storm, "storm", 8;
    /// A follower whose disk stands still outlives the leader, stands for election, and forgets.
    amnesia: Amnesia, "amnesia", 8;
    /// A leader whose disk stands still is heard by one follower only, and crashes; what that one
    /// acknowledged comes late.
    ghost: Ghost, "ghost", 8;
    /// A node that is handed leadership is cut off when it stands for election.
    estrange: Estrange, "estrange", 8;
}

impl MishapWeights {
    /// Draws a mix: half of the time a few kinds that happen again and again, else all sorts, each kind
    /// left out half of the time.
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let mut weights = Self::default();
        if rng.chance(1, 2) {
            for _ in 0..rng.between(1, 4) {
                let mishap = *rng.pick(&Mishap::ALL).expect("there are kinds");
                *weights.of_mut(mishap) = rng.between(1, 4);
            }
            return weights;
        }
        for mishap in Mishap::ALL {
            if rng.chance(1, 2) {
                *weights.of_mut(mishap) = rng.between(1, mishap.weight_max());
            }
        }
        weights
    }

    /// Draws a kind, unless all weights are 0.
    pub(crate) fn pick(&self, rng: &mut Rng) -> Option<Mishap> {
        let total = Mishap::ALL.into_iter().map(|mishap| self.of(mishap)).sum();
        if total == 0 {
            return None;
        }
        let mut drawn = rng.below(total);
        Mishap::ALL.into_iter().find(|mishap| {
            let weight = self.of(*mishap);
            let is_hit = drawn < weight;
            drawn = drawn.saturating_sub(weight);
            is_hit
        })
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Mishap {
    type Err = UnknownMishap;

    fn from_str(name: &str) -> Result<Self, UnknownMishap> {
        let found = Self::ALL.into_iter().find(|mishap| mishap.name() == name);
        found.ok_or_else(|| UnknownMishap(name.into()))
    }
}

/// A name that no kind of mishap has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMishap(String);

impl fmt::Display for UnknownMishap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is no mishap; there are:", self.0)?;
        Mishap::ALL.into_iter().try_for_each(|mishap| write!(formatter, " {mishap}"))
    }
}

impl core::error::Error for UnknownMishap {}

/// Mishaps that are drawn and then do not happen: how a run is made smaller while the rest of it stays
/// as it was drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spared {
    /// Kinds that never happen.
    pub kinds: BTreeSet<Mishap>,
    /// Single ones, by their number in the order in which they are drawn, from 1.
    pub numbers: BTreeSet<u64>,
    /// All after this one.
    pub after: Option<u64>,
}

impl Spared {
    pub(crate) fn contains(&self, number: u64, mishap: Mishap) -> bool {
        self.kinds.contains(&mishap)
            || self.numbers.contains(&number)
            || self.after.is_some_and(|last| number > last)
    }
}

#[cfg(test)]
mod tests {
    use super::{Mishap, MishapWeights, Spared};
    use alloc::string::ToString;
    use kernel::Rng;

    #[test]
    fn every_kind_is_known_by_its_name() {
        for mishap in Mishap::ALL {
            assert_eq!(mishap.name().parse(), Ok(mishap));
        }
        let unknown = "earthquake".parse::<Mishap>().expect_err("there is none");
        assert!(
            unknown
                .to_string()
                .starts_with("`earthquake` is no mishap; there are: crash power-cut")
        );
    }

    #[test]
    fn only_kinds_with_a_weight_are_picked() {
        let weights = MishapWeights { pause: 1, ring: 3, ..MishapWeights::default() };
        let mut rng = Rng::new(5);
        let mut count =
            |mishap| (0..400).filter(|_| weights.pick(&mut rng) == Some(mishap)).count();
        assert!(
            (60..140).contains(&count(Mishap::Pause)) && (260..340).contains(&count(Mishap::Ring))
        );
        assert_eq!(MishapWeights::default().pick(&mut rng), None);
    }

    #[test]
    fn what_is_spared_is_named_by_kind_by_number_or_by_its_place() {
        let kinds = [Mishap::Pause].into();
        let spared = Spared { kinds, numbers: [3].into(), after: Some(5) };
        let happens = |number| !spared.contains(number, Mishap::Crash);
        assert_eq!([1, 3, 5, 6].map(happens), [true, false, true, false]);
        assert!(spared.contains(1, Mishap::Pause));
    }
}

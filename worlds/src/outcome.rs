//! What became of one scenario.

use std::fmt;

use check::{History, queue::QueueHistory};
use sim::{Counters, Finding, Tally, Witness, Workload, World};

use crate::{RaftWith, Scenario, Served, System, kv::Kv, panics, queue::WorkQueue};

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A promise was broken.
    Safety,
    /// The cluster stood still although nothing hindered it.
    Liveness,
    /// A part of a node broke an invariant that it asserts.
    Assertion,
    /// The simulator itself is wrong.
    Simulator,
    /// It goes on and on.
    Endless,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::Safety, Self::Liveness, Self::Assertion, Self::Simulator, Self::Endless];

    /// Its name, for programs and files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safety => "safety",
            Self::Liveness => "liveness",
            Self::Assertion => "assertion",
            Self::Simulator => "simulator",
            Self::Endless => "endless",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is about.
    pub kind: Kind,
    /// What it is, for people; the first line says the most.
    pub what: String,
}

impl Found {
    /// The first line.
    #[must_use]
    pub fn words(&self) -> &str {
        self.what.lines().next().unwrap_or_default()
    }

    /// True if both are about the same, but for numbers and whatever stands in the further lines.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind && without_numbers(self.words()) == without_numbers(other.words())
    }
}

impl From<Finding> for Found {
    fn from(finding: Finding) -> Self {
        let (kind, what) = match finding {
            Finding::Safety(what) => (Kind::Safety, what),
            Finding::Liveness(what) => (Kind::Liveness, what),
            Finding::Assertion(what) => (Kind::Assertion, what),
            Finding::Simulator(what) => (Kind::Simulator, what),
        };
        Self { kind, what }
    }
}

/// The text with each number as one `#`.
#[must_use]
pub fn without_numbers(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        if !character.is_ascii_digit() {
            shown.push(character);
        } else if !shown.ends_with('#') {
            shown.push('#');
        }
    }
    shown
}

/// What became of a scenario, up to its end or to what was found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was found.
    pub found: Option<Found>,
    /// A hash over all events: equal for equal runs.
    pub hash: u64,
    /// What was exercised.
    pub counters: Counters,
    /// When it ended, in nanoseconds of virtual time.
    pub ended_ns: u64,
    /// How many mishaps were drawn, those included that were spared.
    pub mishaps: u64,
    /// True if the history could not be judged within bounds.
    pub undecided: bool,
    /// What clients did besides what every system counts.
    pub tally: Tally,
    /// What clients asked and were told, if something was found.
    pub seen: Seen,
}

/// What clients asked and were told.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Of the store.
    Registers(History),
    /// Of the queue.
    Queues(QueueHistory),
}

impl Default for Seen {
    fn default() -> Self {
        Self::Registers(History::default())
    }
}

impl Seen {
    /// How many operations clients began.
    #[must_use]
    pub fn operations(&self) -> u64 {
        let count = match self {
            Self::Registers(history) => history.operations().len(),
            Self::Queues(history) => history.operations().len(),
        };
        count as u64
    }
}

impl From<History> for Seen {
    fn from(history: History) -> Self {
        Self::Registers(history)
    }
}

impl From<QueueHistory> for Seen {
    fn from(history: QueueHistory) -> Self {
        Self::Queues(history)
    }
}

impl Outcome {
    /// Of a scenario that did not come to an end of its own.
    #[must_use]
    pub fn unfinished(found: Found) -> Self {
        Self {
            found: Some(found),
            hash: 0,
            counters: Counters::default(),
            ended_ns: 0,
            mishaps: 0,
            undecided: false,
            tally: Tally::new(),
            seen: Seen::default(),
        }
    }

    /// All that was counted, by name.
    #[must_use]
    pub fn exercised(&self) -> Tally {
        self.counters.each().into_iter().chain(self.tally.iter().copied()).collect()
    }
}

impl Scenario {
    /// Runs the scenario to its end or to the first finding. `witness`, if there is one, sees what
    /// happens.
    #[must_use]
    pub fn run(&self, witness: Option<Box<dyn Witness>>) -> Outcome {
        match self.system {
            Served::Kv => self.run_system::<Kv>(witness),
            Served::Queue => self.run_system::<WorkQueue>(witness),
        }
    }

    fn run_system<S>(&self, witness: Option<Box<dyn Witness>>) -> Outcome
    where
        S: System,
        Seen: From<<S::Workload as Workload>::History>,
    {
        let mut world = World::new(RaftWith::<S>::draw(self.seed), self.settings(), witness);
        let (found, undecided) = match panics::caught(|| world.run()) {
            Ok(Ok(report)) => (None, report.undecided),
            Ok(Err(finding)) => (Some(Found::from(finding)), false),
            Err(what) => {
                let finding = Finding::Assertion(what);
                world.found(&finding);
                (Some(Found::from(finding)), false)
            }
        };
        let seen = if found.is_some() { world.history().clone().into() } else { Seen::default() };
        Outcome {
            found,
            hash: world.hash(),
            counters: world.counters(),
            ended_ns: world.now_ns(),
            mishaps: world.mishaps(),
            undecided,
            tally: world.tally(),
            seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Kind};

    #[test]
    fn findings_are_alike_whatever_their_numbers_are() {
        let found = |kind, what: &str| Found { kind, what: what.to_owned() };
        let one = found(Kind::Safety, "1.2 and 3.1 lead in term 17\nmore");
        assert!(one.is_like(&found(Kind::Safety, "2.10 and 3.11 lead in term 4\nother")));
        assert!(!one.is_like(&found(Kind::Assertion, "1.2 and 3.1 lead in term 17")));
        assert!(!one.is_like(&found(Kind::Safety, "1.2 and 3.1 follow in term 17")));
    }
}

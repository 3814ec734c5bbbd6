//! Makes a scenario smaller that finds something: fewer nodes, clients, mishaps and events, and the same
//! finding.
//!
//! Greedy: each [`Step`] is tried on the smallest scenario so far, again and again, until a whole round
//! gives nothing. Whatever changes the world changes what happens in it by chance, so that a step often
//! fails although the finding does not need what it takes away. Later rounds therefore try each step
//! with several other chances.

mod decision;
mod step;

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use crate::{Found, Outcome, Scenario};
use decision::Decision;
use step::Step;

/// A scenario that takes longer is no good as a smaller one.
const TRY: Duration = Duration::from_secs(10);

/// How many other chances a step gets.
const CHANCES: u64 = 12;

/// What came out of it.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest scenario.
    pub scenario: Scenario,
    /// What becomes of it.
    pub outcome: Outcome,
    /// How many scenarios were run.
    pub tries: u64,
    /// True if no step makes it smaller; false if the time was over first.
    pub is_done: bool,
}

/// How large a scenario is that has been run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Computers, spare ones included.
    pub computers: u64,
    /// Clients.
    pub clients: u64,
    /// Mishaps that happened.
    pub mishaps: u64,
    /// Operations that clients began before it ended.
    pub operations: u64,
    /// Events before it ended.
    pub events: u64,
    /// Milliseconds of virtual time before it ended.
    pub virtual_ms: u64,
}

impl Size {
    /// The size of a scenario that became this.
    #[must_use]
    pub fn of(scenario: &Scenario, outcome: &Outcome) -> Self {
        let settings = scenario.settings();
        Self {
            computers: settings.nodes + settings.spares,
            clients: settings.clients.count,
            mishaps: outcome.counters.mishaps,
            operations: outcome.seen.operations(),
            events: outcome.counters.events,
            virtual_ms: outcome.counters.virtual_ms,
        }
    }

    /// How hard it is to see what happens: a world with half of everything in it may take twice as long.
    const fn weight(&self, complications: u64) -> u64 {
        self.events * (self.computers + self.clients + self.mishaps + complications)
    }
}

/// Makes `scenario`, which became `outcome`, as small as it can within `at_most`. `watch` is told of
/// every smaller one.
///
/// # Panics
/// If nothing was found: there is nothing to keep.
pub fn shrink(
    scenario: &Scenario,
    outcome: &Outcome,
    at_most: Duration,
    mut watch: impl FnMut(&Scenario, &Outcome),
) -> Shrunk {
    let sought = outcome.found.clone().expect("only what finds something is made smaller");
    let mut shrinker = Shrinker {
        sought,
        smallest: (scenario.clone(), outcome.clone()),
        tries: 0,
        late: Instant::now() + at_most,
        watch: &mut watch,
    };
    while shrinker.round() || shrinker.round_of_chances() {}
    shrinker.drop_what_changes_nothing();
    let is_done = !shrinker.is_late();
    let (scenario, outcome) = shrinker.smallest;
    Shrunk { scenario, outcome, tries: shrinker.tries, is_done }
}

struct Shrinker<'a> {
    sought: Found,
    smallest: (Scenario, Outcome),
    tries: u64,
    late: Instant,
    watch: &'a mut dyn FnMut(&Scenario, &Outcome),
}

impl Shrinker<'_> {
    fn is_late(&self) -> bool {
        Instant::now() >= self.late
    }

    /// Tries every step; true if one made it smaller.
    fn round(&mut self) -> bool {
        let mut is_smaller = false;
        for step in Step::all(&self.smallest.1) {
            while let Some(scenario) = self.stepped(&step) {
                if !self.adopt(scenario, self.weight()) {
                    break;
                }
                is_smaller = true;
            }
        }
        is_smaller
    }

    /// Tries every step, and none, with other chances; true if one made it smaller.
    fn round_of_chances(&mut self) -> bool {
        let mut is_smaller = false;
        for step in Step::all(&self.smallest.1).into_iter().chain([Step::None]) {
            for chances in 1..=CHANCES {
                let Some(stepped) = self.stepped(&step) else {
                    break;
                };
                let scenario = Scenario { chances: Some(chances), ..stepped };
                is_smaller |= self.adopt(scenario, self.weight().saturating_sub(1));
            }
        }
        is_smaller
    }

    /// Takes away what had a reason only in between. The world stays the same, event for event.
    fn drop_what_changes_nothing(&mut self) {
        for decision in Decision::all(&self.smallest.0) {
            let Some(simpler) = decision.taken_back(&self.smallest.0) else {
                continue;
            };
            self.tries += 1;
            if let Some(outcome) = run_within(&simpler, TRY)
                && outcome.hash == self.smallest.1.hash
                && outcome.found == self.smallest.1.found
            {
                self.smallest = (simpler, outcome);
            }
        }
    }

    fn weight(&self) -> u64 {
        let (scenario, outcome) = &self.smallest;
        Size::of(scenario, outcome).weight(step::complications(scenario))
    }

    fn stepped(&self, step: &Step) -> Option<Scenario> {
        let (scenario, outcome) = &self.smallest;
        (!self.is_late()).then(|| step.apply(scenario, outcome)).flatten()
    }

    /// Takes the scenario if it finds the same and weighs no more than this.
    fn adopt(&mut self, scenario: Scenario, weight_max: u64) -> bool {
        self.tries += 1;
        let Some(outcome) = run_within(&scenario, TRY) else {
            return false;
        };
        let is_found = outcome.found.as_ref().is_some_and(|found| found.is_like(&self.sought));
        let weight = Size::of(&scenario, &outcome).weight(step::complications(&scenario));
        if !is_found || weight > weight_max {
            return false;
        }
        (self.watch)(&scenario, &outcome);
        self.smallest = (scenario, outcome);
        true
    }
}

/// What becomes of a scenario, unless it takes longer than `at_most`; its thread is then left behind.
fn run_within(scenario: &Scenario, at_most: Duration) -> Option<Outcome> {
    let (sender, outcome) = mpsc::channel();
    let scenario = scenario.clone();
    // Nobody listens any more if it took too long.
    thread::spawn(move || drop(sender.send(Box::new(scenario.run(None)))));
    outcome.recv_timeout(at_most).ok().map(|outcome| *outcome)
}

#[cfg(test)]
mod tests {
    use super::{Size, shrink};
    use crate::{Kind, Scenario};
    use std::time::Duration;

    #[test]
    fn a_finding_that_needs_nothing_keeps_nothing() {
        // Nobody can do anything in a millisecond, so that every seed stands still.
        let scenario: Scenario =
            "--seed 6 --nodes 5 --progress-ms-max 1".parse().expect("a scenario");
        let outcome = scenario.run(None);
        let before = Size::of(&scenario, &outcome);
        let mut smaller = 0;
        let shrunk = shrink(&scenario, &outcome, Duration::from_secs(60), |_, _| smaller += 1);
        let after = Size::of(&shrunk.scenario, &shrunk.outcome);
        assert_eq!(shrunk.outcome.found.expect("it still fails").kind, Kind::Liveness);
        assert!(after.computers < before.computers && after.clients == 1, "{after:?}");
        assert!(after.mishaps <= 1 && after.events < before.events / 10, "{after:?}");
        assert!(smaller > 3 && shrunk.tries > smaller);
        let again = shrunk.scenario.to_string().parse::<Scenario>().expect("a scenario").run(None);
        assert_eq!(again.hash, shrunk.outcome.hash);
    }
}

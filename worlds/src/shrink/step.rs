//! What can be taken away from a scenario.

use std::ops::RangeInclusive;

use sim::Mishap;

use crate::{Outcome, Scenario};

/// One way to make a scenario smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Leaves it as it is.
    None,
    /// Chaos ends with the finding.
    CutChaos,
    /// A number becomes so many hundredths of what it is.
    Scale(&'static str, u64),
    /// A number becomes this one.
    Set(&'static str, u64),
    /// Only so many hundredths of the mishaps happen: the first ones.
    FirstMishaps(u64),
    /// A kind of mishap does not happen.
    Without(Mishap),
    /// These mishaps do not happen.
    Skip(RangeInclusive<u64>),
}

/// Numbers with which a world is simple, those that matter most first. What is drawn below such a number
/// stays.
const SIMPLE: &[(&str, u64)] = &[
    ("spares", 0),
    ("nodes", 1),
    ("nodes", 2),
    ("nodes", 3),
    ("clients", 1),
    ("clients", 2),
    ("clients", 4),
    ("keys", 1),
    ("loss-per-mille", 0),
    ("copy-per-mille", 0),
    ("hold-per-mille", 0),
    ("drift-ppm-max", 0),
    ("applier-lag-us-max", 0),
    ("thread-lag-us-max", 0),
    ("garbled-one-in", 0),
    ("memory-flips-one-in", 0),
    ("minority-trial", 0),
    ("homed-percent", 0),
    ("wire", 0),
    ("reports-unreachable", 0),
    ("sessions-percent", 0),
    ("value-bytes-max", 0),
    ("value-bytes-max", 16),
    ("delay-us", 100),
    ("delay-us", 1_000),
    ("batch-us", 100),
    ("flush-ms", 1),
    ("mishap-lasts-ms-max", 300),
];

impl Step {
    /// All that are worth a try, the boldest first.
    pub(super) fn all(outcome: &Outcome) -> Vec<Self> {
        let mut steps = vec![Self::CutChaos];
        steps.extend([0, 25, 50, 75, 95].map(Self::FirstMishaps));
        steps.extend([25, 50, 75, 95].map(|percent| Self::Scale("chaos-ms", percent)));
        steps.extend(Mishap::ALL.map(Self::Without));
        steps.extend(SIMPLE.iter().map(|(name, value)| Self::Set(name, *value)));
        steps.push(Self::Set("keeps-order", 1));
        steps.push(Self::Scale("clients", 75));
        let mut width = outcome.mishaps / 2;
        while width > 0 {
            let last = outcome.mishaps;
            let ranges = (1..=last).step_by(usize::try_from(width).unwrap_or(usize::MAX));
            steps.extend(ranges.map(|from| Self::Skip(from..=last.min(from + width - 1))));
            width /= 2;
        }
        steps
    }

    /// The scenario after the step, if that is another one and not larger.
    pub(super) fn apply(&self, scenario: &Scenario, outcome: &Outcome) -> Option<Scenario> {
        let mut stepped = scenario.clone();
        match self {
            Self::None => {}
            Self::CutChaos => {
                let ended_ms = outcome.ended_ns / 1_000_000 + 1;
                stepped = less(scenario, "chaos-ms", ended_ms)?;
            }
            Self::Scale(name, percent) => {
                stepped = less(scenario, name, scenario.number(name) * percent / 100)?;
            }
            Self::Set("keeps-order", value) => {
                let is_so = scenario.number("keeps-order") == *value;
                stepped = (!is_so).then(|| scenario.with("keeps-order", *value))?;
            }
            Self::Set(name, value) => stepped = less(scenario, name, *value)?,
            Self::FirstMishaps(percent) => {
                let present = scenario.spared.after.unwrap_or(u64::MAX).min(outcome.mishaps);
                let after = present * percent / 100;
                (after < present).then_some(())?;
                stepped.spared.after = Some(after);
            }
            Self::Without(kind) => {
                let happens = scenario.settings().mishaps.of(*kind) > 0;
                (happens && stepped.spared.kinds.insert(*kind)).then_some(())?;
            }
            Self::Skip(numbers) => {
                let happening = *numbers.start()..=outcome.mishaps.min(*numbers.end());
                stepped.spared.numbers.extend(happening);
                (stepped != *scenario).then_some(())?;
            }
        }
        Some(stepped)
    }
}

/// How many numbers of a scenario are larger than in a simple world.
pub(super) fn complications(scenario: &Scenario) -> u64 {
    let is_complicated = |(name, value): &&(&str, u64)| scenario.number(name) > *value;
    SIMPLE.iter().filter(is_complicated).count() as u64
}

/// The scenario with a smaller number, if it is smaller and makes sense.
fn less(scenario: &Scenario, name: &'static str, value: u64) -> Option<Scenario> {
    let is_less = value < scenario.number(name) && value >= Scenario::least(name);
    // Some numbers are raised again where no cluster could survive them.
    is_less.then(|| scenario.with(name, value)).filter(|stepped| stepped != scenario)
}

#[cfg(test)]
mod tests {
    use super::Step;
    use crate::{Outcome, Scenario};
    use sim::Mishap;

    fn ran() -> (Scenario, Outcome) {
        let scenario: Scenario =
            "--seed 3 --nodes 5 --chaos-ms 900 --clients 4 --keeps-order 0 --weights pause=2"
                .parse()
                .expect("a scenario");
        let outcome = Outcome {
            ended_ns: 400_000_000,
            mishaps: 8,
            ..Outcome::unfinished(crate::Found { kind: crate::Kind::Safety, what: String::new() })
        };
        (scenario, outcome)
    }

    fn after(step: Step) -> Option<String> {
        let (scenario, outcome) = ran();
        step.apply(&scenario, &outcome).map(|stepped| stepped.to_string())
    }

    #[test]
    fn a_step_takes_something_away() {
        let has = |step, words: &str| {
            let text = after(step).expect("it is a smaller scenario");
            assert!(text.contains(words), "{text}");
        };
        has(Step::CutChaos, "--chaos-ms 401");
        has(Step::Scale("chaos-ms", 50), "--chaos-ms 450");
        has(Step::Set("nodes", 3), "--nodes 3");
        has(Step::Set("keeps-order", 1), "--keeps-order 1");
        has(Step::FirstMishaps(75), "--mishaps-max 6");
        has(Step::Without(Mishap::Pause), "--without pause");
        has(Step::Skip(7..=9), "--skip-mishaps 7,8");
    }

    #[test]
    fn a_step_that_takes_nothing_away_is_none() {
        assert_eq!(after(Step::Set("nodes", 5)), None);
        assert_eq!(after(Step::Set("clients", 9)), None);
        assert_eq!(after(Step::Scale("clients", 0)), None);
    }

    #[test]
    fn single_mishaps_are_tried_after_many_at_once() {
        let steps = Step::all(&ran().1);
        let place = |step: Step| steps.iter().position(|one| *one == step).expect("it is tried");
        assert!(place(Step::Skip(1..=4)) < place(Step::Skip(5..=6)));
        assert!(place(Step::Skip(5..=6)) < place(Step::Skip(8..=8)));
    }
}

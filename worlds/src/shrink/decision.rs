//! What a scenario decides in place of its seed, one thing at a time, so that it can be taken back.

use sim::Mishap;

use crate::Scenario;

/// One thing that a scenario decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// A number.
    Number(&'static str),
    /// A kind of mishap is spared.
    Kind(Mishap),
    /// Mishaps are spared one by one that come after the last one anyway.
    Late,
    /// One mishap is spared.
    Place(u64),
    /// There is a last mishap.
    Last,
}

impl Decision {
    /// All that a scenario decides.
    pub(super) fn all(scenario: &Scenario) -> Vec<Self> {
        let numbers = scenario.numbers.keys().map(|name| Self::Number(name));
        let kinds = scenario.spared.kinds.iter().map(|kind| Self::Kind(*kind));
        let places = scenario.spared.numbers.iter().map(|place| Self::Place(*place));
        numbers.chain(kinds).chain([Self::Late]).chain(places).chain([Self::Last]).collect()
    }

    /// The scenario without the decision, if it made it.
    pub(super) fn taken_back(self, scenario: &Scenario) -> Option<Scenario> {
        let mut other = scenario.clone();
        let spared = &mut other.spared;
        match self {
            Self::Number(name) => drop(other.numbers.remove(name)),
            Self::Kind(kind) => drop(spared.kinds.remove(&kind)),
            Self::Place(place) => drop(spared.numbers.remove(&place)),
            Self::Last => spared.after = None,
            Self::Late => {
                let last = spared.after?;
                spared.numbers.retain(|place| *place <= last);
            }
        }
        (other != *scenario).then_some(other)
    }
}

#[cfg(test)]
mod tests {
    use super::Decision;
    use crate::Scenario;

    #[test]
    fn every_decision_can_be_taken_back() {
        let text = "--seed 3 --nodes 5 --without pause --skip-mishaps 2,9 --mishaps-max 7";
        let mut scenario: Scenario = text.parse().expect("a scenario");
        for decision in Decision::all(&scenario) {
            // The one after the last is gone by the time that its turn comes.
            let other = decision.taken_back(&scenario);
            assert_eq!(other.is_none(), decision == Decision::Place(9), "{decision:?}");
            scenario = other.unwrap_or(scenario);
        }
        assert_eq!(scenario, Scenario::of_seed(3));
    }
}

//! What is run: a seed, and whatever is decided in place of it. Its text is the end of a command line:
//! `--seed 17 --nodes 3 --without pause,split --mishaps-max 4`.

mod overrides;
mod served;
mod text;

use std::collections::BTreeMap;

use sim::{Mishap, Settings, Spared};

pub use overrides::{OVERRIDES, Override};
pub use served::Served;
pub use text::{LISTS, Malformed};

/// A seed, and what is decided in place of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// What runs in the clusters.
    pub system: Served,
    /// What decides everything else.
    pub seed: u64,
    /// Where the chances start, if not at the seed: the same settings, and other things happen.
    pub chances: Option<u64>,
    /// Numbers of the settings, by the names of [`OVERRIDES`].
    pub numbers: BTreeMap<&'static str, u64>,
    /// How often kinds of mishaps are drawn.
    pub weights: BTreeMap<Mishap, u64>,
    /// Which mishaps are drawn and do not happen.
    pub spared: Spared,
}

impl Scenario {
    /// What a seed decides alone.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The same with another seed.
    #[must_use]
    pub fn with_seed(&self, seed: u64) -> Self {
        Self { seed, ..self.clone() }
    }

    /// The same with one number decided.
    ///
    /// # Panics
    /// If there is no override of that name.
    #[must_use]
    pub fn with(&self, name: &str, value: u64) -> Self {
        let mut scenario = self.clone();
        scenario.numbers.insert(override_named(name).name, value);
        scenario
    }

    /// What the number of that name is in the end, decided or drawn.
    ///
    /// # Panics
    /// If there is no override of that name.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        (override_named(name).get)(&self.settings())
    }

    /// The smallest value of the number of that name that makes sense.
    ///
    /// # Panics
    /// If there is no override of that name.
    #[must_use]
    pub fn least(name: &str) -> u64 {
        override_named(name).least
    }

    /// Everything that this scenario decides before its world begins.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::draw(self.seed);
        settings.seed = self.chances.unwrap_or(self.seed);
        for (mishap, weight) in &self.weights {
            *settings.mishaps.of_mut(*mishap) = *weight;
        }
        for each in OVERRIDES {
            if let Some(number) = self.numbers.get(each.name) {
                (each.set)(&mut settings, *number);
            }
        }
        settings.spared = self.spared.clone();
        settings.stay_repairable();
        settings
    }
}

fn override_named(name: &str) -> &'static Override {
    let found = OVERRIDES.iter().find(|each| each.name == name);
    found.unwrap_or_else(|| panic!("there is no override `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::{OVERRIDES, Scenario};
    use sim::{Mishap, Settings};

    #[test]
    fn every_override_is_what_the_settings_then_hold() {
        // Five nodes without mishaps and garbled sectors, so that nothing is taken back.
        let mut plain = Scenario::of_seed(1).with("nodes", 5).with("garbled-one-in", 0);
        plain.weights = Mishap::ALL.map(|mishap| (mishap, 0)).into();
        for each in OVERRIDES {
            let scenario = plain.with(each.name, 1);
            assert_eq!(scenario.number(each.name), 1, "{}", each.name);
        }
    }

    #[test]
    fn a_seed_alone_decides_as_the_simulator_does() {
        let drawn = format!("{:?}", Settings::draw(17));
        assert_eq!(format!("{:?}", Scenario::of_seed(17).settings()), drawn);
    }

    #[test]
    fn other_chances_leave_the_settings_as_they_are() {
        let other = Scenario { chances: Some(99), ..Scenario::of_seed(17) };
        let settings = other.settings();
        assert_eq!(settings.seed, 99);
        let as_drawn = Settings { seed: 17, ..settings };
        assert_eq!(format!("{as_drawn:?}"), format!("{:?}", Settings::draw(17)));
    }
}

//! A scenario as the end of a command line, and back.

use std::{fmt, str::FromStr};

use sim::Mishap;

use super::{OVERRIDES, Scenario, Served};

/// Options that are no plain numbers of the settings: name, what stands for the value, help.
pub const LISTS: &[(&str, &str, &str)] = &[
    ("system", "NAME", "What runs in the clusters: kv, if nothing is said, or queue"),
    ("chances", "SEED", "Draw what happens from here, and the settings from --seed"),
    ("weights", "KIND=N,...", "How often kinds of mishaps are drawn, relative to the others"),
    ("without", "KIND,...", "Mishaps of these kinds are drawn and do not happen"),
    ("skip-mishaps", "N,...", "These mishaps, by their order from 1, do not happen"),
    ("mishaps-max", "N", "No mishap happens after so many"),
];

/// Why a text is no scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(String);

impl Malformed {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.system != Served::default() {
            write!(formatter, "--system {} ", self.system)?;
        }
        write!(formatter, "--seed {}", self.seed)?;
        if let Some(chances) = self.chances {
            write!(formatter, " --chances {chances}")?;
        }
        for each in OVERRIDES {
            if let Some(number) = self.numbers.get(each.name) {
                write!(formatter, " --{} {number}", each.name)?;
            }
        }
        let weights = self.weights.iter().map(|(mishap, weight)| format!("{mishap}={weight}"));
        list(formatter, "weights", weights)?;
        list(formatter, "without", self.spared.kinds.iter().map(ToString::to_string))?;
        list(formatter, "skip-mishaps", self.spared.numbers.iter().map(ToString::to_string))?;
        list(formatter, "mishaps-max", self.spared.after.iter().map(ToString::to_string))
    }
}

fn list(
    formatter: &mut fmt::Formatter<'_>,
    name: &str,
    items: impl Iterator<Item = String>,
) -> fmt::Result {
    let items: Vec<String> = items.collect();
    if items.is_empty() { Ok(()) } else { write!(formatter, " --{name} {}", items.join(",")) }
}

impl FromStr for Scenario {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let mut scenario = Self::default();
        let mut words = text.split_whitespace();
        let mut has_seed = false;
        while let Some(word) = words.next() {
            let name = word.strip_prefix("--");
            let name = name.ok_or_else(|| Malformed(format!("`{word}` is no option")))?;
            let value = words.next();
            let value = value.ok_or_else(|| Malformed(format!("{word} takes a value")))?;
            scenario.decide(name, value)?;
            has_seed |= name == "seed";
        }
        if has_seed { Ok(scenario) } else { Err(Malformed("there is no --seed".into())) }
    }
}

impl Scenario {
    /// Decides what the option `name` says, without its dashes.
    ///
    /// # Errors
    /// If there is no such option, or the value makes no sense for it.
    pub fn decide(&mut self, name: &str, value: &str) -> Result<(), Malformed> {
        match name {
            "system" => self.system = value.parse()?,
            "seed" => self.seed = number(value)?,
            "chances" => self.chances = Some(number(value)?),
            "mishaps-max" => self.spared.after = Some(number(value)?),
            "without" => {
                for kind in value.split(',') {
                    self.spared.kinds.insert(mishap(kind)?);
                }
            }
            "skip-mishaps" => {
                for place in value.split(',') {
                    self.spared.numbers.insert(number(place)?);
                }
            }
            "weights" => {
                for pair in value.split(',') {
                    let (kind, weight) = pair.split_once('=').ok_or_else(|| {
                        Malformed(format!("`{pair}` is no weight: try `crash=3`"))
                    })?;
                    self.weights.insert(mishap(kind)?, number(weight)?);
                }
            }
            _ => self.decide_number(name, number(value)?)?,
        }
        Ok(())
    }

    fn decide_number(&mut self, name: &str, value: u64) -> Result<(), Malformed> {
        let found = OVERRIDES.iter().find(|each| each.name == name);
        let found = found.ok_or_else(|| Malformed(format!("there is no option --{name}")))?;
        if value < found.least {
            return Err(Malformed(format!("--{name} is {} at least", found.least)));
        }
        self.numbers.insert(found.name, value);
        Ok(())
    }
}

fn number(text: &str) -> Result<u64, Malformed> {
    text.parse().map_err(|_| Malformed(format!("`{text}` is no whole number")))
}

fn mishap(name: &str) -> Result<Mishap, Malformed> {
    name.parse().map_err(|unknown: sim::UnknownMishap| Malformed(unknown.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{LISTS, Scenario, Served};
    use crate::OVERRIDES;

    #[test]
    fn a_scenario_is_read_back_from_its_text() {
        let text = "--seed 17 --chances 4 --nodes 3 --chaos-ms 2000 --clients 2 --keeps-order 0 \
                    --weights crash=3,pause=0 --without pause,split --skip-mishaps 3,7 --mishaps-max 9";
        let scenario: Scenario = text.parse().expect("it is one");
        assert_eq!(scenario.to_string(), text);
        assert_eq!(scenario.settings().mishaps.crash, 3);
        let text = "--system queue --seed 17 --nodes 3";
        let scenario: Scenario = text.parse().expect("it is one");
        assert_eq!((scenario.to_string().as_str(), scenario.system), (text, Served::Queue));
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let says = |text: &str| text.parse::<Scenario>().expect_err("it is none").to_string();
        assert_eq!(says("--nodes 3"), "there is no --seed");
        assert_eq!(says("--seed 1 --nodes 0"), "--nodes is 1 at least");
        assert_eq!(says("--seed 1 --nodes"), "--nodes takes a value");
        assert_eq!(says("--seed 1 --knots 3"), "there is no option --knots");
        assert_eq!(says("--seed one"), "`one` is no whole number");
        assert_eq!(says("--seed 1 --system dns"), "`dns` is no system; there are: kv, queue");
        assert!(says("--seed 1 --without quake").starts_with("`quake` is no mishap; there are:"));
    }

    #[test]
    fn no_two_options_share_a_name() {
        let names = OVERRIDES.iter().map(|each| each.name).chain(LISTS.iter().map(|list| list.0));
        let mut names: Vec<&str> = names.collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}

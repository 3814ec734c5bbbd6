//! The options that make a scenario, as `worlds` lists them.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use worlds::{LISTS, OVERRIDES, Scenario};

use crate::exit::{Failure, Outcome};

/// Where `--help` shows them.
const HEADING: &str = "What the seed would decide";

/// What was given, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct ScenarioOptions {
    given: Vec<(String, String)>,
}

impl ScenarioOptions {
    /// True if the option was given.
    pub(super) fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    /// The value of an option, as it was given.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let found = self.given.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What was given, as a scenario; its seed is 0 if none was given.
    pub(super) fn scenario(&self) -> Outcome<Scenario> {
        let mut scenario = Scenario::default();
        for (name, value) in &self.given {
            scenario
                .decide(name, value)
                .map_err(|malformed| Failure::usage(format!("--{name} {value}: {malformed}.")))?;
        }
        Ok(scenario)
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    let lists = LISTS.iter().map(|(name, ..)| *name);
    ["seed"].into_iter().chain(OVERRIDES.iter().map(|each| each.name)).chain(lists)
}

impl Args for ScenarioOptions {
    fn augment_args(command: Command) -> Command {
        let option = |name: &'static str| Arg::new(name).long(name);
        let number = |name| option(name).value_name("N").help_heading(HEADING);
        let seed = option("seed").value_name("SEED").help("Run this seed alone");
        let numbers = OVERRIDES.iter().map(|each| number(each.name).help(each.help));
        let lists =
            LISTS.iter().map(|(name, value, help)| number(name).value_name(*value).help(*help));
        command.arg(seed).args(numbers).args(lists)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ScenarioOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut options = Self::default();
        options.update_from_arg_matches(matches)?;
        Ok(options)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.given = names()
            .filter_map(|name| Some((name.to_owned(), matches.get_one::<String>(name)?.clone())))
            .collect();
        Ok(())
    }
}

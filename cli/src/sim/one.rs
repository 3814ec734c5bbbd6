//! One seed, or one file of the bug base.

use std::{fs, io, path::Path};

use worlds::{Bug, Finished, Scenario};

use super::{
    command, exit,
    files::{self, Watched},
    finding::Reported,
    json,
    options::SimOptions,
    say, summary,
};
use crate::exit::{Exit, Failure, Outcome};

/// Runs one seed and prints what became of it.
pub(super) fn run_seed(options: &SimOptions) -> Outcome {
    run(options, options.scenario.scenario()?)
}

/// Runs what a file of the bug base says.
pub(super) fn run_bug(options: &SimOptions, path: &Path) -> Outcome {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::usage(format!("{} is no file of a bug base: {why}.", path.display()))
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let bug = Bug::read(&text).map_err(|malformed| wrong(&malformed))?;
    if !options.json {
        say(format_args!("{}\nmended: {}", bug.about, if bug.is_mended { "yes" } else { "no" }));
        say(format_args!("run:    {}\n", command(&bug.scenario)));
    }
    let exercised = bug.scenario.run(None).exercised();
    for need in bug.unmet(&exercised).map_err(|malformed| wrong(&malformed))? {
        eprintln!(
            "archipel: This run has no {need}, without which the bug cannot be seen. The simulator has \
             changed since: the seed means another world now."
        );
    }
    run(options, bug.scenario)
}

fn run(options: &SimOptions, scenario: Scenario) -> Outcome {
    let finished = if options.trace || options.page.is_some() {
        watched(options, &scenario)?
    } else {
        let outcome = scenario.run(None);
        Finished { scenario, outcome }
    };
    let kind = finished.outcome.found.as_ref().map(|found| found.kind);
    let (hash, exercised) = (finished.outcome.hash, finished.outcome.exercised());
    if options.json {
        let reported = match kind {
            Some(_) => Some(Reported::make(options, finished.clone())?),
            None => None,
        };
        say(json::seed(&finished, reported.as_ref()));
    } else {
        if !options.trace {
            summary::print(&exercised);
            say("");
        }
        say(format_args!("seed {}, event hash {hash:016x}", finished.scenario.seed));
        match kind {
            Some(_) => drop(Reported::make(options, finished)?),
            None => say("Nothing was found."),
        }
    }
    Ok(kind.map_or(Exit::Done, exit))
}

/// Runs the scenario and shows what happens as it was asked for.
fn watched(options: &SimOptions, scenario: &Scenario) -> Outcome<Finished> {
    let mut watched = Watched::new(options.page.is_some());
    if options.trace {
        watched.witnesses.push(files::text(io::stdout()));
    }
    let finished = watched.run(scenario);
    if let Some(path) = &options.page {
        watched.write_page(path, &finished)?;
    }
    Ok(finished)
}

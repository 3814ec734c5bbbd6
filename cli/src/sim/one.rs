//! One seed, or one file of the bug base.

use std::{
    fs,
    io::{self, BufWriter, Stdout, Write},
    path::Path,
};

use sim::Witness;
use worlds::{Bug, Finished, Scenario, trace::Text};

use super::{command, exit, finding::Reported, json, options::SimOptions, say, summary};
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
    let counters = bug.scenario.run(None).counters;
    for need in bug.unmet(&counters).map_err(|malformed| wrong(&malformed))? {
        eprintln!(
            "archipel: This run has no {need}, without which the bug cannot be seen. The simulator has \
             changed since: the seed means another world now."
        );
    }
    run(options, bug.scenario)
}

fn run(options: &SimOptions, scenario: Scenario) -> Outcome {
    let text = || Box::new(Text::new(Box::new(ToOutput::new()))) as Box<dyn Witness>;
    let outcome = scenario.run(options.trace.then(text));
    let kind = outcome.found.as_ref().map(|found| found.kind);
    let finished = Finished { scenario, outcome };
    let (hash, counters) = (finished.outcome.hash, finished.outcome.counters);
    if options.json {
        let reported = match kind {
            Some(_) => Some(Reported::make(options, finished.clone())?),
            None => None,
        };
        say(json::seed(&finished, reported.as_ref()));
    } else {
        if !options.trace {
            summary::print(&counters);
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

/// Writes to standard output, in large pieces.
struct ToOutput(BufWriter<Stdout>);

impl ToOutput {
    fn new() -> Self {
        Self(BufWriter::new(io::stdout()))
    }
}

impl std::fmt::Write for ToOutput {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write_all(text.as_bytes()).map_err(|_| std::fmt::Error)
    }
}

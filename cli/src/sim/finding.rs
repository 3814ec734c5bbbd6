//! Something was found: what it is, how to see it again, something smaller, and files about it.

use std::path::PathBuf;

use worlds::{Finished, Found, Kind, Outcome as Ran, Scenario, Shrunk, Size, shrink};

use super::{bugs, command, files, options::SimOptions, say, summary::grouped};
use crate::{exit::Outcome, progress::Progress};

/// A finding that was reported.
#[derive(Debug)]
pub(super) struct Reported {
    pub(super) finished: Finished,
    /// The smallest scenario that finds the same, if one was looked for.
    pub(super) shrunk: Option<Shrunk>,
    /// What was written about it.
    pub(super) files: Vec<PathBuf>,
    /// The file of the bug base that keeps it.
    pub(super) bug: Option<PathBuf>,
}

impl Reported {
    /// Makes the finding smaller, writes files, and prints it unless JSON is wanted.
    ///
    /// # Panics
    /// If nothing was found.
    pub(super) fn make(options: &SimOptions, finished: Finished) -> Outcome<Self> {
        let mut reported = Self { finished, shrunk: None, files: Vec::new(), bug: None };
        reported.print(options);
        if reported.kind() != Kind::Endless {
            reported.shrunk = options.shrink_for().map(|at_most| {
                let Finished { scenario, outcome } = &reported.finished;
                let progress = Progress::new(options.json);
                let shrunk = shrink(scenario, outcome, at_most, |_, outcome| {
                    let events = grouped(outcome.counters.events);
                    progress.say(&format!("making it smaller: {events} events"));
                });
                progress.done();
                shrunk
            });
            let (scenario, outcome) = reported.smallest();
            reported.files = files::write(&options.out, scenario, outcome)?;
        }
        if let Some(base) = &options.file_bugs {
            reported.bug = bugs::file(base, reported.smallest().0, reported.found())?;
        }
        reported.print_rest(options);
        Ok(reported)
    }

    pub(super) fn found(&self) -> &Found {
        self.finished.outcome.found.as_ref().expect("only findings are reported")
    }

    pub(super) fn kind(&self) -> Kind {
        self.found().kind
    }

    /// The smallest scenario that finds it, and what became of it.
    fn smallest(&self) -> (&Scenario, &Ran) {
        let Finished { scenario, outcome } = &self.finished;
        self.shrunk
            .as_ref()
            .map_or((scenario, outcome), |shrunk| (&shrunk.scenario, &shrunk.outcome))
    }

    fn print(&self, options: &SimOptions) {
        if options.json {
            return;
        }
        say(format_args!("FOUND: {}", title(self.kind())));
        say(&self.found().what);
        say(format_args!("run it again:  {}", command(&self.finished.scenario)));
    }

    fn print_rest(&self, options: &SimOptions) {
        if options.json {
            return;
        }
        if let Some(shrunk) = &self.shrunk {
            let Finished { scenario, outcome } = &self.finished;
            say(format_args!("made smaller:  {}", command(&shrunk.scenario)));
            say(format_args!("  before  {}", size(Size::of(scenario, outcome))));
            say(format_args!("  after   {}", size(Size::of(&shrunk.scenario, &shrunk.outcome))));
            let end = if shrunk.is_done { "no step makes it smaller" } else { "the time was over" };
            say(format_args!("  {} tries, then {end}", grouped(shrunk.tries)));
        }
        for path in &self.files {
            say(format_args!("written:       {}", path.display()));
        }
        match (&self.bug, &options.file_bugs) {
            (Some(path), _) => say(format_args!("filed:         {}", path.display())),
            (None, Some(base)) => say(format_args!("{} has it already", base.display())),
            (None, None) => {}
        }
        say("");
    }
}

const fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Safety => "a promise is broken",
        Kind::Liveness => "the cluster stands still",
        Kind::Assertion => "an assertion is broken",
        Kind::Simulator => "the simulator is wrong",
        Kind::Endless => "it does not come to an end",
    }
}

/// A size in words.
fn size(size: Size) -> String {
    format!(
        "{} computers, {} clients, {} mishaps, {} operations, {} events, {} ms",
        size.computers,
        size.clients,
        grouped(size.mishaps),
        grouped(size.operations),
        grouped(size.events),
        grouped(size.virtual_ms)
    )
}

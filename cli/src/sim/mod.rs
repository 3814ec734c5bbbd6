//! `archipel sim`: breaks simulated clusters, many at a time, and says what was found.
//!
//! ```text
//!   options ─▶ many ─▶ summary      seeds until the time or the seeds are over   progress
//!           │    └▶ finding         runs it smaller, writes files                files, bugs
//!           ├▶ one                  one seed, or one file of the bug base
//!           └▶ speed                how fast the simulator is
//! ```

mod bugs;
mod files;
mod finding;
mod json;
mod many;
mod one;
mod options;
mod progress;
mod scenario_options;
mod speed;
mod summary;

pub(crate) use options::SimOptions;

use crate::exit::{Exit, Failure, Outcome};

/// Carries the command out.
pub(crate) fn run(options: &SimOptions) -> Outcome {
    if options.bench {
        return speed::run(options);
    }
    match (&options.bug, options.scenario.has("seed")) {
        (Some(path), _) => one::run_bug(options, path),
        (None, true) => one::run_seed(options),
        (None, false) if options.page.is_some() || options.trace => {
            Err(Failure::usage("--page and --trace show one run: add --seed or --bug."))
        }
        (None, false) => many::run(options),
    }
}

/// How the process ends when something like this was found.
const fn exit(kind: worlds::Kind) -> Exit {
    match kind {
        worlds::Kind::Safety | worlds::Kind::Assertion => Exit::Unsafe,
        worlds::Kind::Liveness => Exit::Stuck,
        worlds::Kind::Simulator | worlds::Kind::Endless => Exit::Simulator,
    }
}

/// The command line that runs a scenario again.
fn command(scenario: &worlds::Scenario) -> String {
    format!("archipel sim {scenario}")
}

/// Prints a line. If nobody reads it any more, as after `| head`, nothing more can be said.
fn say(line: impl std::fmt::Display) {
    let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{line}\n"));
}

//! What `archipel sim` can be told.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::scenario_options::ScenarioOptions;

/// Breaks simulated clusters: whole ones in one process, in virtual time, each from a seed, in a world
/// where messages, disks, clocks and processes fail. What clients saw is judged at the end.
///
/// A seed decides everything: what can happen, and what does. The same seed gives the same world, event
/// for event. Without --seed many seeds are run, until something is found. A finding is printed with
/// the command line that runs it again, is made smaller, and is written to files: its trace, a page
/// that shows it, and what clients saw, for `archipel check`.
#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes:
  0   nothing was found
  2   the command makes no sense
  10  a promise or an assertion is broken
  11  a cluster stood still
  12  the simulator itself is wrong, or a seed did not come to an end in 60 seconds

Examples:
  archipel sim
  archipel sim --fresh --minutes 10
  archipel sim --seeds 5000 --nodes 5 --without change,transfer
  archipel sim --seed 17 --trace
  archipel sim --seed 17 --page seed17.html
  archipel sim --bench")]
pub(crate) struct SimOptions {
    /// How many seeds. Default: 1000, or with --minutes as many as there is time for.
    #[arg(long, value_name = "COUNT", conflicts_with = "seed")]
    pub(super) seeds: Option<u64>,
    /// The first seed.
    #[arg(long, value_name = "SEED", default_value_t = 0, conflicts_with = "seed")]
    pub(super) first: u64,
    /// Draw the first seed from the clock, so that nobody has run these seeds before.
    #[arg(long, conflicts_with_all = ["first", "seed"])]
    pub(super) fresh: bool,
    /// Begin no seed after so many minutes.
    #[arg(long, value_name = "MINUTES", conflicts_with = "seed")]
    pub(super) minutes: Option<u64>,
    /// How many threads. Default: one for each processor.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub(super) jobs: Option<u64>,
    /// Go on until so many different things were found.
    #[arg(long, value_name = "COUNT", default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) findings_max: u64,
    /// Print what happens in the world of the seed, line by line.
    #[arg(long)]
    pub(super) trace: bool,
    /// Write a page that shows the run of --seed or --bug: who was what, what went wrong, every message.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "minutes", "fresh", "bench"])]
    pub(super) page: Option<PathBuf>,
    /// Print a line for each seed with the hash over all that happened.
    #[arg(long, conflicts_with = "json")]
    pub(super) hashes: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Do not look for something smaller that fails in the same way.
    #[arg(long)]
    pub(super) no_shrink: bool,
    /// How long to look for it.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(super) shrink_seconds: u64,
    /// The folder for the files about a finding.
    #[arg(long, value_name = "FOLDER", default_value = "./archipel-findings")]
    pub(super) out: PathBuf,
    /// Run a file of the bug base.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "seeds", "minutes", "fresh", "first"])]
    pub(super) bug: Option<PathBuf>,
    /// Keep what is found as a file in this bug base, unless it has it already.
    #[arg(long, value_name = "FOLDER")]
    pub(super) file_bugs: Option<PathBuf>,
    /// Measure how fast the simulator is, on one thread, with 3, 5 and 7 nodes or those of --nodes.
    #[arg(long, conflicts_with_all = ["seed", "bug", "seeds", "minutes"])]
    pub(super) bench: bool,
    /// What is decided in place of the seed.
    #[command(flatten)]
    pub(super) scenario: ScenarioOptions,
}

impl SimOptions {
    /// On how many threads.
    pub(super) fn jobs(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.and_then(|jobs| usize::try_from(jobs).ok()).unwrap_or_else(processors)
    }

    /// How long to look for something smaller; nothing if it is not wanted.
    pub(super) fn shrink_for(&self) -> Option<Duration> {
        (!self.no_shrink).then(|| Duration::from_secs(self.shrink_seconds))
    }
}

//! Many seeds, until the time or the seeds are over or enough was found.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use worlds::{Finished, Kind, Search, Totals};

use super::{
    exit, finding::Reported, json, options::SimOptions, progress::SearchProgress, say, summary,
};
use crate::exit::{Exit, Outcome};

/// How many seeds if nothing is said.
const SEEDS: u64 = 1_000;

/// Runs the seeds and prints what became of them.
pub(super) fn run(options: &SimOptions) -> Outcome {
    let search = plan(options)?;
    if options.fresh && !options.json {
        say(format_args!("first seed {}", search.first));
    }
    let mut found = Findings::new(options);
    let mut hashes = Hashes { next: search.first, waiting: BTreeMap::new() };
    let mut progress = SearchProgress::new(options.json || options.hashes);
    let totals = search.run(|finished, totals| {
        progress.show(&search, totals);
        if let Some(finished) = finished {
            if options.hashes {
                hashes.print(finished);
            }
            found.note(finished);
        }
        !found.is_enough()
    });
    progress.done();
    if !options.json && !options.hashes {
        print(&search, &totals);
    }
    let reported = found.report()?;
    if options.json {
        say(json::search(&search, &totals, &reported));
    }
    Ok(reported
        .iter()
        .map(|one| one.kind())
        .min_by_key(|kind| severity(*kind))
        .map_or(Exit::Done, exit))
}

/// What was asked for.
fn plan(options: &SimOptions) -> Outcome<Search> {
    let at_most = options.minutes.map(|minutes| Duration::from_secs(60 * minutes));
    let many = if at_most.is_some() { u64::MAX } else { SEEDS };
    Ok(Search {
        first: if options.fresh { fresh_seed() } else { options.first },
        count: options.seeds.unwrap_or(many),
        at_most,
        jobs: options.jobs(),
        common: options.scenario.scenario()?,
        goes_on: options.findings_max > 1,
    })
}

/// A seed that nobody has run: the clock's milliseconds, far apart.
fn fresh_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default().saturating_mul(100_000)
}

fn print(search: &Search, totals: &Totals) {
    summary::print(&totals.exercised());
    say("");
    let last = search.first + totals.seeds.saturating_sub(1);
    say(format_args!(
        "{} seeds, {} to {last}, in {}.{} s on {} threads: {}.",
        summary::grouped(totals.seeds),
        search.first,
        totals.elapsed.as_secs(),
        totals.elapsed.subsec_millis() / 100,
        search.jobs,
        summary::speed(totals)
    ));
    say(format_args!("{} faults injected.", summary::grouped(summary::faults(&totals.counters))));
    if totals.undecided > 0 {
        say(format_args!("{} histories could not be judged within bounds.", totals.undecided));
    }
    if totals.findings == 0 {
        say("Nothing was found.");
    }
}

/// What matters most comes first.
const fn severity(kind: Kind) -> u8 {
    match kind {
        Kind::Safety | Kind::Assertion => 0,
        Kind::Liveness => 1,
        Kind::Simulator | Kind::Endless => 2,
    }
}

/// Different things that were found, each with the lowest seed that found it.
struct Findings<'a> {
    options: &'a SimOptions,
    found: Vec<Finished>,
}

impl<'a> Findings<'a> {
    const fn new(options: &'a SimOptions) -> Self {
        Self { options, found: Vec::new() }
    }

    fn note(&mut self, finished: &Finished) {
        let Some(found) = &finished.outcome.found else {
            return;
        };
        let is_like = |known: &&mut Finished| {
            known.outcome.found.as_ref().is_some_and(|known| known.is_like(found))
        };
        match self.found.iter_mut().find(is_like) {
            None => self.found.push(finished.clone()),
            Some(known) if finished.scenario.seed < known.scenario.seed => {
                *known = finished.clone();
            }
            Some(_) => {}
        }
    }

    /// A search that stops at the first finding does so by itself, once all lower seeds have ended.
    const fn is_enough(&self) -> bool {
        let most = self.options.findings_max;
        most > 1 && self.found.len() as u64 >= most
    }

    /// Makes them smaller, writes their files and prints them.
    fn report(mut self) -> Outcome<Vec<Reported>> {
        self.found.sort_by_key(|finished| finished.scenario.seed);
        if self.options.findings_max == 1 {
            self.found.truncate(1);
        }
        self.found.into_iter().map(|finished| Reported::make(self.options, finished)).collect()
    }
}

/// Prints hashes in the order of their seeds.
struct Hashes {
    next: u64,
    waiting: BTreeMap<u64, u64>,
}

impl Hashes {
    fn print(&mut self, finished: &Finished) {
        self.waiting.insert(finished.scenario.seed, finished.outcome.hash);
        while let Some(hash) = self.waiting.remove(&self.next) {
            say(format_args!("{} {hash:016x}", self.next));
            self.next += 1;
        }
    }
}

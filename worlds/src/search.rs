//! Many scenarios on several threads, until enough was found or there is nothing left to run.
//!
//! ```text
//!   worker ─┐
//!   worker ─┼─ finished ─▶ search ─▶ watch: each outcome, and now and then nothing but the time
//!   worker ─┘
//! ```
//! What never ends cannot be stopped from outside: its thread is left behind.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use sim::{Counters, Tally};

use crate::{Found, Kind, Outcome, Scenario};

/// A scenario that takes longer goes round in a circle. A build without optimization is given more.
pub const ENDLESS: Duration = Duration::from_secs(if cfg!(debug_assertions) { 600 } else { 60 });

/// How often whoever watches hears that time goes by.
const TICK: Duration = Duration::from_millis(100);

/// What to run.
#[derive(Clone, Debug)]
pub struct Search {
    /// The first seed.
    pub first: u64,
    /// How many seeds, one after the other.
    pub count: u64,
    /// No seed is begun after this time.
    pub at_most: Option<Duration>,
    /// On how many threads, one at least.
    pub jobs: usize,
    /// What every seed has in common; its own seed does not matter.
    pub common: Scenario,
    /// Goes on after a finding. Otherwise only seeds below it are still run, so that what is found
    /// first does not depend on the number of threads.
    pub goes_on: bool,
}

/// A seed that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What was run.
    pub scenario: Scenario,
    /// What became of it.
    pub outcome: Outcome,
}

/// What all seeds of a search did together.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// How many seeds have ended.
    pub seeds: u64,
    /// What they exercised.
    pub counters: Counters,
    /// What clients did besides, by name.
    pub tally: BTreeMap<&'static str, u64>,
    /// How many histories could not be judged.
    pub undecided: u64,
    /// How many found something.
    pub findings: u64,
    /// How long it has taken.
    pub elapsed: Duration,
}

impl Search {
    /// Seeds `first` to `first + count - 1` on `jobs` threads, until something is found.
    #[must_use]
    pub fn of_seeds(first: u64, count: u64, jobs: usize) -> Self {
        let common = Scenario::default();
        Self { first, count, at_most: None, jobs, common, goes_on: false }
    }

    /// Runs. `watch` is given every seed that has ended, in the order in which they end, and every so
    /// often nothing; it ends the search by saying false.
    ///
    /// # Panics
    /// If a thread cannot be started.
    pub fn run(&self, mut watch: impl FnMut(Option<&Finished>, &Totals) -> bool) -> Totals {
        let started = Instant::now();
        let (sender, finished) = mpsc::channel();
        let shared = Arc::new(Shared::new(self, started));
        for job in 0..self.jobs.max(1) {
            let (shared, sender) = (Arc::clone(&shared), sender.clone());
            thread::spawn(move || shared.work(job, &sender));
        }
        drop(sender);
        let mut totals = Totals::default();
        loop {
            let received = finished.recv_timeout(TICK);
            totals.elapsed = started.elapsed();
            let next = match received {
                Ok(next) => Some(next),
                Err(RecvTimeoutError::Disconnected) => return totals,
                Err(RecvTimeoutError::Timeout) => shared.circling(),
            };
            if let Some(next) = &next {
                totals.add(&next.outcome);
            }
            if !watch(next.as_ref(), &totals) {
                shared.end.store(0, Ordering::Relaxed);
            }
            let is_endless = next.and_then(|next| next.outcome.found);
            if is_endless.is_some_and(|found| found.kind == Kind::Endless) {
                return totals;
            }
        }
    }
}

impl Totals {
    /// All that was counted, by name.
    #[must_use]
    pub fn exercised(&self) -> Tally {
        let tally = self.tally.iter().map(|(name, count)| (*name, *count));
        self.counters.each().into_iter().chain(tally).collect()
    }

    /// Adds what one scenario did.
    pub fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.counters.add(&outcome.counters);
        for (name, count) in &outcome.tally {
            *self.tally.entry(name).or_default() += count;
        }
        self.undecided += u64::from(outcome.undecided);
        self.findings += u64::from(outcome.found.is_some());
    }
}

/// What all threads share.
struct Shared {
    common: Scenario,
    next: AtomicU64,
    /// Seeds from here on are not wanted.
    end: AtomicU64,
    goes_on: bool,
    late: Option<Instant>,
    /// The seed of each thread, and when it began.
    under_way: Mutex<Vec<Option<(u64, Instant)>>>,
}

impl Shared {
    fn new(search: &Search, started: Instant) -> Self {
        Self {
            common: search.common.clone(),
            next: AtomicU64::new(search.first),
            end: AtomicU64::new(search.first.saturating_add(search.count)),
            goes_on: search.goes_on,
            late: search.at_most.map(|at_most| started + at_most),
            under_way: Mutex::new(vec![None; search.jobs.max(1)]),
        }
    }

    fn work(&self, job: usize, finished: &Sender<Finished>) {
        while let Some(seed) = self.next_seed() {
            let scenario = self.common.with_seed(seed);
            self.under_way()[job] = Some((seed, Instant::now()));
            let outcome = scenario.run(None);
            self.under_way()[job] = None;
            if outcome.found.is_some() && !self.goes_on {
                self.end.fetch_min(seed, Ordering::Relaxed);
            }
            if finished.send(Finished { scenario, outcome }).is_err() {
                // The search was left because another thread does not end.
                return;
            }
        }
    }

    fn next_seed(&self) -> Option<u64> {
        let is_late = self.late.is_some_and(|late| Instant::now() >= late);
        let seed = self.next.fetch_add(1, Ordering::Relaxed);
        (!is_late && seed < self.end.load(Ordering::Relaxed)).then_some(seed)
    }

    fn under_way(&self) -> MutexGuard<'_, Vec<Option<(u64, Instant)>>> {
        self.under_way.lock().expect("no thread panics while it notes its seed")
    }

    /// The seed, if there is one, that does not end.
    fn circling(&self) -> Option<Finished> {
        let under_way = self.under_way();
        let mut seeds = under_way.iter().flatten();
        let (seed, _) = seeds.find(|(_, since)| since.elapsed() > ENDLESS)?;
        let what = format!("seed {seed} has not ended after {} s", ENDLESS.as_secs());
        Some(Finished {
            scenario: self.common.with_seed(*seed),
            outcome: Outcome::unfinished(Found { kind: Kind::Endless, what }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Search, Totals};

    #[test]
    fn every_seed_is_run_once_and_counted() {
        let mut seen = Vec::new();
        let search = Search::of_seeds(3, 4, 2);
        let totals: Totals = search.run(|finished, _| {
            seen.extend(finished.map(|finished| finished.scenario.seed));
            true
        });
        seen.sort_unstable();
        assert_eq!(seen, [3, 4, 5, 6]);
        assert_eq!((totals.seeds, totals.findings), (4, 0));
        assert!(totals.counters.committed > 0 && totals.counters.virtual_ms > 16_000);
    }

    #[test]
    fn whoever_watches_can_end_it() {
        let totals = Search::of_seeds(0, u64::MAX, 1).run(|_, totals| totals.seeds < 2);
        assert!((2..5).contains(&totals.seeds), "{}", totals.seeds);
    }
}

//! Raft and each system on it in the simulator: whole clusters, one a seed, each with its own mix of
//! mishaps. Every finding can be run again by its seed.
//!
//! ```text
//! SEED=17 cargo test -p archipel-tests --test seeds one_seed -- --nocapture            again
//! TRACE=1 SEED=17 cargo test -p archipel-tests --test seeds one_seed -- --nocapture    and tell all
//! SEEDS=1000..5000 cargo test -p archipel-tests --test seeds many_seeds -- --nocapture others
//! ```
//! `SYSTEM=queue` in front runs the work queue. `archipel sim` does the same and more.

use std::{fmt::Write, ops::Range};

use sim::Witness;
use worlds::{Scenario, Search, Served, Totals, trace::Text};

/// Which seeds of the store every `cargo test` runs, and which of them twice.
const SEEDS: Range<u64> = 0..500;
const TWICE: Range<u64> = 0..200;

/// The same of the queue.
const QUEUE_SEEDS: Range<u64> = 0..200;
const QUEUE_TWICE: Range<u64> = 0..60;

/// Writes the trace to the standard error.
struct ToError;

impl Write for ToError {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        eprint!("{text}");
        Ok(())
    }
}

/// Runs all seeds on two threads: what they did together, and the hash of each. Every finding is
/// printed, and is the end of the test.
fn run_seeds(system: Served, seeds: &Range<u64>) -> (Totals, Vec<(u64, u64)>) {
    let mut hashes = Vec::new();
    let mut findings = Vec::new();
    let count = seeds.end - seeds.start;
    let common = Scenario { system, ..Scenario::default() };
    let search = Search { goes_on: true, common, ..Search::of_seeds(seeds.start, count, 2) };
    let totals = search.run(|finished, _| {
        let Some(finished) = finished else {
            return true;
        };
        let seed = finished.scenario.seed;
        hashes.push((seed, finished.outcome.hash));
        if let Some(found) = &finished.outcome.found {
            findings.push(format!(
                "seed {seed}: {}: {}\nrun it again: archipel sim {} --trace, or SYSTEM={system} SEED={seed} \
                 cargo test -p archipel-tests --test seeds one_seed -- --nocapture\n",
                found.kind, found.what, finished.scenario
            ));
        }
        true
    });
    assert!(findings.is_empty(), "{} findings\n{}", findings.len(), findings.join("\n"));
    assert_eq!(totals.undecided, 0, "every history can be judged");
    hashes.sort_unstable();
    (totals, hashes)
}

fn report(totals: &Totals) {
    let (seeds, elapsed_ms) = (u128::from(totals.seeds), totals.elapsed.as_millis().max(1));
    let counters = &totals.counters;
    println!(
        "{seeds} seeds in {elapsed_ms} ms: {} seeds, {} virtual seconds and {} events a second",
        seeds * 1_000 / elapsed_ms,
        u128::from(counters.virtual_ms) / elapsed_ms,
        u128::from(counters.events) * 1_000 / elapsed_ms,
    );
    for (name, count) in totals.exercised() {
        println!("{count:>12}  {name}");
    }
}

/// Which system was asked for.
fn system() -> Served {
    std::env::var("SYSTEM").map_or(Served::Kv, |name| name.parse().expect("SYSTEM is a system"))
}

/// Runs the seeds, sees that all that is counted happened, and runs some of them again.
fn keep_promises(system: Served, seeds: &Range<u64>, twice: &Range<u64>) {
    let (totals, hashes) = run_seeds(system, seeds);
    report(&totals);
    for (name, count) in totals.exercised() {
        assert!(count > 0, "no seed exercised: {name}");
    }
    let (_, again) = run_seeds(system, twice);
    assert_eq!(again, hashes[..again.len()], "seeds and hashes");
}

#[test]
fn clusters_keep_their_promises_everything_was_exercised_and_the_same_seed_is_the_same_world() {
    keep_promises(Served::Kv, &SEEDS, &TWICE);
}

#[test]
fn queues_keep_their_promises_everything_was_exercised_and_the_same_seed_is_the_same_world() {
    keep_promises(Served::Queue, &QUEUE_SEEDS, &QUEUE_TWICE);
}

#[test]
fn many_seeds() {
    let Ok(range) = std::env::var("SEEDS") else {
        return;
    };
    let (first, last) = range.split_once("..").expect("SEEDS is FIRST..LAST");
    let number = |text: &str| text.parse::<u64>().expect("SEEDS is FIRST..LAST");
    let (totals, _) = run_seeds(system(), &(number(first)..number(last)));
    report(&totals);
}

#[test]
fn one_seed() {
    let Ok(seed) = std::env::var("SEED") else {
        return;
    };
    let seed: u64 = seed.parse().expect("SEED is a number");
    let scenario = Scenario { system: system(), ..Scenario::of_seed(seed) };
    println!("{:#?}", scenario.settings());
    let is_traced = std::env::var("TRACE").is_ok();
    let text = || Box::new(Text::new(Box::new(ToError))) as Box<dyn Witness>;
    let outcome = scenario.run(is_traced.then(text));
    println!("hash {:016x}\n{}", outcome.hash, outcome.counters);
    if let Some(found) = outcome.found {
        panic!("seed {seed}: {}: {}", found.kind, found.what);
    }
}

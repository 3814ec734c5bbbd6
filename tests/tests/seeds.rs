//! Raft and the key/value store in the simulator: whole clusters, one a seed, each with its own mix
//! of mishaps. Every finding can be run again by its seed.
//!
//! ```text
//! SEED=17 cargo test -p archipel-tests --test seeds one_seed -- --nocapture            again
//! TRACE=1 SEED=17 cargo test -p archipel-tests --test seeds one_seed -- --nocapture    and tell all
//! SEEDS=1000..5000 cargo test -p archipel-tests --test seeds many_seeds -- --nocapture others
//! ```
//! `archipel sim` does the same and more.

use std::{fmt::Write, ops::Range};

use sim::Witness;
use worlds::{Scenario, Search, Totals, trace::Text};

/// How many seeds every `cargo test` runs.
const SEEDS: Range<u64> = 0..500;

/// How many of them are run twice.
const TWICE: Range<u64> = 0..200;

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
fn run_seeds(seeds: &Range<u64>) -> (Totals, Vec<(u64, u64)>) {
    let mut hashes = Vec::new();
    let mut findings = Vec::new();
    let count = seeds.end - seeds.start;
    let search = Search { goes_on: true, ..Search::of_seeds(seeds.start, count, 2) };
    let totals = search.run(|finished, _| {
        let Some(finished) = finished else {
            return true;
        };
        let seed = finished.scenario.seed;
        hashes.push((seed, finished.outcome.hash));
        if let Some(found) = &finished.outcome.found {
            findings.push(format!(
                "seed {seed}: {}: {}\nrun it again: archipel sim --seed {seed} --trace, or SEED={seed} \
                 cargo test -p archipel-tests --test seeds one_seed -- --nocapture\n",
                found.kind, found.what
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
        "{seeds} seeds in {elapsed_ms} ms: {} seeds, {} virtual seconds and {} events a second\n{counters}",
        seeds * 1_000 / elapsed_ms,
        u128::from(counters.virtual_ms) / elapsed_ms,
        u128::from(counters.events) * 1_000 / elapsed_ms,
    );
}

#[test]
fn clusters_keep_their_promises_everything_was_exercised_and_the_same_seed_is_the_same_world() {
    let (totals, hashes) = run_seeds(&SEEDS);
    report(&totals);
    for (name, count) in totals.counters.each() {
        assert!(count > 0, "no seed exercised: {name}");
    }
    let (_, again) = run_seeds(&TWICE);
    assert_eq!(again, hashes[..again.len()], "seeds and hashes");
}

#[test]
fn many_seeds() {
    let Ok(range) = std::env::var("SEEDS") else {
        return;
    };
    let (first, last) = range.split_once("..").expect("SEEDS is FIRST..LAST");
    let number = |text: &str| text.parse::<u64>().expect("SEEDS is FIRST..LAST");
    let (totals, _) = run_seeds(&(number(first)..number(last)));
    report(&totals);
}

#[test]
fn one_seed() {
    let Ok(seed) = std::env::var("SEED") else {
        return;
    };
    let scenario = Scenario::of_seed(seed.parse().expect("SEED is a number"));
    println!("{:#?}", scenario.settings());
    let is_traced = std::env::var("TRACE").is_ok();
    let text = || Box::new(Text::new(Box::new(ToError))) as Box<dyn Witness>;
    let outcome = scenario.run(is_traced.then(text));
    println!("hash {:016x}\n{}", outcome.hash, outcome.counters);
    if let Some(found) = outcome.found {
        panic!("seed {seed}: {}: {}", found.kind, found.what);
    }
}

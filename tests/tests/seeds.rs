//! Raft and the key/value store in the simulator: whole clusters, one a seed, each with its own mix
//! of mishaps. Every finding can be run again by its seed.
//!
//! ```text
//! SEED=17 cargo test -p archipel-tests --test seeds one_seed -- --nocapture            again
//! TRACE=1 SEED=17 cargo test -p archipel-tests --test seeds one_seed -- --nocapture    and tell all
//! SEEDS=1000..5000 cargo test -p archipel-tests --test seeds many_seeds -- --nocapture others
//! ```
//! BASE=real puts the tables of every world into the real base, BASE=map into a map; without it the
//! seed decides.

use std::{
    fmt::Write,
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use sim::{Counters, Report, Settings, run};
use worlds::RaftWithKv;

/// How many seeds every `cargo test` runs.
const SEEDS: Range<u64> = 0..500;

/// Writes the trace to the standard error.
struct ToError;

impl Write for ToError {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        eprint!("{text}");
        Ok(())
    }
}

fn cluster(seed: u64) -> RaftWithKv {
    let drawn = RaftWithKv::draw(seed);
    match std::env::var("BASE").as_deref() {
        Ok("real") => drawn.over_real_base(seed),
        Ok("map") => drawn.over_map(),
        Ok(other) => panic!("BASE is real or map, not {other}"),
        Err(_) => drawn,
    }
}

fn run_seed(seed: u64, traced: bool) -> Result<Report, String> {
    let trace: Option<Box<dyn Write>> = if traced { Some(Box::new(ToError)) } else { None };
    let world = || run(cluster(seed), Settings::draw(seed), trace);
    match catch_unwind(AssertUnwindSafe(world)) {
        Ok(Ok(report)) if report.undecided => Err("the history could not be judged".into()),
        Ok(Ok(report)) => Ok(report),
        Ok(Err(finding)) => Err(finding.to_string()),
        Err(_) => Err("a panic, see above".into()),
    }
}

/// Runs all seeds on two threads; what they exercised together, and what was found.
fn run_seeds(seeds: Range<u64>) -> (Counters, Vec<String>) {
    let next = AtomicU64::new(seeds.start);
    let worker = || {
        let mut counters = Counters::default();
        let mut findings = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return (counters, findings);
            }
            match run_seed(seed, false) {
                Ok(report) => counters.add(&report.counters),
                Err(finding) => findings.push(format!(
                    "seed {seed}: {finding}\nrun it again: SEED={seed} cargo test -p archipel-tests \
                     --test seeds one_seed -- --nocapture (and TRACE=1 to see everything)\n"
                )),
            }
        }
    };
    std::thread::scope(|scope| {
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        let mut counters = Counters::default();
        let mut findings = Vec::new();
        for worker in workers {
            let (some, found) = worker.join().expect("panics are caught");
            counters.add(&some);
            findings.extend(found);
        }
        (counters, findings)
    })
}

fn report(seeds: &Range<u64>, started: Instant, counters: &Counters, findings: &[String]) {
    let count = seeds.end - seeds.start;
    let elapsed_ms = started.elapsed().as_millis().max(1);
    println!(
        "{count} seeds in {elapsed_ms} ms: {} seeds, {} virtual seconds and {} events a second\n{counters}",
        u128::from(count) * 1_000 / elapsed_ms,
        u128::from(counters.virtual_ms) / elapsed_ms,
        u128::from(counters.events) * 1_000 / elapsed_ms,
    );
    assert!(findings.is_empty(), "{} findings\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn clusters_keep_their_promises_and_everything_was_exercised() {
    let started = Instant::now();
    let (counters, findings) = run_seeds(SEEDS);
    report(&SEEDS, started, &counters, &findings);
    for (name, count) in counters.each() {
        assert!(count > 0, "no seed exercised: {name}");
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    for seed in 10_000..10_025 {
        assert_eq!(run_seed(seed, false), run_seed(seed, false), "seed {seed}");
    }
}

#[test]
fn many_seeds() {
    let Ok(range) = std::env::var("SEEDS") else {
        return;
    };
    let (first, last) = range.split_once("..").expect("SEEDS is FIRST..LAST");
    let number = |text: &str| text.parse::<u64>().expect("SEEDS is FIRST..LAST");
    let seeds = number(first)..number(last);
    let started = Instant::now();
    let (counters, findings) = run_seeds(seeds.clone());
    report(&seeds, started, &counters, &findings);
}

#[test]
fn one_seed() {
    let Ok(seed) = std::env::var("SEED") else {
        return;
    };
    let seed = seed.parse().expect("SEED is a number");
    println!("{:#?}", Settings::draw(seed));
    match run_seed(seed, std::env::var("TRACE").is_ok()) {
        Ok(report) => println!("{report:#?}"),
        Err(finding) => panic!("seed {seed}: {finding}"),
    }
}

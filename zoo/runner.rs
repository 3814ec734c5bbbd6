//! Runs seeds on one build until the first finding, and says what was found: a line for each fact. The
//! program of `cargo xtask zoo`, which builds it once for each mutant.
//!
//! ```text
//! runner FIRST COUNT JOBS        seeds FIRST to FIRST + COUNT - 1 on JOBS threads
//! ```

use std::{
    cell::RefCell,
    fmt::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use sim::{Finding, Settings, Witness, run};
use worlds::{RaftWithKv, trace::Text};

/// A seed that takes longer goes round in a circle.
const SEED_SECONDS_MAX: u64 = 60;

/// What a seed found: its kind, and what it was.
type Found = (&'static str, String);

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Counts lines and keeps none.
struct Lines(Arc<AtomicU64>);

impl Write for Lines {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.fetch_add(text.matches('\n').count() as u64, Ordering::Relaxed);
        Ok(())
    }
}

fn run_seed(seed: u64, witness: Option<Box<dyn Witness>>) -> Option<Found> {
    let world = || run(RaftWithKv::draw(seed), Settings::draw(seed), witness);
    match catch_unwind(AssertUnwindSafe(world)) {
        Ok(Ok(_)) => None,
        Ok(Err(Finding::Safety(what))) => Some(("safety", what)),
        Ok(Err(Finding::Liveness(what))) => Some(("liveness", what)),
        Ok(Err(other)) => Some(("simulator", other.to_string())),
        Err(_) => Some(("assertion", PANIC.take())),
    }
}

fn remember_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let text = panic.payload_as_str().unwrap_or("a panic without words");
        PANIC.set(format!("{text} ({})", place.unwrap_or_default()));
    }));
}

/// What all threads share.
struct Search {
    next: AtomicU64,
    /// Seeds from here on are not wanted.
    end: AtomicU64,
    /// The lowest seed that found something.
    found: Mutex<Option<(u64, Found)>>,
    /// The seed of each thread, and when it began.
    under_way: Mutex<Vec<Option<(u64, Instant)>>>,
}

impl Search {
    fn work(&self, job: usize) {
        loop {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.end.load(Ordering::Relaxed) {
                self.under_way.lock().expect("no thread panics here")[job] = None;
                return;
            }
            self.under_way.lock().expect("no thread panics here")[job] =
                Some((seed, Instant::now()));
            if let Some(found) = run_seed(seed, None) {
                self.note(seed, found);
            }
        }
    }

    fn note(&self, seed: u64, found: Found) {
        self.end.fetch_min(seed, Ordering::Relaxed);
        let mut lowest = self.found.lock().expect("no thread panics here");
        if lowest.as_ref().is_none_or(|(known, _)| seed < *known) {
            *lowest = Some((seed, found));
        }
    }

    /// The seed, if there is one, that does not end.
    fn circling(&self) -> Option<u64> {
        let under_way = self.under_way.lock().expect("no thread panics here");
        let mut seeds = under_way.iter().flatten();
        let limit = Duration::from_secs(SEED_SECONDS_MAX);
        seeds.find(|(_, since)| since.elapsed() > limit).map(|(seed, _)| *seed)
    }
}

fn report(first: u64, seed: u64, (kind, what): &Found) {
    println!("seed {seed}");
    println!("seeds {}", seed - first + 1);
    println!("kind {kind}");
    println!("what {}", what.lines().next().unwrap_or_default());
}

fn main() {
    let number = |text: String| text.parse::<u64>().expect("FIRST, COUNT and JOBS are numbers");
    let numbers: Vec<u64> = std::env::args().skip(1).map(number).collect();
    let &[first, count, jobs] = numbers.as_slice() else {
        panic!("runner takes FIRST COUNT JOBS");
    };
    remember_panics();
    let jobs = usize::try_from(jobs).expect("few threads");
    let search = Arc::new(Search {
        next: AtomicU64::new(first),
        end: AtomicU64::new(first + count),
        found: Mutex::new(None),
        under_way: Mutex::new(vec![None; jobs]),
    });
    let start = |job| {
        let search = Arc::clone(&search);
        thread::spawn(move || search.work(job))
    };
    let workers: Vec<_> = (0..jobs).map(start).collect();
    while !workers.iter().all(thread::JoinHandle::is_finished) {
        thread::sleep(Duration::from_millis(20));
        if let Some(seed) = search.circling() {
            let what = format!("seed {seed} has not ended after {SEED_SECONDS_MAX} s");
            report(first, seed, &("endless", what));
            std::process::exit(0);
        }
    }
    let found = search.found.lock().expect("no thread panics here").take();
    let Some((seed, found)) = found else {
        println!("seeds {count}");
        return;
    };
    report(first, seed, &found);
    let lines = Arc::new(AtomicU64::new(0));
    run_seed(seed, Some(Box::new(Text::new(Box::new(Lines(Arc::clone(&lines)))))));
    println!("lines {}", lines.load(Ordering::Relaxed));
}

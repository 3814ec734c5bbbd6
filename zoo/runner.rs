//! Runs seeds on one build until the first finding, and says what was found: a line for each fact. The
//! program of `cargo xtask zoo`, which builds it once for each mutant.
//!
//! ```text
//! runner SYSTEM FIRST COUNT JOBS        seeds FIRST to FIRST + COUNT - 1 of SYSTEM on JOBS threads
//! ```

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use worlds::{Finished, Kind, Scenario, Search, shrink, trace::Text};

/// How long a finding is made smaller.
const SHRINK: Duration = Duration::from_secs(10);

/// Counts lines and keeps none.
struct Lines(Arc<AtomicU64>);

impl Write for Lines {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.fetch_add(text.matches('\n').count() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// How many lines the trace of a scenario has.
fn trace_lines(scenario: &Scenario) -> u64 {
    let lines = Arc::new(AtomicU64::new(0));
    let _ = scenario.run(Some(Box::new(Text::new(Box::new(Lines(Arc::clone(&lines)))))));
    lines.load(Ordering::Relaxed)
}

/// The lowest seed that finds something.
fn first_finding(search: &Search) -> Option<Finished> {
    let mut lowest: Option<Finished> = None;
    let _ = search.run(|finished, _| {
        if let Some(finished) = finished
            && finished.outcome.found.is_some()
            && lowest.as_ref().is_none_or(|known| finished.scenario.seed < known.scenario.seed)
        {
            lowest = Some(finished.clone());
        }
        true
    });
    lowest
}

fn main() {
    let mut words = std::env::args().skip(1);
    let system = words.next().and_then(|name| name.parse().ok()).expect("SYSTEM is one");
    let number = |text: String| text.parse::<u64>().expect("FIRST, COUNT and JOBS are numbers");
    let numbers: Vec<u64> = words.map(number).collect();
    let &[first, count, jobs] = numbers.as_slice() else {
        panic!("runner takes SYSTEM FIRST COUNT JOBS");
    };
    let jobs = usize::try_from(jobs).expect("few threads");
    let common = Scenario { system, ..Scenario::default() };
    let search = Search { common, ..Search::of_seeds(first, count, jobs) };
    let Some(finished) = first_finding(&search) else {
        println!("seeds {count}");
        return;
    };
    let Finished { scenario, outcome } = &finished;
    let found = outcome.found.as_ref().expect("it has found something");
    println!("seed {}", scenario.seed);
    println!("seeds {}", scenario.seed - first + 1);
    println!("kind {}", found.kind);
    println!("what {}", found.words());
    if found.kind != Kind::Endless {
        let smallest = shrink(scenario, outcome, SHRINK, |_, _| {}).scenario;
        println!("lines {}", trace_lines(&smallest));
        println!("run {smallest}");
    }
}

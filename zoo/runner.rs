//! Runs seeds on one build until the first finding, and says what was found: a line for each fact. The
//! program of `cargo xtask zoo`, which builds it once for each mutant.
//!
//! ```text
//! runner FIRST COUNT JOBS        seeds FIRST to FIRST + COUNT - 1 on JOBS threads
//! ```

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use worlds::{Found, Kind, Scenario, Search, trace::Text};

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
fn first_finding(search: &Search) -> Option<(Scenario, Found)> {
    let mut lowest: Option<(Scenario, Found)> = None;
    let _ = search.run(|finished, _| {
        if let Some(finished) = finished
            && let Some(found) = &finished.outcome.found
            && lowest.as_ref().is_none_or(|(known, _)| finished.scenario.seed < known.seed)
        {
            lowest = Some((finished.scenario.clone(), found.clone()));
        }
        true
    });
    lowest
}

fn main() {
    let number = |text: String| text.parse::<u64>().expect("FIRST, COUNT and JOBS are numbers");
    let numbers: Vec<u64> = std::env::args().skip(1).map(number).collect();
    let &[first, count, jobs] = numbers.as_slice() else {
        panic!("runner takes FIRST COUNT JOBS");
    };
    let jobs = usize::try_from(jobs).expect("few threads");
    let Some((scenario, found)) = first_finding(&Search::of_seeds(first, count, jobs)) else {
        println!("seeds {count}");
        return;
    };
    println!("seed {}", scenario.seed);
    println!("seeds {}", scenario.seed - first + 1);
    println!("kind {}", found.kind);
    println!("what {}", found.words());
    if found.kind != Kind::Endless {
        println!("lines {}", trace_lines(&scenario));
    }
}

//! How far a search is: a line on the terminal, or now and then a line on standard error.

use std::{
    io::{IsTerminal, stderr},
    time::Duration,
};

use worlds::{Search, Totals};

use super::summary;
use crate::progress::Progress;

/// How often a line is written where there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// Shows how far a search is.
#[derive(Debug)]
pub(super) struct SearchProgress {
    line: Progress,
    is_quiet: bool,
    said: Duration,
}

impl SearchProgress {
    pub(super) fn new(is_quiet: bool) -> Self {
        Self { line: Progress::new(is_quiet), is_quiet, said: Duration::ZERO }
    }

    /// Time has gone by, or a seed has ended.
    pub(super) fn show(&mut self, search: &Search, totals: &Totals) {
        let findings = match totals.findings {
            0 => "nothing found".to_owned(),
            count => format!("{count} findings"),
        };
        let words = format!("{} seeds, {}; {findings}", totals.seeds, summary::speed(totals));
        if stderr().is_terminal() {
            let (done, all) = part(search, totals);
            self.line.step(done, all, &words);
        } else if !self.is_quiet && totals.elapsed >= self.said + EVERY {
            self.said = totals.elapsed;
            eprintln!("{:>5} s: {words}", totals.elapsed.as_secs());
        }
    }

    /// Takes the line away.
    pub(super) fn done(&self) {
        self.line.done();
    }
}

/// How much is done of how much: seeds, or seconds if only they are bounded.
fn part(search: &Search, totals: &Totals) -> (usize, usize) {
    let (done, all) = match search.at_most {
        Some(at_most) => (totals.elapsed.as_secs(), at_most.as_secs()),
        None => (totals.seeds, search.count),
    };
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX / 100);
    (number(done.min(all.saturating_sub(1))), number(all.max(1)))
}

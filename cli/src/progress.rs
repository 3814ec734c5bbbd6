//! How far a long command is: one line on the terminal, rewritten.

use std::io::{IsTerminal, Write, stderr};

/// The width of the bar.
const BAR: usize = 24;

/// The line.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
}

impl Progress {
    /// A line on standard error, if that is a terminal and nobody wants `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { is_shown: !quiet && stderr().is_terminal() }
    }

    /// True if anybody sees it.
    pub(crate) const fn is_shown(&self) -> bool {
        self.is_shown
    }

    /// Says what is going on.
    pub(crate) fn say(&self, what: &str) {
        if self.is_shown {
            let mut out = stderr().lock();
            let _ = write!(out, "\r\u{1b}[2K{what}");
            let _ = out.flush();
        }
    }

    /// Says which of `all` steps is going on.
    pub(crate) fn step(&self, done: usize, all: usize, what: &str) {
        self.say(&format!("{} {} of {all}: {what}", bar(done, all), done + 1));
    }

    /// Says how many of `all` are done; there may be none at all.
    pub(crate) fn share(&self, done: usize, all: usize, what: &str) {
        self.say(&format!("{} {done} of {all} {what}", bar(done, all)));
    }

    /// Takes the line away.
    pub(crate) fn done(&self) {
        self.say("");
    }
}

fn bar(done: usize, all: usize) -> String {
    let filled = (BAR * done.min(all)).checked_div(all).unwrap_or_default();
    format!("[{}{}]", "#".repeat(filled), ".".repeat(BAR - filled))
}

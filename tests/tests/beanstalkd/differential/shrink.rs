//! Fewer steps that still differ.

use super::{
    Step,
    run::{Difference, run},
};

/// How many runs are spent on it.
const RUNS_MAX: usize = 120;

/// A smaller script that still shows a difference, as far as some runs lead.
pub(super) fn shrink(mut found: Difference, node: usize) -> Difference {
    let (mut runs, mut chunk) = (0, found.script.len() / 2);
    while chunk > 0 && runs < RUNS_MAX {
        let mut start = 0;
        while start < found.script.len() && runs < RUNS_MAX {
            let smaller = without(&found.script, start, chunk);
            runs += 1;
            match run(&smaller, node) {
                Some(smaller) => found = smaller,
                None => start += chunk,
            }
        }
        chunk /= 2;
    }
    found
}

/// Jobs keep their names only if what inserts them stays: puts are left out as well, since a name that stands for
/// another job, or for none, is a script too.
fn without(script: &[Step], start: usize, count: usize) -> Vec<Step> {
    let end = (start + count).min(script.len());
    [&script[..start], &script[end..]].concat()
}

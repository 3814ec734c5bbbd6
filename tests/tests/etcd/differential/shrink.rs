//! Fewer operations that show the same kind of difference.

use super::{operation::Operation, run::Difference};

/// How often a shorter history is tried, at most: each time both servers start anew.
const TRIES_MAX: usize = 150;

/// Takes operations away, half of them first and single ones last, as long as `differ` still finds
/// something. Gives the last difference that was found.
pub(crate) fn shrink(
    operations: &[Operation],
    found: Box<Difference>,
    mut differ: impl FnMut(&[Operation]) -> Option<Box<Difference>>,
) -> Box<Difference> {
    let mut kept = operations[..=found.place].to_vec();
    let mut found = found;
    let mut tries = 0;
    let mut size = kept.len().div_ceil(2);
    while size > 0 && tries < TRIES_MAX {
        let mut end = kept.len();
        while end > 0 && tries < TRIES_MAX {
            let start = end.saturating_sub(size);
            let fewer = [&kept[..start], &kept[end..]].concat();
            tries += 1;
            match differ(&fewer).filter(|other| other.what == found.what) {
                Some(other) => {
                    kept = fewer;
                    kept.truncate(other.place + 1);
                    found = other;
                    end = start.min(kept.len());
                }
                None => end = start,
            }
        }
        size /= 2;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Difference, Operation, shrink};

    #[test]
    fn only_what_is_needed_is_kept() {
        let operation = |lease| Operation::Revoke { lease };
        let all: Vec<Operation> = (0..100).map(operation).collect();
        let differ = |tried: &[Operation]| {
            let place = tried.iter().position(|tried| *tried == operation(70))?;
            tried[..place].contains(&operation(13)).then(|| {
                let script = tried[..=place].iter().map(|tried| format!("{tried:?}")).collect();
                let text = String::new();
                Box::new(Difference {
                    place,
                    script,
                    what: text.clone(),
                    first: text.clone(),
                    second: text,
                })
            })
        };
        let found = differ(&all).expect("both are there");
        let shrunk = shrink(&all, found, differ);
        assert_eq!(shrunk.script, ["Revoke { lease: 13 }", "Revoke { lease: 70 }"]);
    }
}

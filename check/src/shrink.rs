//! Short witnesses: a broken part of a history, made smaller while it stays broken.

use alloc::vec::Vec;

use crate::facts::{Facts, Part};

/// How many operations all parts may have that are tried to make one smaller, and how many parts are
/// put together to prove that none is shorter.
const SMALLER_OPERATIONS_MAX: u64 = 5_000_000;
const SHORTER_TRIED_MAX: u64 = 300_000;

/// Tells whether a part is broken; nothing if that could not be found out.
pub(crate) type Test<'a> = dyn FnMut(&Part<'_>) -> Option<bool> + 'a;

/// A part of `broken`, no larger, that is broken too and from which nothing can be left out, unless
/// too much had to be tried.
pub(crate) fn shrink(facts: &Facts, broken: Vec<usize>, test: &mut Test<'_>) -> Vec<usize> {
    let mut kept = broken;
    let mut left = SMALLER_OPERATIONS_MAX;
    let mut chunk = kept.len().div_ceil(2);
    while chunk > 0 && left > 0 {
        let before = kept.len();
        let mut start = 0;
        while start < kept.len() && left > 0 {
            left = left.saturating_sub(1 + kept.len() as u64);
            let end = kept.len().min(start + chunk);
            let part = facts.part(&[&kept[..start], &kept[end..]].concat());
            if test(&part) == Some(true) {
                kept = part.numbers().to_vec();
            } else {
                start = end;
            }
        }
        let is_done = chunk == 1 && kept.len() == before;
        chunk = if is_done { 0 } else { chunk.div_ceil(2).min(kept.len()) };
    }
    kept
}

/// The shortest broken part of `pools`, each of which is searched on its own, and true; or `broken` and
/// false if there are too many parts to try them all.
pub(crate) fn shortest(
    facts: &Facts,
    pools: &[Vec<usize>],
    broken: Vec<usize>,
    test: &mut Test<'_>,
) -> (Vec<usize>, bool) {
    let mut parts = Parts { facts, left: SHORTER_TRIED_MAX, is_sure: true, test };
    for count in 1..broken.len() {
        for pool in pools {
            // Nothing is broken without a look, and no look counts without those who made it.
            for looker in pool.iter().filter(|number| facts.looked(**number)) {
                let found = parts.add(*looker, pool, count, &[]);
                if found.is_some() || !parts.is_sure {
                    return (found.unwrap_or(broken), parts.is_sure);
                }
            }
        }
    }
    (broken, true)
}

struct Parts<'a, 'b> {
    facts: &'a Facts,
    left: u64,
    is_sure: bool,
    test: &'a mut Test<'b>,
}

impl Parts<'_, '_> {
    /// A broken part of `chosen`, `number` with those who made what it saw, and more of `pool`: as many
    /// as `count` together, besides `chosen`.
    fn add(
        &mut self,
        number: usize,
        pool: &[usize],
        count: usize,
        chosen: &[usize],
    ) -> Option<Vec<usize>> {
        let mut part = chosen.to_vec();
        part.push(number);
        if chosen.is_empty() || self.facts.get(number).makes.is_none() {
            // Already too many need not be put together.
            let makers = self.facts.makers(number).take(part.len() + count);
            part.extend(makers);
        }
        part.sort_unstable();
        part.dedup();
        let Some(left) = self.left.checked_sub(1 + part.len() as u64 / 16) else {
            self.is_sure = false;
            return None;
        };
        self.left = left;
        let missing = (chosen.len() + count).checked_sub(part.len())?;
        if missing == 0 {
            return self.try_part(part);
        }
        for (place, next) in pool.iter().enumerate() {
            if part.binary_search(next).is_err() {
                let found = self.add(*next, &pool[place + 1..], missing, &part);
                if found.is_some() || !self.is_sure {
                    return found;
                }
            }
        }
        None
    }

    fn try_part(&mut self, numbers: Vec<usize>) -> Option<Vec<usize>> {
        let verdict = (self.test)(&self.facts.part(&numbers));
        self.is_sure &= verdict.is_some();
        (verdict == Some(true)).then_some(numbers)
    }
}

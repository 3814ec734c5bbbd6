//! Eventual consistency, as far as a history that ends can show it: nothing is seen that nobody had
//! asked for by then, and of a key that nobody changes any more, the last looks of all processes agree,
//! and not on nothing if something was written and never deleted.
//!
//! Quiet is a key once everything that changes it has been answered; with a change of unknown outcome
//! it never is. A read that begins after that, and is its process's last of the key, must agree.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use crate::{
    facts::{Fact, Facts},
    history::Process,
    register::{NOTHING, Value},
};

/// Facts that together break the promise, and whether fewer could not; nothing if it is kept.
pub(crate) fn never_agreed(facts: &Facts) -> Option<(Vec<usize>, bool)> {
    let mut keys: Vec<Key> = (0..facts.keys_len()).map(|_| Key::default()).collect();
    for number in 0..facts.len() {
        let fact = facts.get(number);
        keys[fact.key].add(number, &fact);
    }
    let offers = keys.iter().filter_map(|key| key.broken(facts));
    let least = offers.min_by_key(Vec::len)?;
    // One or two operations that break it cannot be fewer: one alone does so only out of thin air.
    let is_shortest = least.len() <= 2;
    Some((least, is_shortest))
}

/// One key, by the numbers of facts.
#[derive(Default)]
struct Key {
    makers: BTreeMap<Value, Vec<usize>>,
    looks: Vec<usize>,
    last_reads: BTreeMap<Process, usize>,
    /// The first change that was answered.
    change: Option<usize>,
    quiet_from: usize,
    is_never_quiet: bool,
}

impl Key {
    fn add(&mut self, number: usize, fact: &Fact) {
        if fact.answered.is_some() && fact.sees.is_some() {
            self.looks.push(number);
            if fact.makes.is_none() {
                self.last_reads.insert(fact.process, number);
            }
        }
        let Some(value) = fact.makes else {
            return;
        };
        self.makers.entry(value).or_default().push(number);
        match fact.answered {
            Some(at) => {
                self.quiet_from = self.quiet_from.max(at);
                self.change.get_or_insert(number);
            }
            None => self.is_never_quiet = true,
        }
    }

    /// The fewest facts that break the promise for this key.
    fn broken(&self, facts: &Facts) -> Option<Vec<usize>> {
        let too_early = self.looks.iter().filter_map(|look| self.too_early(facts, *look));
        too_early.min_by_key(Vec::len).or_else(|| self.disagreement(facts))
    }

    /// Something was seen before anybody had asked for it.
    fn too_early(&self, facts: &Facts, look: usize) -> Option<Vec<usize>> {
        let fact = facts.get(look);
        let value = fact.sees.filter(|value| *value != NOTHING)?;
        let makers = self.makers_of(value);
        let is_possible = |maker: &usize| Some(facts.get(*maker).invoked) < fact.answered;
        if makers.iter().any(is_possible) {
            return None;
        }
        Some([&[look], makers].concat())
    }

    /// The key is quiet, and the last looks differ or miss everything.
    fn disagreement(&self, facts: &Facts) -> Option<Vec<usize>> {
        if self.is_never_quiet {
            return None;
        }
        let is_late = |look: &usize| facts.get(*look).invoked > self.quiet_from;
        let mut looks = self.last_reads.values().copied().filter(is_late);
        let first = looks.next()?;
        let seen = facts.get(first).sees?;
        let mut all = [first].into_iter().chain(looks);
        let other = all.clone().find(|look| facts.get(*look).sees != Some(seen));
        if let Some(change) = self.change.filter(|_| self.makers_of(NOTHING).is_empty())
            && let Some(blind) = all.find(|look| facts.get(*look).sees == Some(NOTHING))
        {
            return Some(vec![change, blind]);
        }
        let other = other?;
        let mut found = vec![first, other];
        for look in [first, other] {
            found.extend(facts.get(look).sees.into_iter().flat_map(|value| self.makers_of(value)));
        }
        found.sort_unstable();
        Some(found)
    }

    fn makers_of(&self, value: Value) -> &[usize] {
        self.makers.get(&value).map_or(&[], Vec::as_slice)
    }
}

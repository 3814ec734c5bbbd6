//! Judges a history of the key/value store, key by key.

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

use crate::{
    history::{End, History, Operation},
    linearizability::{self, Found, Limit, Limits},
    register::{Register, Scope},
    zones::{self, Decision},
};

/// What a history is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Each key's operations can be put in an order that explains all answers.
    Linearizable,
    /// Those of one key cannot.
    Broken(Witness),
    /// The limits were reached before it was decided; no key was found broken.
    Unknown,
}

/// Why a history is not linearizable: of one key, the order that explains the longest beginning of the
/// history that any order explains, and the operation whose answer ends that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The key.
    pub key: Vec<u8>,
    /// The longest linearizable prefix, in an order that explains it.
    pub prefix: Vec<Operation>,
    /// The operation that fits nowhere: with its answer, the history has no explanation any more.
    pub stuck: Operation,
    /// True if it is proven that all before that answer can be explained; otherwise the limits
    /// allowed only to show that some of it can.
    pub is_longest: bool,
}

/// Judges `history` within `limits`, which are for all keys together.
#[must_use]
pub fn judge(history: &History, limits: Limits) -> Verdict {
    match judge_keys(history.operations(), limits) {
        Ok(None) => Verdict::Linearizable,
        Ok(Some(witness)) => Verdict::Broken(witness),
        Err(_) => Verdict::Unknown,
    }
}

/// The same, with the limit that was reached.
pub(crate) fn judge_keys(
    operations: &[Operation],
    limits: Limits,
) -> Result<Option<Witness>, Limit> {
    let mut keys: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for (place, operation) in operations.iter().enumerate() {
        keys.entry(&operation.key).or_default().push(place);
    }
    let mut left = limits;
    let mut limit = None;
    for places in keys.values() {
        match linearize(operations, places, Scope::default(), &mut left) {
            Found::Linearization(_) => {}
            Found::GaveUp(reached) => limit = Some(reached),
            Found::Nothing => {
                let key = Key { operations, places };
                return Ok(Some(key.witness(limits)));
            }
        }
    }
    limit.map_or(Ok(None), Err)
}

/// An order of the operations in `places`, all on one key, that explains what counts in `scope`.
pub(crate) fn linearize(
    operations: &[Operation],
    places: &[usize],
    scope: Scope<'_>,
    limits: &mut Limits,
) -> Found {
    let mut register = Register::within(operations, places, scope);
    let origins = |register: &Register, order: Vec<usize>| {
        order.into_iter().map(|number| register.origin(number)).collect()
    };
    match zones::decide(&register) {
        Decision::Order(order) => return Found::Linearization(origins(&register, order)),
        Decision::Broken => return Found::Nothing,
        Decision::Open => {}
    }
    match linearizability::search(&mut register, limits) {
        Found::Linearization(order) => Found::Linearization(origins(&register, order)),
        other => other,
    }
}

/// A key that is broken.
struct Key<'a> {
    operations: &'a [Operation],
    places: &'a [usize],
}

impl Key<'_> {
    /// Halves the history until what can be explained and what cannot are one answer apart: a
    /// beginning of a linearizable history is linearizable.
    fn witness(&self, mut limits: Limits) -> Witness {
        let mut answers: Vec<(usize, usize)> = self
            .places
            .iter()
            .filter_map(|place| match self.operations[*place].end {
                End::Ok(at, _) => Some((at, *place)),
                End::Failed(_) | End::Unknown => None,
            })
            .collect();
        answers.sort_unstable();
        let (mut explained, mut broken) = (0, answers.len());
        let mut prefix = Vec::new();
        let mut is_longest = true;
        while broken - explained > 1 {
            let half = explained.midpoint(broken);
            let scope = Scope { until: answers[half - 1].0 + 1, ..Scope::default() };
            match linearize(self.operations, self.places, scope, &mut limits) {
                Found::Linearization(order) => {
                    (explained, prefix, is_longest) = (half, order, true);
                }
                Found::Nothing => broken = half,
                Found::GaveUp(_) => (explained, is_longest) = (half, false),
            }
        }
        let stuck = self.operations[answers[broken - 1].1].clone();
        Witness {
            key: stuck.key.clone(),
            prefix: prefix.into_iter().map(|place| self.operations[place].clone()).collect(),
            stuck,
            is_longest,
        }
    }
}

impl fmt::Display for Witness {
    /// The end of the prefix, and what does not fit after it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 12;
        let hidden = self.prefix.len().saturating_sub(SHOWN);
        if hidden > 0 {
            writeln!(formatter, "after {hidden} operations")?;
        }
        for operation in &self.prefix[hidden..] {
            writeln!(formatter, "  {operation}")?;
        }
        write!(formatter, "this one fits nowhere:\n  {}", self.stuck)
    }
}

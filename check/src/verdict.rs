//! Judges a history of the key/value store, key by key.

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

use crate::{
    history::{History, Operation},
    linearizability::{self, Found, Limits},
    register::Register,
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

/// Why a history is not linearizable: of one key, the longest order of operations that could be
/// reached and the operation that fits nowhere after it. A history may have other such orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The key.
    pub key: Vec<u8>,
    /// The longest linearizable prefix that was found, in its order.
    pub prefix: Vec<Operation>,
    /// The operation that had ended and could not come next.
    pub stuck: Operation,
}

/// Judges `history` within `limits`, which are for all keys together.
#[must_use]
pub fn judge(history: &History, mut limits: Limits) -> Verdict {
    let operations = history.operations();
    let mut keys: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for (place, operation) in operations.iter().enumerate() {
        keys.entry(&operation.key).or_default().push(place);
    }
    let mut verdict = Verdict::Linearizable;
    for (key, places) in keys {
        let register = Register::new(operations, &places);
        match linearizability::search(register.clone(), register.spans(), &mut limits) {
            Found::Linearization(_) => {}
            Found::GaveUp => verdict = Verdict::Unknown,
            Found::Nothing { prefix, stuck } => {
                let (prefix, stuck) = longest_dead_end(&register, limits, (prefix, stuck));
                let operation = |number| operations[register.origin(number)].clone();
                return Verdict::Broken(Witness {
                    key: key.to_vec(),
                    prefix: prefix.into_iter().map(operation).collect(),
                    stuck: operation(stuck),
                });
            }
        }
    }
    verdict
}

/// The search that decides looks ahead and turns back early; one that does not finds the longest
/// prefix, if what is left of `limits` allows it.
fn longest_dead_end(
    register: &Register,
    mut limits: Limits,
    found: (Vec<usize>, usize),
) -> (Vec<usize>, usize) {
    let slow = register.clone().without_looking_ahead();
    match linearizability::search(slow, register.spans(), &mut limits) {
        Found::Nothing { prefix, stuck } => (prefix, stuck),
        Found::Linearization(_) => unreachable!("looking ahead only spares dead ends"),
        Found::GaveUp => found,
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

//! Sequential consistency (Lamport 1979): one order for all keys explains everything and keeps the
//! order of each process; time does not matter.
//!
//! A search like that for a linearization, where next may come the next operation of any process. Keys
//! cannot be judged one by one: each alone may have an order and all together none.

use alloc::{boxed::Box, collections::BTreeMap, collections::BTreeSet, vec, vec::Vec};

use crate::{
    facts::Part,
    history::{Operation, Process},
    linearizability::{Limit, Limits},
    register::{Register, Scope, Value},
};

/// How many operations are searched at most: the problem is NP-complete (Gibbons and Korach 1997).
pub const SEQUENTIAL_OPERATIONS_MAX: usize = 2_000;

/// What a configuration takes besides its numbers, roughly.
const OVERHEAD_BYTES: u64 = 64;

/// True if the operations in `part` are sequentially consistent.
///
/// # Errors
/// The limit that was reached before that was known.
pub(crate) fn is_sequential(
    operations: &[Operation],
    part: &Part<'_>,
    limits: &mut Limits,
) -> Result<bool, Limit> {
    Search::new(operations, part).run(limits)
}

/// An operation of a key's register.
#[derive(Clone, Copy)]
struct Turn {
    key: usize,
    number: usize,
    is_certain: bool,
}

/// One turn taken, and how to take it back.
struct Taken {
    chain: usize,
    before: Value,
    /// There was no choice: nothing else need be tried in its place.
    forced: bool,
}

struct Search {
    registers: Vec<Register>,
    values: Vec<Value>,
    /// For each process its turns, and how many it has taken.
    chains: Vec<Vec<Turn>>,
    taken_counts: Vec<usize>,
    /// How many turns must still be taken.
    certain_left: usize,
    stack: Vec<Taken>,
    entered: BTreeSet<Box<[u32]>>,
    bytes: u64,
}

impl Search {
    fn new(operations: &[Operation], part: &Part<'_>) -> Self {
        let blind = part.blind_places();
        let scope = Scope { blind: Some(&blind), is_timeless: true, ..Scope::default() };
        let mut keys: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for place in part.places() {
            keys.entry(&operations[place].key).or_default().push(place);
        }
        let registers: Vec<Register> =
            keys.values().map(|places| Register::within(operations, places, scope)).collect();
        let mut turns: Vec<(usize, Turn)> = Vec::new();
        for (key, register) in registers.iter().enumerate() {
            for (number, span) in register.spans().iter().enumerate() {
                let is_certain = span.returned.is_some();
                turns.push((register.origin(number), Turn { key, number, is_certain }));
            }
        }
        turns.sort_unstable_by_key(|(place, _)| *place);
        let certain_left = turns.iter().filter(|(_, turn)| turn.is_certain).count();
        let mut chains: BTreeMap<Process, Vec<Turn>> = BTreeMap::new();
        for (place, turn) in turns {
            chains.entry(operations[place].process).or_default().push(turn);
        }
        Self {
            values: vec![Register::initial(); registers.len()],
            registers,
            taken_counts: vec![0; chains.len()],
            chains: chains.into_values().collect(),
            certain_left,
            stack: Vec::new(),
            entered: BTreeSet::new(),
            bytes: 0,
        }
    }

    fn run(mut self, limits: &mut Limits) -> Result<bool, Limit> {
        self.settle();
        let mut chain = 0;
        while self.certain_left > 0 {
            // To settle is to look at all processes, and a configuration names them all.
            let width = self.chains.len() + self.values.len();
            limits.spend(1 + (width / 16) as u64, self.bytes)?;
            if chain == self.chains.len() {
                let Some(last) = self.undo() else {
                    return Ok(false);
                };
                chain = last + 1;
            } else if self.take(chain, false) {
                self.settle();
                chain = if self.enter() { 0 } else { 1 + self.undo().expect("a turn was taken") };
            } else {
                chain += 1;
            }
        }
        Ok(true)
    }

    /// Lets `chain` take its next turn, if it has one that is possible now.
    fn take(&mut self, chain: usize, forced: bool) -> bool {
        let Some(turn) = self.chains[chain].get(self.taken_counts[chain]).copied() else {
            return false;
        };
        let register = &mut self.registers[turn.key];
        let before = self.values[turn.key];
        let Some(after) = register.effect(before, turn.number) else {
            return false;
        };
        if after != before && register.is_short_of(before, Some(turn.number)).is_some() {
            return false;
        }
        if forced && !register.only_looks(turn.number) {
            return false;
        }
        register.done(turn.number);
        self.values[turn.key] = after;
        self.taken_counts[chain] += 1;
        self.certain_left -= usize::from(turn.is_certain);
        self.stack.push(Taken { chain, before, forced });
        true
    }

    /// Takes all turns that are possible and only look: later they could only become impossible.
    fn settle(&mut self) {
        let mut is_settled = false;
        while !is_settled {
            is_settled = true;
            for chain in 0..self.chains.len() {
                while self.take(chain, true) {
                    is_settled = false;
                }
            }
        }
    }

    /// Undoes everything up to and with the last choice; gives the chain that had made it.
    fn undo(&mut self) -> Option<usize> {
        loop {
            let Taken { chain, before, forced } = self.stack.pop()?;
            self.taken_counts[chain] -= 1;
            let turn = self.chains[chain][self.taken_counts[chain]];
            self.registers[turn.key].undone(turn.number);
            self.values[turn.key] = before;
            self.certain_left += usize::from(turn.is_certain);
            if !forced {
                return Some(chain);
            }
        }
    }

    /// Notes where the search is; false if it has been here.
    fn enter(&mut self) -> bool {
        let number = |count: usize| u32::try_from(count).expect("far below 2^32 operations");
        let counts = self.taken_counts.iter().map(|count| number(*count));
        let values = self.values.iter().map(|value| number(value.place()));
        let configuration: Box<[u32]> = counts.chain(values).collect();
        let bytes = configuration.len() as u64 * 4 + OVERHEAD_BYTES;
        let is_new = self.entered.insert(configuration);
        self.bytes += if is_new { bytes } else { 0 };
        is_new
    }
}

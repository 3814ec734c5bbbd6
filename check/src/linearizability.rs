//! The search for a linearization of one key's operations: Wing and Gong's, with Lowe's memory.
//!
//! Operations are tried in every order that respects time: next may come whatever was invoked before
//! the first of the others returned. A configuration, the set of operations done and the value they
//! lead to, from which nothing was found is not searched again (Lowe 2017, "Testing for
//! linearizability", §4). That alone grows with two to the number of clients. What keeps it small:
//!
//! - An operation that may come next and only looks comes next at once: wherever else it stood in a
//!   linearization, it could be moved here.
//! - Of operations that do the same, the one that returns first comes first: two could change places.
//! - A value that is needed until a moment, and that nobody can make again until then, is not replaced
//!   (`register.rs`).
//! - What lets the operation go on that returns first is tried first.
//! - Operations of unknown outcome stay candidates for ever and need never be done. They are tried only
//!   where another operation waits for what they make: one whose effect nobody sees might as well not
//!   have been done. They are counted by what they do; and if a configuration leads nowhere without
//!   ever running out of some of them, it leads nowhere however many of those are left.
//!
//! ```text
//!   list      known operations that are not done, by call and by return
//!   classes   unknown operations by what they do, and how many of each are used
//!   memory    configurations that lead nowhere: first known operation not done, bits from there, value
//! ```

mod classes;
mod list;
mod memory;

use alloc::{vec, vec::Vec};

pub(crate) use classes::Wanted;
use classes::{Classes, Goal};
use list::List;
use memory::{Configuration, Memory};

use crate::register::{Register, Value};

/// When an operation was invoked and when it returned, as positions in the history. Nothing is
/// returned by an operation of unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The position of the invocation.
    pub(crate) invoked: usize,
    /// The position of the return, later than `invoked`.
    pub(crate) returned: Option<usize>,
}

/// How much a search may cost before it says that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many operations may be tried.
    pub steps_max: u64,
    /// How many bytes the memory of configurations may take, roughly.
    pub memory_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps_max: 50_000_000, memory_bytes_max: 512 << 20 }
    }
}

impl Limits {
    /// Takes `steps` away.
    ///
    /// # Errors
    /// The limit that is reached: there are not as many steps left, or `memory_bytes` is too much.
    pub(crate) const fn spend(&mut self, steps: u64, memory_bytes: u64) -> Result<(), Limit> {
        if memory_bytes > self.memory_bytes_max {
            return Err(Limit::Memory);
        }
        let Some(left) = self.steps_max.checked_sub(steps) else {
            return Err(Limit::Steps);
        };
        self.steps_max = left;
        Ok(())
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// An order of operations that explains the history.
    Linearization(Vec<usize>),
    /// There is none.
    Nothing,
    /// A limit was reached.
    GaveUp(Limit),
}

/// What ended a search before it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// As many operations were tried as may be.
    Steps,
    /// The memory of what was tried is full.
    Memory,
}

/// Searches for a linearization of `register`, within `limits`; takes from them what it used.
pub(crate) fn search(register: &mut Register, limits: &mut Limits) -> Found {
    let search = Search::new(register);
    if search.lacks_something() { Found::Nothing } else { search.run(limits) }
}

/// An operation that is done: a known one by rank, or an unknown one by class.
#[derive(Clone, Copy)]
enum Move {
    Known(usize),
    Unknown(usize),
}

/// One operation done, and how to undo it.
struct Done {
    done: Move,
    operation: usize,
    before: Value,
}

/// The order in which known operations are tried: how close they lead, when they return, their rank.
type Priority = (bool, usize, usize);

/// What was tried after a configuration. First what leads to the target, the operation that must return
/// first, then what does not.
enum Tried {
    Leading(Option<Priority>),
    /// Classes that lead to it, still to be tried.
    LeadingUnknown(Vec<usize>),
    Other(Option<Priority>),
    OtherUnknown(Vec<usize>),
}

/// A configuration from which the search goes on.
struct Node {
    configuration: Configuration,
    /// How many operations are done.
    depth: usize,
    tried: Tried,
    /// Classes that ran out where one more could have been of use, and how many are used here.
    exhausted: Vec<(usize, usize)>,
}

struct Search<'a> {
    register: &'a mut Register,
    list: List,
    classes: Classes,
    memory: Memory,
    state: Value,
    done: Vec<Done>,
    nodes: Vec<Node>,
    /// For each kind of operation, the last round in which one was considered.
    seen_kinds: Vec<u64>,
    round: u64,
    candidates: Vec<(usize, usize)>,
    /// How much was looked at since it was last charged.
    looked_at: u64,
}

impl<'a> Search<'a> {
    fn new(register: &'a mut Register) -> Self {
        let list = List::new(register.spans());
        let classes = Classes::new(register, register.spans());
        Self {
            memory: Memory::new(list.len()),
            state: Register::initial(),
            seen_kinds: vec![0; register.kinds_len()],
            register,
            list,
            classes,
            done: Vec::new(),
            nodes: Vec::new(),
            round: 0,
            candidates: Vec::new(),
            looked_at: 0,
        }
    }

    fn run(mut self, limits: &mut Limits) -> Found {
        self.settle();
        self.open();
        while self.list.first_to_return().is_some() {
            // A step is about as much work as looking at four operations.
            let steps = 1 + core::mem::take(&mut self.looked_at) / 4;
            if let Err(limit) = limits.spend(steps, self.memory.bytes()) {
                return Found::GaveUp(limit);
            }
            match self.next() {
                Some(next) => self.enter(next),
                None => {
                    if !self.close() {
                        return Found::Nothing;
                    }
                }
            }
        }
        Found::Linearization(self.done.iter().map(|done| done.operation).collect())
    }

    /// True if some operation returned before anybody can have made what it saw.
    fn lacks_something(&self) -> bool {
        self.register.values().filter(|value| *value != self.state).any(|value| {
            self.register.is_short_of(value, None).is_some_and(|shortage| {
                let change = (self.state, value);
                let until = shortage.first.returned.unwrap_or(usize::MAX);
                !self.classes.can_make(self.register, change, until, &mut Vec::new())
            })
        })
    }

    /// What is there after `operation`; nothing if that is not possible now, or if somebody could then
    /// not find what it needs: what was there, or what is made now and cannot stay. The latter may be
    /// because unknown operations ran out.
    fn step(&mut self, operation: usize) -> Option<Value> {
        let after = self.register.effect(self.state, operation)?;
        if after == self.state {
            return Some(after);
        }
        let lost = self.register.is_short_of(self.state, Some(operation));
        let lost = lost.map(|shortage| (self.state, shortage.first));
        let made = self.register.is_short_of(after, Some(operation));
        let made = made.map(|shortage| (after, shortage.last));
        let made = made.filter(|(_, last)| self.must_change_before(last.invoked, operation));
        for (value, Span { returned, .. }) in lost.into_iter().chain(made) {
            let until = returned.expect("only known operations need something");
            let mut exhausted = Vec::new();
            if !self.classes.can_make(self.register, (after, value), until, &mut exhausted) {
                let used = |class: usize| (class, self.classes.used(class));
                let node = self.nodes.last_mut().expect("there is a configuration to go on from");
                node.exhausted.extend(exhausted.into_iter().map(used));
                return None;
            }
        }
        Some(after)
    }

    /// True if a change other than `operation` must be done before `position`.
    fn must_change_before(&self, position: usize, operation: usize) -> bool {
        let mut others = self.list.by_return().take_while(|one| one.returned < position);
        others.any(|one| one.operation != operation && !self.register.only_looks(one.operation))
    }

    /// What to try next from here; nothing if all was tried.
    fn next(&mut self) -> Option<Move> {
        loop {
            let node = self.nodes.last_mut().expect("there is a configuration to go on from");
            match &mut node.tried {
                Tried::LeadingUnknown(classes) | Tried::OtherUnknown(classes) => {
                    if let Some(class) = classes.pop() {
                        return Some(Move::Unknown(class));
                    }
                    if matches!(node.tried, Tried::OtherUnknown(_)) {
                        return None;
                    }
                    node.tried = Tried::Other(None);
                }
                Tried::Leading(last) | Tried::Other(last) => {
                    let last = *last;
                    let is_leading = matches!(node.tried, Tried::Leading(_));
                    let found = self.known_after(last, is_leading);
                    let node = self.nodes.last_mut().expect("it was there");
                    if let Some(found) = found {
                        node.tried = match is_leading {
                            true => Tried::Leading(Some(found)),
                            false => Tried::Other(Some(found)),
                        };
                        return Some(Move::Known(found.2));
                    }
                    self.turn_to_unknown(is_leading);
                }
            }
        }
    }

    /// The first known operation after `last` that can be done; of those that lead to the target, or
    /// of the others.
    fn known_after(&mut self, last: Option<Priority>, is_leading: bool) -> Option<Priority> {
        let target = self.list.first_to_return()?;
        let target_operation = self.list.get(target).operation;
        let waits = self.register.effect(self.state, target_operation).is_none();
        let mut candidates = core::mem::take(&mut self.candidates);
        candidates.clear();
        candidates.extend(self.list.candidates().map(|rank| (self.list.get(rank).returned, rank)));
        candidates.sort_unstable();
        self.looked_at += candidates.len() as u64;
        self.round += 1;
        let mut best = None;
        for (returned, rank) in candidates.iter().copied() {
            let operation = self.list.get(rank).operation;
            let seen = &mut self.seen_kinds[self.register.kind(operation)];
            if core::mem::replace(seen, self.round) == self.round {
                continue;
            }
            let Some(after) = self.step(operation) else {
                continue;
            };
            let leads =
                rank == target || waits && self.register.effect(after, target_operation).is_some();
            let priority = (rank != target, returned, rank);
            if leads == is_leading && last.is_none_or(|last| priority > last) {
                best = Some(priority);
                break;
            }
        }
        self.candidates = candidates;
        best
    }

    /// Collects the unknown operations that are worth trying from here.
    fn turn_to_unknown(&mut self, is_leading: bool) {
        let Some(target) = self.list.first_to_return() else {
            return;
        };
        let mut wanted = Wanted::default();
        if is_leading {
            self.register.want(self.state, self.list.get(target).operation, &mut wanted);
        } else {
            for rank in self.list.candidates() {
                self.register.want(self.state, self.list.get(rank).operation, &mut wanted);
                self.looked_at += 1;
            }
        }
        let horizon = self.list.get(target).returned;
        let goal = Goal { wanted: &wanted, horizon, through_others: !is_leading };
        let choices = self.classes.choices(self.register, self.state, goal);
        self.looked_at += choices.looked_at;
        let node = self.nodes.last_mut().expect("there is a configuration to go on from");
        if is_leading {
            node.tried = Tried::LeadingUnknown(choices.open);
            return;
        }
        node.tried = Tried::OtherUnknown(choices.open);
        let used = |class: usize| (class, self.classes.used(class));
        node.exhausted.extend(choices.exhausted.into_iter().map(used));
    }

    /// Does what was chosen, and all that only looks; takes it back if nothing can come of it.
    fn enter(&mut self, next: Move) {
        let operation = match next {
            Move::Known(rank) => self.list.get(rank).operation,
            Move::Unknown(class) => self.classes.next(class).expect("a choice is open"),
        };
        // To replace the value can take it from somebody.
        let Some(after) = self.step(operation) else {
            return;
        };
        self.push(next, operation, after);
        self.settle();
        let Some(configuration) = self.configuration() else {
            return;
        };
        let used = |class| self.classes.used(class);
        let (condition, looked_at) = self.memory.is_vain(&configuration, used);
        self.looked_at += looked_at;
        let Some(condition) = condition else {
            self.open_at(configuration);
            return;
        };
        let classes: Vec<usize> = condition.iter().map(|(class, _)| *class).collect();
        self.take_back(&classes);
    }

    /// The present configuration; nothing if all is done.
    fn configuration(&self) -> Option<Configuration> {
        let first = self.list.first_called()?;
        Some(self.memory.configuration(first, self.list.candidates_end(), self.state))
    }

    fn open(&mut self) {
        if let Some(configuration) = self.configuration() {
            self.open_at(configuration);
        }
    }

    fn open_at(&mut self, configuration: Configuration) {
        self.nodes.push(Node {
            configuration,
            depth: self.done.len(),
            tried: Tried::Leading(None),
            exhausted: Vec::new(),
        });
    }

    /// Notes that nothing comes of the last configuration, and goes back to the one before; false if
    /// there is none.
    fn close(&mut self) -> bool {
        let Node { configuration, mut exhausted, .. } =
            self.nodes.pop().expect("there is a configuration to go on from");
        exhausted.sort_unstable();
        exhausted.dedup();
        self.looked_at += exhausted.len() as u64;
        let classes: Vec<usize> = exhausted.iter().map(|(class, _)| *class).collect();
        self.memory.note_vain(configuration, exhausted.into_boxed_slice());
        if self.nodes.is_empty() {
            return false;
        }
        self.take_back(&classes);
        true
    }

    /// Undoes what was done since the last configuration. That it led nowhere is because these classes
    /// ran out, among other reasons.
    fn take_back(&mut self, exhausted: &[usize]) {
        let depth = self.nodes.last().expect("there is a configuration to go back to").depth;
        while self.done.len() > depth {
            self.pop();
        }
        let used = |class: &usize| (*class, self.classes.used(*class));
        let node = self.nodes.last_mut().expect("it was there");
        node.exhausted.extend(exhausted.iter().map(used));
        node.exhausted.sort_unstable();
        node.exhausted.dedup();
        self.looked_at += node.exhausted.len() as u64;
    }

    /// Does whatever may come next and only looks.
    fn settle(&mut self) {
        let mut horizon = None;
        while horizon != self.list.first_to_return() {
            horizon = self.list.first_to_return();
            let mut looks = core::mem::take(&mut self.candidates);
            looks.clear();
            let possible = self.list.candidates().filter(|rank| {
                let operation = self.list.get(*rank).operation;
                self.register.only_looks(operation)
                    && self.register.effect(self.state, operation).is_some()
            });
            looks.extend(possible.map(|rank| (self.list.get(rank).operation, rank)));
            self.looked_at += self.list.candidates().count() as u64;
            for (operation, rank) in &looks {
                self.push(Move::Known(*rank), *operation, self.state);
            }
            self.candidates = looks;
        }
    }

    fn push(&mut self, next: Move, operation: usize, after: Value) {
        match next {
            Move::Known(rank) => {
                self.list.lift(rank);
                self.memory.flip(rank);
                self.register.done(operation);
            }
            Move::Unknown(class) => self.classes.take(class),
        }
        let before = core::mem::replace(&mut self.state, after);
        self.done.push(Done { done: next, operation, before });
    }

    fn pop(&mut self) {
        let Done { done, operation, before } = self.done.pop().expect("something was done");
        self.state = before;
        match done {
            Move::Known(rank) => {
                self.register.undone(operation);
                self.memory.flip(rank);
                self.list.unlift(rank);
            }
            Move::Unknown(class) => self.classes.give_back(class),
        }
    }
}

//! The search for a linearization: Wing and Gong's, with Lowe's memory of what was tried.
//!
//! Operations are tried in every order that respects time: next may come whatever was invoked before
//! the first of the others returned. A configuration, the set of operations done and the state they
//! lead to, is entered once (Lowe 2017, "Testing for linearizability", §4). Operations of unknown
//! outcome stay candidates for ever and need never be done; they are tried last, and only where the
//! next operation depends on it: one whose effect nobody sees might as well not have been done. An
//! operation that may come next and only looks comes next at once: wherever else it stood in a
//! linearization, it could be moved here.
//!
//! ```text
//!   known     a list of calls and returns in order of time; done operations are lifted out
//!   unknown   by invocation, with a flag each
//!   memory    for each configuration: first known operation not done, bits from there, bits of unknown
//! ```

mod list;
mod memory;

use alloc::{vec, vec::Vec};

use list::{List, Mark};
use memory::Memory;

/// A sequential object whose operations are numbered from 0.
pub trait Model {
    /// What the object holds.
    type State: Clone + Ord;

    /// What it holds at first.
    fn initial(&self) -> Self::State;

    /// What it holds after `operation`, or nothing if the operation, from `state`, could not have
    /// ended as it did, or if those that are not done could then not.
    fn step(&self, state: &Self::State, operation: usize) -> Option<Self::State>;

    /// True if `operation`, from whatever state, leaves the state as it is.
    fn only_looks(&self, operation: usize) -> bool;

    /// True if `operation` fits `after` and would not fit `before` just as well, to the same end.
    fn depends(&self, operation: usize, before: &Self::State, after: &Self::State) -> bool {
        let then = self.step(after, operation);
        then.is_some() && then != self.step(before, operation)
    }

    /// True if the two operations of unknown outcome do exactly the same.
    fn are_twins(&self, one: usize, other: usize) -> bool;

    /// Notes that `operation` is done.
    fn done(&mut self, _operation: usize) {}

    /// Notes that `operation`, done last, is not done after all.
    fn undone(&mut self, _operation: usize) {}
}

/// When an operation was invoked and when it returned, as positions in the history. Nothing is
/// returned by an operation of unknown outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The position of the invocation.
    pub invoked: usize,
    /// The position of the return, later than `invoked`.
    pub returned: Option<usize>,
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
pub enum Found {
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

/// Searches for a linearization, within `limits`; takes from them what it used.
pub fn search<M: Model>(model: M, spans: &[Span], limits: &mut Limits) -> Found {
    Search::new(model, spans).run(limits)
}

/// Where to look for the next candidate.
#[derive(Clone, Copy)]
enum Cursor {
    Known(Mark),
    Unknown(usize),
}

/// One operation done, and how to undo it.
struct Done<State> {
    operation: usize,
    place: Cursor,
    /// There was no choice: nothing else need be tried in its place.
    forced: bool,
    before: State,
}

struct Search<'a, M: Model> {
    model: M,
    spans: &'a [Span],
    list: List,
    /// Operations of unknown outcome, by invocation, and of each the place of the last one before it
    /// that does the same.
    unknown: Vec<(usize, Option<usize>)>,
    memory: Memory<M::State>,
    state: M::State,
    stack: Vec<Done<M::State>>,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(model: M, spans: &'a [Span]) -> Self {
        let mut unknown: Vec<usize> =
            (0..spans.len()).filter(|operation| spans[*operation].returned.is_none()).collect();
        unknown.sort_by_key(|operation| spans[*operation].invoked);
        let twin = |number: usize| {
            (0..number).rev().find(|before| model.are_twins(unknown[*before], unknown[number]))
        };
        let unknown: Vec<(usize, Option<usize>)> = unknown
            .iter()
            .enumerate()
            .map(|(number, operation)| (*operation, twin(number)))
            .collect();
        let list = List::new(spans);
        Self {
            memory: Memory::new(list.known_len(), unknown.len()),
            state: model.initial(),
            model,
            spans,
            list,
            unknown,
            stack: Vec::new(),
        }
    }

    fn run(mut self, limits: &mut Limits) -> Found {
        self.settle();
        let mut cursor = Cursor::Known(self.list.first());
        while !self.list.is_empty() {
            if let Err(limit) = limits.spend(1, self.memory.bytes()) {
                return Found::GaveUp(limit);
            }
            let next = match cursor {
                Cursor::Known(mark) => Some(self.try_known(mark)),
                Cursor::Unknown(number) => self.try_unknown(number),
            };
            let Some(next) = next.or_else(|| self.undo()) else {
                return Found::Nothing;
            };
            cursor = next;
        }
        Found::Linearization(self.stack.iter().map(|done| done.operation).collect())
    }

    /// Tries the operation at `mark`; at a return, which nothing known may pass, goes on to the
    /// unknown ones.
    fn try_known(&mut self, mark: Mark) -> Cursor {
        let Some(rank) = self.list.call_at(mark) else {
            return Cursor::Unknown(0);
        };
        let operation = self.list.operation(rank);
        match self.model.step(&self.state, operation) {
            Some(state) => self.enter(operation, Cursor::Known(mark), state),
            None => Cursor::Known(self.list.after(mark)),
        }
    }

    /// Tries the unknown operation `number`; nothing if there are no more candidates.
    fn try_unknown(&mut self, number: usize) -> Option<Cursor> {
        let (operation, twin) = *self.unknown.get(number)?;
        if self.spans[operation].invoked > self.list.first_return() {
            return None;
        }
        // Of those that do the same, the first is as good as any.
        let is_next = twin.is_none_or(|twin| self.memory.unknown(twin));
        if !self.memory.unknown(number)
            && is_next
            && let Some(state) = self.model.step(&self.state, operation)
            && self.is_wanted(operation, &state)
        {
            return Some(self.enter(operation, Cursor::Unknown(number), state));
        }
        Some(Cursor::Unknown(number + 1))
    }

    /// True if some operation that may come next depends on the change to `after` by `change`.
    fn is_wanted(&self, change: usize, after: &M::State) -> bool {
        let mut mark = self.list.first();
        while let Some(rank) = self.list.call_at(mark) {
            if self.model.depends(self.list.operation(rank), &self.state, after) {
                return true;
            }
            mark = self.list.after(mark);
        }
        let horizon = self.list.first_return();
        let may_come = |number: &usize| !self.memory.unknown(*number);
        (0..self.unknown.len())
            .take_while(|number| self.spans[self.unknown[*number].0].invoked <= horizon)
            .filter(may_come)
            .map(|number| self.unknown[number].0)
            .any(|other| other != change && self.model.depends(other, &self.state, after))
    }

    /// Does `operation`, found at `place`; takes it back if that leads to where the search has been.
    fn enter(&mut self, operation: usize, place: Cursor, state: M::State) -> Cursor {
        self.push(operation, place, false, state);
        self.settle();
        if self.list.is_empty() {
            return Cursor::Known(self.list.first());
        }
        let first = self.list.first_rank();
        let last = self.list.last_rank_before_first_return();
        if self.memory.enter(first, last, &self.state) {
            return Cursor::Known(self.list.first());
        }
        self.undo().expect("what was done can be undone")
    }

    /// Does whatever may come next and only looks.
    fn settle(&mut self) {
        let mut mark = self.list.first();
        while let Some(rank) = self.list.call_at(mark) {
            let operation = self.list.operation(rank);
            let next = self.list.after(mark);
            match self.model.step(&self.state, operation) {
                Some(state) if self.model.only_looks(operation) => {
                    self.push(operation, Cursor::Known(mark), true, state);
                    // What comes after a return may come next once that return is gone.
                    mark = self.list.first();
                }
                _ => mark = next,
            }
        }
    }

    fn push(&mut self, operation: usize, place: Cursor, forced: bool, state: M::State) {
        self.mark_done(operation, place, true);
        let before = core::mem::replace(&mut self.state, state);
        self.stack.push(Done { operation, place, forced, before });
    }

    /// Undoes everything up to and with the last choice; the next candidate stands after it.
    fn undo(&mut self) -> Option<Cursor> {
        loop {
            let done = self.stack.pop()?;
            self.state = done.before;
            self.mark_done(done.operation, done.place, false);
            if !done.forced {
                return Some(match done.place {
                    Cursor::Known(mark) => Cursor::Known(self.list.after(mark)),
                    Cursor::Unknown(number) => Cursor::Unknown(number + 1),
                });
            }
        }
    }

    fn mark_done(&mut self, operation: usize, place: Cursor, done: bool) {
        match place {
            Cursor::Known(mark) => {
                let rank = self.list.call_at(mark).expect("only calls are done");
                self.memory.set_known(rank, done);
                if done {
                    self.list.lift(mark);
                } else {
                    self.list.unlift(mark);
                }
            }
            Cursor::Unknown(number) => self.memory.set_unknown(number, done),
        }
        if done {
            self.model.done(operation);
        } else {
            self.model.undone(operation);
        }
    }
}

/// Bits, in words of 64.
fn words(bits: usize) -> Vec<u64> {
    vec![0; bits.div_ceil(64)]
}

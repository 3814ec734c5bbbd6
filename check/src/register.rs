//! One key as a register: what each operation does to the value, and from which values it could have
//! ended as it did.

use alloc::{collections::BTreeMap, collections::BTreeSet, vec, vec::Vec};

use crate::{
    history::{Answer, Call, End, Operation},
    linearizability::{Model, Span},
};

/// A value, numbered in the order of appearance; 0 is "no value".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(u32);

const NOTHING: Value = Value(0);

/// What one operation does, once it is known how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Read(Value),
    Write(Value),
    Swap { expected: Value, new: Value },
    Mismatch { expected: Value },
    Delete { was_there: bool },
    MaybeWrite(Value),
    MaybeSwap { expected: Value, new: Value },
    MaybeDelete,
}

/// The operations on one key that matter, as a [`Model`] over the key's value.
#[derive(Clone, Debug, Default)]
pub struct Register {
    steps: Vec<Step>,
    spans: Vec<Span>,
    origins: Vec<usize>,
    /// Of each value: how many operations that are not done need it, and how many make it.
    needs: Vec<i64>,
    makes: Vec<i64>,
    looks_ahead: bool,
}

impl Step {
    /// The one value that the operation can only be done on.
    const fn needs(self) -> Option<Value> {
        match self {
            Self::Read(value) => Some(value),
            Self::Swap { expected, .. } => Some(expected),
            Self::Delete { was_there: false } => Some(NOTHING),
            // What need not be done needs nothing.
            _ => None,
        }
    }

    /// The value that the operation leaves where it changes something.
    const fn makes(self) -> Option<Value> {
        match self {
            Self::Write(value) | Self::MaybeWrite(value) => Some(value),
            Self::Swap { new, .. } | Self::MaybeSwap { new, .. } => Some(new),
            Self::Delete { was_there: true } | Self::MaybeDelete => Some(NOTHING),
            _ => None,
        }
    }
}

impl Register {
    /// The register of the operations in `places`, all of them on one key. Left out is what can have
    /// no bearing: what failed, reads of unknown outcome, and changes of unknown outcome whose result
    /// no other operation can tell from its absence.
    #[must_use]
    pub fn new(operations: &[Operation], places: &[usize]) -> Self {
        let mut values = Values::default();
        let mut register = Self::default();
        for place in places {
            let operation = &operations[*place];
            let Some(step) = step_of(operation, &mut values) else {
                continue;
            };
            let returned = match operation.end {
                End::Ok(at, _) => Some(at),
                End::Failed(_) | End::Unknown => None,
            };
            register.steps.push(step);
            register.spans.push(Span { invoked: operation.invoked, returned });
            register.origins.push(*place);
        }
        register.drop_what_nobody_can_see();
        register.needs = vec![0; values.numbers.len() + 1];
        register.makes = vec![0; values.numbers.len() + 1];
        for number in 0..register.steps.len() {
            register.count(number, 1);
        }
        register.looks_ahead = true;
        register
    }

    /// The same register, where an operation is refused only for what was done before it and never
    /// for what could not be done after it: slower to search, but its dead ends are the longest.
    #[must_use]
    pub fn without_looking_ahead(self) -> Self {
        Self { looks_ahead: false, ..self }
    }

    /// When each operation began and ended.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The place, among the operations of the history, of the register's operation `number`.
    #[must_use]
    pub fn origin(&self, number: usize) -> usize {
        self.origins[number]
    }

    fn count(&mut self, operation: usize, difference: i64) {
        let step = self.steps[operation];
        if let Some(Value(value)) = step.needs() {
            self.needs[value as usize] += difference;
        }
        if let Some(Value(value)) = step.makes() {
            self.makes[value as usize] += difference;
        }
    }

    /// True if `operation` would take away a value for good that another one still needs.
    fn robs(&self, Value(state): Value, operation: usize) -> bool {
        if !self.looks_ahead {
            return false;
        }
        let own = i64::from(self.steps[operation].needs() == Some(Value(state)));
        self.needs[state as usize] > own && self.makes[state as usize] == 0
    }

    /// In a linearization, an operation of unknown outcome whose effect the next one does not see can
    /// be left out: so only results that somebody sees matter. This keeps the search small.
    fn drop_what_nobody_can_see(&mut self) {
        let mut seen = BTreeSet::new();
        let mut all_seen = false;
        for step in &self.steps {
            match *step {
                Step::Read(value) => _ = seen.insert(value),
                Step::Swap { expected, .. } | Step::MaybeSwap { expected, .. } => {
                    seen.insert(expected);
                }
                Step::Mismatch { .. } | Step::Delete { was_there: true } => all_seen = true,
                Step::Delete { was_there: false } => _ = seen.insert(NOTHING),
                Step::Write(_) | Step::MaybeWrite(_) | Step::MaybeDelete => {}
            }
        }
        let matters = |step: Step| match step {
            Step::MaybeWrite(new) | Step::MaybeSwap { new, .. } => all_seen || seen.contains(&new),
            Step::MaybeDelete => all_seen || seen.contains(&NOTHING),
            _ => true,
        };
        let kept: Vec<usize> =
            (0..self.steps.len()).filter(|number| matters(self.steps[*number])).collect();
        self.spans = kept.iter().map(|number| self.spans[*number]).collect();
        self.origins = kept.iter().map(|number| self.origins[*number]).collect();
        self.steps = kept.iter().map(|number| self.steps[*number]).collect();
    }
}

impl Model for Register {
    type State = Value;

    fn initial(&self) -> Value {
        NOTHING
    }

    fn step(&self, state: &Value, operation: usize) -> Option<Value> {
        let state = *state;
        // A change of unknown outcome that changes nothing need not be made at all.
        let after = match self.steps[operation] {
            Step::Read(value) => (state == value).then_some(state),
            Step::Write(value) => Some(value),
            Step::Swap { expected, new } => (state == expected).then_some(new),
            Step::Mismatch { expected } => (state != expected).then_some(state),
            Step::Delete { was_there } => (was_there == (state != NOTHING)).then_some(NOTHING),
            Step::MaybeWrite(value) => (state != value).then_some(value),
            Step::MaybeSwap { expected, new } => (state == expected && state != new).then_some(new),
            Step::MaybeDelete => (state != NOTHING).then_some(NOTHING),
        };
        after.filter(|after| *after == state || !self.robs(state, operation))
    }

    fn only_looks(&self, operation: usize) -> bool {
        matches!(
            self.steps[operation],
            Step::Read(_) | Step::Mismatch { .. } | Step::Delete { was_there: false }
        )
    }

    fn done(&mut self, operation: usize) {
        self.count(operation, -1);
    }

    fn undone(&mut self, operation: usize) {
        self.count(operation, 1);
    }
}

fn step_of<'a>(operation: &'a Operation, values: &mut Values<'a>) -> Option<Step> {
    let answer = match &operation.end {
        End::Failed(_) => return None,
        End::Ok(_, answer) => Some(answer),
        End::Unknown => None,
    };
    match (&operation.call, answer) {
        (Call::Read, Some(Answer::Found(value))) => {
            Some(Step::Read(values.number(value.as_deref())))
        }
        (Call::Write(value), Some(_)) => Some(Step::Write(values.number(Some(value)))),
        (Call::Write(value), None) => Some(Step::MaybeWrite(values.number(Some(value)))),
        (Call::CompareAndSet { expected, new }, answer) => {
            let expected = values.number(expected.as_deref());
            let new = values.number(Some(new));
            Some(match answer {
                Some(Answer::Mismatch) => Step::Mismatch { expected },
                Some(_) => Step::Swap { expected, new },
                None => Step::MaybeSwap { expected, new },
            })
        }
        (Call::Delete, Some(Answer::Deleted(was_there))) => {
            Some(Step::Delete { was_there: *was_there })
        }
        (Call::Delete, None) => Some(Step::MaybeDelete),
        // A history holds only answers that fit; a read of unknown outcome has no effect.
        (Call::Read | Call::Delete, _) => None,
    }
}

#[derive(Default)]
struct Values<'a> {
    numbers: BTreeMap<&'a [u8], Value>,
}

impl<'a> Values<'a> {
    fn number(&mut self, value: Option<&'a [u8]>) -> Value {
        let Some(value) = value else {
            return NOTHING;
        };
        let next = u32::try_from(self.numbers.len() + 1).expect("fewer than 2^32 values");
        *self.numbers.entry(value).or_insert(Value(next))
    }
}

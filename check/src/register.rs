//! One key as a register: what each operation does to the value, and from which values it could have
//! ended as it did.

use alloc::{collections::BTreeMap, collections::BTreeSet, vec, vec::Vec};

use crate::{
    history::{Answer, Call, End, Operation},
    linearizability::{Model, Span},
};

/// A value, numbered in the order of appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(u32);

/// "No value": what a key holds at first, and after a delete.
pub(crate) const NOTHING: Value = Value(0);

/// All values that no operation tells apart from each other.
const INDISTINCT: Value = Value(1);

/// What one operation does, once it is known how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
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
}

/// What counts of a history.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// What had happened before the event at this position.
    pub until: usize,
    /// The places of operations of which only the change counts, and not what they saw.
    pub blind: Option<&'a BTreeSet<usize>>,
}

impl Default for Scope<'_> {
    /// All of it.
    fn default() -> Self {
        Self { until: usize::MAX, blind: None }
    }
}

impl Value {
    /// Its number, from 0.
    pub(crate) const fn place(self) -> usize {
        self.0 as usize
    }
}

impl Step {
    /// The one value that the operation can only be done on.
    pub(crate) const fn needs(self) -> Option<Value> {
        match self {
            Self::Read(value) => Some(value),
            Self::Swap { expected, .. } => Some(expected),
            Self::Delete { was_there: false } => Some(NOTHING),
            // What need not be done needs nothing.
            _ => None,
        }
    }

    /// The change alone, without what was seen; nothing if there is no change.
    const fn blind(self) -> Option<Self> {
        match self {
            Self::Swap { new, .. } => Some(Self::Write(new)),
            Self::MaybeSwap { new, .. } => Some(Self::MaybeWrite(new)),
            Self::Delete { was_there: true } => Some(Self::Write(NOTHING)),
            Self::Write(_) | Self::MaybeWrite(_) | Self::MaybeDelete => Some(self),
            Self::Read(_) | Self::Mismatch { .. } | Self::Delete { was_there: false } => None,
        }
    }

    /// The value that the operation leaves where it changes something.
    pub(crate) const fn makes(self) -> Option<Value> {
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
        Self::within(operations, places, Scope::default())
    }

    /// The same, of what `scope` says.
    #[must_use]
    pub fn within(operations: &[Operation], places: &[usize], scope: Scope<'_>) -> Self {
        let mut values = Values::default();
        let mut register = Self::default();
        for place in places {
            let operation = &operations[*place];
            if operation.invoked >= scope.until {
                continue;
            }
            let answer = match &operation.end {
                End::Failed(_) => continue,
                End::Ok(at, answer) if *at < scope.until => Some((*at, answer)),
                End::Ok(..) | End::Unknown => None,
            };
            let step = step_of(&operation.call, answer.map(|(_, told)| told), &mut values);
            let is_blind = scope.blind.is_some_and(|blind| blind.contains(place));
            let Some(step) = step.and_then(|step| if is_blind { step.blind() } else { Some(step) })
            else {
                continue;
            };
            let returned = answer.map(|(at, _)| at);
            register.steps.push(step);
            register.spans.push(Span { invoked: operation.invoked, returned });
            register.origins.push(*place);
        }
        register.drop_what_nobody_can_see();
        register.join_what_nobody_tells_apart();
        register.needs = vec![0; values.numbers.len() + 2];
        register.makes = vec![0; values.numbers.len() + 2];
        for number in 0..register.steps.len() {
            register.count(number, 1);
        }
        register
    }

    /// What each operation does.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// One more than the largest number of a value.
    pub(crate) const fn values_len(&self) -> usize {
        self.needs.len()
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

    /// Values that are never read or expected are one and the same to everybody.
    fn join_what_nobody_tells_apart(&mut self) {
        let mut told_apart = BTreeSet::from([NOTHING]);
        for step in &self.steps {
            match *step {
                Step::Read(value) => _ = told_apart.insert(value),
                Step::Swap { expected, .. }
                | Step::MaybeSwap { expected, .. }
                | Step::Mismatch { expected } => _ = told_apart.insert(expected),
                Step::Write(_) | Step::MaybeWrite(_) | Step::Delete { .. } | Step::MaybeDelete => {}
            }
        }
        for step in &mut self.steps {
            match step {
                Step::Write(new)
                | Step::MaybeWrite(new)
                | Step::Swap { new, .. }
                | Step::MaybeSwap { new, .. }
                    if !told_apart.contains(new) =>
                {
                    *new = INDISTINCT;
                }
                _ => {}
            }
        }
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

    fn are_twins(&self, one: usize, other: usize) -> bool {
        self.steps[one] == self.steps[other]
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

/// What a call does; no answer is an unknown outcome. Nothing if it has no bearing.
pub(crate) fn step_of<'a>(
    call: &'a Call,
    answer: Option<&'a Answer>,
    values: &mut Values<'a>,
) -> Option<Step> {
    match (call, answer) {
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

/// The numbers of a key's values.
#[derive(Default)]
pub(crate) struct Values<'a> {
    numbers: BTreeMap<&'a [u8], Value>,
}

impl<'a> Values<'a> {
    /// The number of a value, the next one if it is new.
    pub(crate) fn number(&mut self, value: Option<&'a [u8]>) -> Value {
        let Some(value) = value else {
            return NOTHING;
        };
        let next = u32::try_from(self.numbers.len() + 2).expect("fewer than 2^32 values");
        *self.numbers.entry(value).or_insert(Value(next))
    }
}

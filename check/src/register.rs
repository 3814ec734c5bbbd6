//! One key as a register: what each operation does to the value, and from which values it could have
//! ended as it did.
//!
//! A register keeps account, for each value, of who still needs it and until when, and of who can still
//! make it and from when on. To replace a value that somebody needs and nobody can make again in time
//! leads nowhere.

use alloc::{collections::BTreeMap, collections::BTreeSet, vec, vec::Vec};

use crate::{
    history::{Answer, Call, End, Operation},
    linearizability::{Span, Wanted},
};

/// A value, numbered in the order of appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Value(u32);

/// "No value": what a key holds at first, and after a delete.
pub(crate) const NOTHING: Value = Value(0);

/// All values that no operation tells apart from each other.
const INDISTINCT: Value = Value(1);

/// What one operation does, once it is known how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// The operations on one key that matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Register {
    steps: Vec<Step>,
    spans: Vec<Span>,
    origins: Vec<usize>,
    /// Of each operation, a number that it shares with those that do the same.
    kinds: Vec<usize>,
    kinds_len: usize,
    /// Of each value: the operations that are not done and need it, with the positions of their
    /// returns, and those that make it, with the positions of their invocations.
    needs: Vec<BTreeSet<(usize, usize)>>,
    makes: Vec<BTreeSet<(usize, usize)>>,
}

/// Some need a value that nobody else makes in time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shortage {
    /// The one of them that returns first.
    pub(crate) first: Span,
    /// One that begins late, mostly the last.
    pub(crate) last: Span,
}

/// How many of those who need a value are asked when they begin.
const NEEDS_SEEN_MAX: usize = 8;

/// What counts of a history.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    /// What had happened before the event at this position.
    pub(crate) until: usize,
    /// The places of operations of which only the change counts, and not what they saw.
    pub(crate) blind: Option<&'a BTreeSet<usize>>,
    /// True if time does not matter: everything may come before everything.
    pub(crate) is_timeless: bool,
}

impl Default for Scope<'_> {
    /// All of it.
    fn default() -> Self {
        Self { until: usize::MAX, blind: None, is_timeless: false }
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

    /// The same operation; to set what is there already is to look.
    const fn simple(self) -> Option<Self> {
        match self {
            Self::Swap { expected, new } if expected.0 == new.0 => Some(Self::Read(expected)),
            Self::MaybeSwap { expected, new } if expected.0 == new.0 => None,
            _ => Some(self),
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

    /// The same operation, if its outcome is unknown, known to have happened.
    const fn certain(self) -> Option<Self> {
        match self {
            Self::MaybeWrite(value) => Some(Self::Write(value)),
            Self::MaybeSwap { expected, new } => Some(Self::Swap { expected, new }),
            _ => None,
        }
    }

    /// The same operation, leaving something that nobody tells apart.
    const fn indistinct(self) -> Self {
        match self {
            Self::Write(_) => Self::Write(INDISTINCT),
            Self::MaybeWrite(_) => Self::MaybeWrite(INDISTINCT),
            Self::Swap { expected, .. } => Self::Swap { expected, new: INDISTINCT },
            Self::MaybeSwap { expected, .. } => Self::MaybeSwap { expected, new: INDISTINCT },
            _ => self,
        }
    }

    /// The value that the operation tells from all others.
    const fn tells_apart(self) -> Option<Value> {
        match self {
            Self::Read(value) => Some(value),
            Self::Swap { expected, .. }
            | Self::MaybeSwap { expected, .. }
            | Self::Mismatch { expected } => Some(expected),
            Self::Write(_) | Self::MaybeWrite(_) | Self::Delete { .. } | Self::MaybeDelete => None,
        }
    }

    /// What of unknown outcome leads from `state` to `value`.
    pub(crate) fn changes_to(state: Value, value: Value) -> impl Iterator<Item = Self> {
        let write = match value {
            NOTHING => Self::MaybeDelete,
            value => Self::MaybeWrite(value),
        };
        [write, Self::MaybeSwap { expected: state, new: value }].into_iter()
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
    /// The register of the operations in `places`, all on one key, as far as `scope` says. Left out is
    /// what can have no bearing: what failed, reads of unknown outcome, and changes of unknown outcome
    /// whose result no other operation can tell from its absence.
    pub(crate) fn within(operations: &[Operation], places: &[usize], scope: Scope<'_>) -> Self {
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
            let step = step.and_then(|step| if is_blind { step.blind() } else { step.simple() });
            let Some(step) = step else {
                continue;
            };
            let returned = answer.map(|(at, _)| at);
            register.steps.push(step);
            register.spans.push(match scope.is_timeless {
                false => Span { invoked: operation.invoked, returned },
                true => Span { invoked: 0, returned: returned.map(|_| usize::MAX) },
            });
            register.origins.push(*place);
        }
        register.drop_what_nobody_can_see();
        register.join_what_nobody_tells_apart();
        register.note_what_must_have_happened(values.numbers.len() + 2);
        register.number_kinds();
        register.keep_account(values.numbers.len() + 2, scope.is_timeless);
        register
    }

    fn keep_account(&mut self, values: usize, of_unknown: bool) {
        self.needs = vec![BTreeSet::new(); values];
        self.makes = vec![BTreeSet::new(); values];
        for number in 0..self.steps.len() {
            if of_unknown || self.spans[number].returned.is_some() {
                self.undone(number);
            }
        }
    }

    fn number_kinds(&mut self) {
        let mut kinds: BTreeMap<Step, usize> = BTreeMap::new();
        for step in &self.steps {
            let next = kinds.len();
            self.kinds.push(*kinds.entry(*step).or_insert(next));
        }
        self.kinds_len = kinds.len();
    }

    /// A number that the operation shares with those that do the same, below `kinds_len`.
    pub(crate) fn kind(&self, operation: usize) -> usize {
        self.kinds[operation]
    }

    pub(crate) const fn kinds_len(&self) -> usize {
        self.kinds_len
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
    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The place, among the operations of the history, of the register's operation `number`.
    pub(crate) fn origin(&self, number: usize) -> usize {
        self.origins[number]
    }

    /// What an operation leaves is one and the same to everybody if nobody can come to tell it from
    /// something else before it is replaced: that is at the latest when a change that began after the
    /// operation returned has returned itself.
    fn join_what_nobody_tells_apart(&mut self) {
        let looks = Looks::new(self);
        for number in 0..self.steps.len() {
            let step = self.steps[number];
            let Some(value) = step.makes().filter(|value| *value != NOTHING) else {
                continue;
            };
            if !looks.may_tell_apart(value, self.spans[number]) {
                self.steps[number] = step.indistinct();
            }
        }
    }

    /// Who other than `operation` needs `value` before anybody else that the register keeps account of
    /// makes it. Unless time does not matter, account is kept of known operations.
    pub(crate) fn is_short_of(&self, value: Value, operation: Option<usize>) -> Option<Shortage> {
        let is_other = |one: &&(usize, usize)| Some(one.1) != operation;
        let makes = self.makes[value.place()].iter().find(is_other);
        let until = makes.map_or(usize::MAX, |(from, _)| *from);
        let needs = self.needs[value.place()].iter().filter(is_other);
        let mut short = needs.take_while(|(returned, _)| *returned < until || makes.is_none());
        let first = *short.next()?;
        let last = short.take(NEEDS_SEEN_MAX).copied().fold(first, |last, other| {
            let begins_later = self.spans[other.1].invoked > self.spans[last.1].invoked;
            if begins_later { other } else { last }
        });
        Some(Shortage { first: self.spans[first.1], last: self.spans[last.1] })
    }

    /// True if a known operation makes `value` that was invoked before `horizon`.
    pub(crate) fn is_made_before(&self, value: Value, horizon: usize) -> bool {
        self.makes[value.place()].first().is_some_and(|(from, _)| *from < horizon)
    }

    /// All values that operations name.
    pub(crate) fn values(&self) -> impl Iterator<Item = Value> + use<> {
        (0..self.needs.len()).map(|place| Value(u32::try_from(place).expect("as many as values")))
    }

    /// An operation of unknown outcome that alone makes a value that was seen did happen, and before
    /// whoever saw it first returned.
    fn note_what_must_have_happened(&mut self, values: usize) {
        let mut makers: Vec<(usize, usize)> = vec![(0, 0); values];
        let mut seen_until = vec![usize::MAX; values];
        let mut ahead: Vec<usize> = Vec::new();
        for (number, step) in self.steps.iter().enumerate() {
            if let Some(value) = step.makes() {
                makers[value.place()] = (makers[value.place()].0 + 1, number);
            }
            if let (Some(value), Some(until)) = (step.needs(), self.spans[number].returned) {
                seen_until[value.place()] = seen_until[value.place()].min(until);
                ahead.push(value.place());
            }
        }
        while let Some(value) = ahead.pop() {
            let (count, maker) = makers[value];
            let until = seen_until[value];
            if count != 1 || value == NOTHING.place() || self.spans[maker].invoked >= until {
                continue;
            }
            let Some(step) = self.steps[maker].certain() else {
                continue;
            };
            self.steps[maker] = step;
            self.spans[maker].returned = Some(until);
            if let Some(Value(expected)) = step.needs() {
                let seen = &mut seen_until[expected as usize];
                *seen = (*seen).min(until);
                ahead.push(expected as usize);
            }
        }
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

impl Register {
    /// What the key holds at first.
    pub(crate) const fn initial() -> Value {
        NOTHING
    }

    /// What it holds after `operation`, or nothing if the operation, from `state`, could not have ended
    /// as it did.
    pub(crate) fn effect(&self, state: Value, operation: usize) -> Option<Value> {
        // A change of unknown outcome that changes nothing need not be made at all.
        match self.steps[operation] {
            Step::Read(value) => (state == value).then_some(state),
            Step::Write(value) => Some(value),
            Step::Swap { expected, new } => (state == expected).then_some(new),
            Step::Mismatch { expected } => (state != expected).then_some(state),
            Step::Delete { was_there } => (was_there == (state != NOTHING)).then_some(NOTHING),
            Step::MaybeWrite(value) => (state != value).then_some(value),
            Step::MaybeSwap { expected, new } => (state == expected && state != new).then_some(new),
            Step::MaybeDelete => (state != NOTHING).then_some(NOTHING),
        }
    }

    /// Notes what `operation` waits for, if it does.
    pub(crate) fn want(&self, state: Value, operation: usize, wanted: &mut Wanted) {
        if self.effect(state, operation).is_some() {
            return;
        }
        match self.steps[operation].needs() {
            Some(value) => _ = wanted.values.insert(value),
            None => wanted.any_other = true,
        }
    }

    /// True if `operation`, from whatever value, leaves the value as it is.
    pub(crate) fn only_looks(&self, operation: usize) -> bool {
        matches!(
            self.steps[operation],
            Step::Read(_) | Step::Mismatch { .. } | Step::Delete { was_there: false }
        )
    }

    /// Notes that `operation` is done.
    pub(crate) fn done(&mut self, operation: usize) {
        let Span { invoked, returned } = self.spans[operation];
        let step = self.steps[operation];
        if let (Some(value), Some(returned)) = (step.needs(), returned) {
            self.needs[value.place()].remove(&(returned, operation));
        }
        if let Some(value) = step.makes() {
            self.makes[value.place()].remove(&(invoked, operation));
        }
    }

    /// Notes that `operation` is not done.
    pub(crate) fn undone(&mut self, operation: usize) {
        let Span { invoked, returned } = self.spans[operation];
        let step = self.steps[operation];
        if let (Some(value), Some(returned)) = (step.needs(), returned) {
            self.needs[value.place()].insert((returned, operation));
        }
        if let Some(value) = step.makes() {
            self.makes[value.place()].insert((invoked, operation));
        }
    }
}

/// When values are looked at, and when they are replaced at the latest.
struct Looks {
    /// Of each value, by invocation: when an operation that tells it apart begins, and the latest end
    /// of that and those before.
    of_value: BTreeMap<Value, Vec<(usize, usize)>>,
    /// By invocation: when a change begins, and the earliest end of that and those after.
    changes: Vec<(usize, usize)>,
}

impl Looks {
    fn new(register: &Register) -> Self {
        let mut of_value: BTreeMap<Value, Vec<(usize, usize)>> = BTreeMap::new();
        let mut changes = Vec::new();
        for (step, span) in register.steps.iter().zip(&register.spans) {
            let end = span.returned.unwrap_or(usize::MAX);
            if let Some(value) = step.tells_apart() {
                of_value.entry(value).or_default().push((span.invoked, end));
            }
            if step.makes().is_some() {
                changes.push((span.invoked, end));
            }
        }
        for looks in of_value.values_mut() {
            looks.sort_unstable();
            let mut latest = 0;
            for (_, end) in looks {
                latest = latest.max(*end);
                *end = latest;
            }
        }
        changes.sort_unstable();
        let mut earliest = usize::MAX;
        for (_, end) in changes.iter_mut().rev() {
            earliest = earliest.min(*end);
            *end = earliest;
        }
        Self { of_value, changes }
    }

    /// True if somebody may tell apart what an operation in `span` made.
    fn may_tell_apart(&self, value: Value, span: Span) -> bool {
        let replaced = span.returned.and_then(|returned| {
            let after = self.changes.partition_point(|(invoked, _)| *invoked < returned);
            self.changes.get(after).map(|(_, end)| *end)
        });
        let replaced = replaced.unwrap_or(usize::MAX);
        self.of_value.get(&value).is_some_and(|looks| {
            let begun = looks.partition_point(|(invoked, _)| *invoked < replaced);
            begun > 0 && looks[begun - 1].1 > span.invoked
        })
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

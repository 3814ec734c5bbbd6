//! Operations of unknown outcome, in classes of those that do the same: which of a class is done makes
//! no difference, so it is always the one that was invoked first.

use alloc::{collections::BTreeMap, collections::BTreeSet, vec, vec::Vec};

use super::Span;
use crate::register::{Register, Step, Value};

/// Operations that do the same, in the order of their invocations.
struct Class {
    operations: Vec<usize>,
    used: usize,
}

/// All classes, and how many of each are used.
pub(super) struct Classes {
    all: Vec<Class>,
    by_step: BTreeMap<Step, usize>,
    /// By what they make.
    makers: BTreeMap<Value, Vec<usize>>,
}

/// What unknown operations may change.
#[derive(Default)]
pub(super) struct Choices {
    /// Classes of which one may be done.
    pub(super) open: Vec<usize>,
    /// Classes of which one could be done if fewer were used.
    pub(super) exhausted: Vec<usize>,
    /// How many classes were looked at.
    pub(super) looked_at: u64,
}

/// What those wait for that cannot be done now.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Any of these values.
    pub(crate) values: BTreeSet<Value>,
    /// Or any other value than the present one.
    pub(crate) any_other: bool,
}

impl Classes {
    pub(super) fn new(register: &Register, spans: &[Span]) -> Self {
        let mut unknown: Vec<usize> =
            (0..spans.len()).filter(|operation| spans[*operation].returned.is_none()).collect();
        unknown.sort_by_key(|operation| spans[*operation].invoked);
        let mut classes =
            Self { all: Vec::new(), by_step: BTreeMap::new(), makers: BTreeMap::new() };
        for operation in unknown {
            let step = register.steps()[operation];
            let next = classes.all.len();
            let class = *classes.by_step.entry(step).or_insert(next);
            if class == next {
                classes.all.push(Class { operations: Vec::new(), used: 0 });
                if let Some(value) = step.makes() {
                    classes.makers.entry(value).or_default().push(class);
                }
            }
            classes.all[class].operations.push(operation);
        }
        classes
    }

    pub(super) fn used(&self, class: usize) -> usize {
        self.all[class].used
    }

    /// The operation of `class` that is done next, if there is one.
    pub(super) fn next(&self, class: usize) -> Option<usize> {
        self.all[class].operations.get(self.all[class].used).copied()
    }

    pub(super) fn take(&mut self, class: usize) {
        self.all[class].used += 1;
    }

    /// Takes back; gives the operation that was done.
    pub(super) fn give_back(&mut self, class: usize) {
        self.all[class].used -= 1;
    }

    /// The changes from `state` that lead at once, or by further comparing ones, to what is wanted.
    pub(super) fn choices(&self, register: &Register, state: Value, goal: Goal<'_>) -> Choices {
        let mut choices = Choices::default();
        if goal.wanted.any_other {
            for class in 0..self.all.len() {
                self.offer(register, state, class, goal.horizon, &mut choices);
            }
            return choices;
        }
        let mut known = goal.wanted.values.clone();
        let mut ahead: Vec<Value> = known.iter().copied().collect();
        while let Some(value) = ahead.pop() {
            for step in Step::changes_to(state, value) {
                if let Some(class) = self.by_step.get(&step) {
                    self.offer(register, state, *class, goal.horizon, &mut choices);
                }
            }
            if !goal.through_others {
                continue;
            }
            for class in self.makers.get(&value).into_iter().flatten() {
                choices.looked_at += 1;
                let step = register.steps()[self.all[*class].operations[0]];
                let Step::MaybeSwap { expected, .. } = step else {
                    continue;
                };
                match self.availability(register, *class, goal.horizon) {
                    Availability::Open if known.insert(expected) => ahead.push(expected),
                    Availability::Exhausted => choices.exhausted.push(*class),
                    _ => {}
                }
            }
        }
        choices
    }

    /// Whether unknown operations can make `value` before `horizon`, after `state`. If they could only
    /// with fewer used, adds the classes of which that is true.
    pub(super) fn can_make(
        &self,
        register: &Register,
        (state, value): (Value, Value),
        horizon: usize,
        exhausted: &mut Vec<usize>,
    ) -> bool {
        let before = exhausted.len();
        let mut asked = BTreeSet::from([value]);
        let mut ahead = vec![value];
        while let Some(next) = ahead.pop() {
            for class in self.makers.get(&next).into_iter().flatten().copied() {
                let step = register.steps()[self.all[class].operations[0]];
                match (self.availability(register, class, horizon), step) {
                    (Availability::Exhausted, _) => exhausted.push(class),
                    (Availability::Open, Step::MaybeSwap { expected, .. })
                        if expected != state && !register.is_made_before(expected, horizon) =>
                    {
                        if asked.insert(expected) {
                            ahead.push(expected);
                        }
                    }
                    (Availability::Open, _) => {
                        exhausted.truncate(before);
                        return true;
                    }
                    (Availability::Later, _) => {}
                }
            }
        }
        false
    }

    fn offer(
        &self,
        register: &Register,
        state: Value,
        class: usize,
        horizon: usize,
        choices: &mut Choices,
    ) {
        choices.looked_at += 1;
        let fits = register.effect(state, self.all[class].operations[0]).is_some();
        match self.availability(register, class, horizon) {
            Availability::Open if fits => choices.open.push(class),
            Availability::Exhausted if fits => choices.exhausted.push(class),
            _ => {}
        }
    }

    fn availability(&self, register: &Register, class: usize, horizon: usize) -> Availability {
        let is_early = |operation: usize| register.spans()[operation].invoked < horizon;
        if self.next(class).is_some_and(is_early) {
            Availability::Open
        } else if is_early(self.all[class].operations[0]) {
            Availability::Exhausted
        } else {
            Availability::Later
        }
    }
}

/// What to look for.
#[derive(Clone, Copy)]
pub(super) struct Goal<'a> {
    pub(super) wanted: &'a Wanted,
    /// Only what was invoked before this position may be done.
    pub(super) horizon: usize,
    /// True if more than one unknown operation may lead there.
    pub(super) through_others: bool,
}

enum Availability {
    Open,
    Exhausted,
    Later,
}

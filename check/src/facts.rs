//! What each operation tells: which value of which key it saw, and which it made.
//!
//! The models below linearizability are judged by this. A history in which a value has one maker tells
//! who saw whose; where it could be one of several, nothing can be told of that look.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};

use crate::{
    history::{End, Operation, Process},
    register::{NOTHING, Step, Value, Values, step_of},
};

/// One operation that may have had an effect or an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fact {
    /// Its place among the operations of the history.
    pub(crate) place: usize,
    /// Who asked.
    pub(crate) process: Process,
    /// Of which key, numbered from 0.
    pub(crate) key: usize,
    /// The position of its invocation, and of its answer if there was one.
    pub(crate) invoked: usize,
    pub(crate) answered: Option<usize>,
    /// The value that was there, as far as it was told; if there was no answer, that must have been
    /// there if it had an effect.
    pub(crate) sees: Option<Value>,
    /// The value that it left, if it changed something.
    pub(crate) makes: Option<Value>,
    /// Its answer tells that something was there without telling what.
    pub(crate) looks_vaguely: bool,
    /// Who made what it saw.
    pub(crate) source: Option<Source>,
}

/// Who made the value that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nobody: there was nothing at first.
    Start,
    /// The fact of this number.
    Made(usize),
    /// Nobody, and yet it was seen.
    Nowhere,
    /// One of several.
    Ambiguous,
}

/// All facts of a history in the order of invocation, numbered from 0.
#[derive(Debug)]
pub(crate) struct Facts {
    all: Vec<Fact>,
    keys_len: usize,
    groups: Vec<Group>,
    /// For each fact, the groups in which it is a maker, and those in which it looked.
    made_in: Vec<Vec<usize>>,
    looked_in: Vec<Vec<usize>>,
}

/// Those who made a value of a key, or all who changed it, and those who saw that value, or vaguely
/// that there is one: without all of the makers, the lookers tell something else.
#[derive(Debug, Default)]
struct Group {
    makers: Vec<usize>,
    lookers: Vec<usize>,
}

/// Some of the facts, which could be a history of their own.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    facts: &'a Facts,
    numbers: Vec<usize>,
    /// Those whose look does not count.
    blind: BTreeSet<usize>,
}

impl Part<'_> {
    /// The numbers of the facts, in order.
    pub(crate) fn numbers(&self) -> &[usize] {
        &self.numbers
    }

    /// A fact as the part knows it.
    pub(crate) fn get(&self, number: usize) -> Fact {
        let fact = self.facts.all[number];
        if !self.blind.contains(&number) {
            return fact;
        }
        Fact { sees: None, source: None, looks_vaguely: false, ..fact }
    }

    /// The places of the facts among the operations of the history.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.numbers.iter().map(|number| self.facts.all[*number].place).collect()
    }

    /// The places of those whose look does not count.
    pub(crate) fn blind_places(&self) -> BTreeSet<usize> {
        self.blind.iter().map(|number| self.facts.all[*number].place).collect()
    }
}

impl Facts {
    /// What `operations` tell.
    pub(crate) fn new(operations: &[Operation]) -> Self {
        let mut keys: BTreeMap<&[u8], (usize, Values<'_>)> = BTreeMap::new();
        let mut all = Vec::new();
        for (place, operation) in operations.iter().enumerate() {
            let next = keys.len();
            let (key, values) =
                keys.entry(&operation.key).or_insert_with(|| (next, Values::default()));
            all.extend(fact(place, operation, *key, values));
        }
        let keys_len = keys.len();
        let none = vec![Vec::new(); all.len()];
        let (made_in, looked_in) = (none.clone(), none);
        let mut facts = Self { all, keys_len, groups: Vec::new(), made_in, looked_in };
        facts.group();
        facts.find_sources();
        facts
    }

    pub(crate) fn get(&self, number: usize) -> Fact {
        self.all[number]
    }

    pub(crate) const fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) const fn keys_len(&self) -> usize {
        self.keys_len
    }

    /// The numbers of all facts, key by key.
    pub(crate) fn by_key(&self) -> Vec<Vec<usize>> {
        let mut keys = vec![Vec::new(); self.keys_len];
        for (number, fact) in self.all.iter().enumerate() {
            keys[fact.key].push(number);
        }
        keys
    }

    /// The facts at these places, in order, among the operations of the history.
    pub(crate) fn at_places(&self, places: &[usize]) -> Vec<usize> {
        let is_there = |number: &usize| places.binary_search(&self.all[*number].place).is_ok();
        (0..self.len()).filter(is_there).collect()
    }

    /// True if an operation both saw and made a value.
    pub(crate) fn have_swaps(&self) -> bool {
        self.all.iter().any(|fact| fact.sees.is_some() && fact.makes.is_some())
    }

    /// True if its answer, or its effect, tells what it saw.
    pub(crate) fn looked(&self, number: usize) -> bool {
        !self.looked_in[number].is_empty()
    }

    /// Those who made what it saw.
    pub(crate) fn makers(&self, number: usize) -> impl Iterator<Item = usize> + '_ {
        let groups = self.looked_in[number].iter();
        groups.flat_map(|group| self.groups[*group].makers.iter().copied())
    }

    /// The part of these facts, in order. A look stays only with all who made what was seen: without
    /// them, a fact that only looks is left out, and of one that also changed something only that
    /// counts. So what holds for the whole holds for every part, in all models but the eventual one.
    pub(crate) fn part(&self, numbers: &[usize]) -> Part<'_> {
        let mut present: BTreeMap<usize, usize> = BTreeMap::new();
        for group in numbers.iter().flat_map(|number| &self.made_in[*number]) {
            *present.entry(*group).or_default() += 1;
        }
        let is_whole = |group: &usize| {
            self.groups[*group].makers.len() == present.get(group).copied().unwrap_or_default()
        };
        let mut part = Part { facts: self, numbers: Vec::new(), blind: BTreeSet::new() };
        for number in numbers.iter().copied() {
            let sees_all = self.looked_in[number].iter().all(is_whole);
            if sees_all || self.all[number].makes.is_some() {
                part.numbers.push(number);
            }
            if !sees_all {
                part.blind.insert(number);
            }
        }
        part
    }

    /// All of them.
    pub(crate) fn whole(&self) -> Part<'_> {
        Part { facts: self, numbers: (0..self.len()).collect(), blind: BTreeSet::new() }
    }

    /// The first that saw something which several could have made, if there is one.
    pub(crate) fn ambiguous(&self) -> Option<Fact> {
        self.all.iter().copied().find(|fact| fact.source == Some(Source::Ambiguous))
    }

    fn group(&mut self) {
        // By key and value; without a value, all changes of the key.
        let mut groups: BTreeMap<(usize, Option<Value>), Group> = BTreeMap::new();
        for (number, fact) in self.all.iter().enumerate() {
            if let Some(value) = fact.makes {
                groups.entry((fact.key, Some(value))).or_default().makers.push(number);
                groups.entry((fact.key, None)).or_default().makers.push(number);
            }
            if let Some(value) = fact.sees {
                groups.entry((fact.key, Some(value))).or_default().lookers.push(number);
            }
            if fact.looks_vaguely {
                groups.entry((fact.key, None)).or_default().lookers.push(number);
            }
        }
        self.groups = groups.into_values().collect();
        for (place, group) in self.groups.iter().enumerate() {
            group.makers.iter().for_each(|maker| self.made_in[*maker].push(place));
            group.lookers.iter().for_each(|looker| self.looked_in[*looker].push(place));
        }
    }

    fn find_sources(&mut self) {
        for number in 0..self.all.len() {
            let Fact { sees, looks_vaguely, .. } = self.all[number];
            assert!(sees.is_none() || !looks_vaguely, "a look is at a value or vague");
            self.all[number].source = sees.map(|value| {
                let group = &self.groups[self.looked_in[number][0]];
                match group.makers.as_slice() {
                    [] if value == NOTHING => Source::Start,
                    [] => Source::Nowhere,
                    [maker] if value != NOTHING => Source::Made(*maker),
                    _ => Source::Ambiguous,
                }
            });
        }
    }
}

/// What one operation tells; nothing if it has no bearing.
fn fact<'a>(
    place: usize,
    operation: &'a Operation,
    key: usize,
    values: &mut Values<'a>,
) -> Option<Fact> {
    let answer = match &operation.end {
        End::Failed(_) => return None,
        End::Ok(at, answer) => Some((*at, answer)),
        End::Unknown => None,
    };
    let step = step_of(&operation.call, answer.map(|(_, told)| told), values)?;
    let sees = match step {
        Step::MaybeSwap { expected, .. } => Some(expected),
        step => step.needs(),
    };
    Some(Fact {
        place,
        process: operation.process,
        key,
        invoked: operation.invoked,
        answered: answer.map(|(at, _)| at),
        sees,
        makes: step.makes(),
        looks_vaguely: matches!(step, Step::Mismatch { .. } | Step::Delete { was_there: true }),
        source: None,
    })
}

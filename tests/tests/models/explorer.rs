//! Explores a graph of states breadth first, to its end or to the first state that is broken. The trace
//! to that state is a shortest one, because states are met in order of their distance.

use std::{
    collections::{HashMap, VecDeque},
    fmt::{self, Debug, Display},
    hash::{BuildHasherDefault, Hash, Hasher},
    rc::Rc,
};

/// A graph of states, and which of them must never be reached.
pub trait Model {
    type State: Clone + Debug + Eq + Hash;
    type Step: Display;

    /// Where it may begin.
    fn initial(&self) -> Vec<Self::State>;

    /// All that may happen next.
    fn steps(&self, state: &Self::State) -> Vec<(Self::Step, Self::State)>;

    /// What is wrong with a state; nothing if it may be.
    fn broken(&self, state: &Self::State) -> Option<String>;
}

/// What an exploration came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No state that can be reached is broken.
    Safe { states: usize },
    /// One is: what is wrong with it, and the steps to it.
    Broken { states: usize, what: String, trace: Vec<String> },
}

impl Outcome {
    pub const fn is_safe(&self) -> bool {
        matches!(self, Self::Safe { .. })
    }
}

impl Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Safe { states } => write!(formatter, "safe in all {states} states"),
            Self::Broken { states, what, trace } => {
                write!(formatter, "BROKEN after {states} states: {what}")?;
                for (number, step) in (1..).zip(trace) {
                    write!(formatter, "\n  {number:2} {step}")?;
                }
                Ok(())
            }
        }
    }
}

/// A fast hash: most of the time goes into it. States are compared in full, so it decides nothing.
#[derive(Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }
}

/// Where each state that was met was first met from.
type Met<S> = HashMap<Rc<S>, Option<Rc<S>>, BuildHasherDefault<Mixer>>;

/// The members of a small set, each a bit.
pub fn members(mut set: u128) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let member = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (member < 128).then_some(member as usize)
    })
}

/// Explores all of `model`.
///
/// # Panics
/// If it has more than `states_max` states: then nothing is known.
pub fn explore<M: Model>(model: &M, states_max: usize) -> Outcome {
    let mut met: Met<M::State> = Met::default();
    let mut frontier = VecDeque::new();
    for state in model.initial() {
        let state = Rc::new(state);
        met.insert(Rc::clone(&state), None);
        frontier.push_back(state);
    }
    while let Some(state) = frontier.pop_front() {
        if let Some(what) = model.broken(&state) {
            return Outcome::Broken { states: met.len(), what, trace: trace(model, &met, state) };
        }
        for (_, next) in model.steps(&state) {
            if met.contains_key(&next) {
                continue;
            }
            let next = Rc::new(next);
            met.insert(Rc::clone(&next), Some(Rc::clone(&state)));
            frontier.push_back(next);
        }
        assert!(met.len() <= states_max, "the model has more than {states_max} states");
    }
    Outcome::Safe { states: met.len() }
}

/// The steps to `state`. They were not kept: each is found again between its two states.
fn trace<M: Model>(model: &M, met: &Met<M::State>, mut state: Rc<M::State>) -> Vec<String> {
    let mut steps = Vec::new();
    while let Some(before) = &met[&state] {
        let found = model.steps(before).into_iter().find(|(_, next)| *next == *state);
        let (step, _) = found.expect("it was met from there");
        steps.push(step.to_string());
        state = Rc::clone(before);
    }
    steps.reverse();
    steps
}

/// Explores and prints under a name.
pub fn report<M: Model>(name: &str, model: &M, states_max: usize) -> Outcome {
    let begun = std::time::Instant::now();
    let outcome = explore(model, states_max);
    println!("{name}: {outcome}\n  ({} ms)", begun.elapsed().as_millis());
    outcome
}

/// Counts to ten by one or by three, and must not meet seven.
struct Counting;

impl Model for Counting {
    type State = u8;
    type Step = u8;

    fn initial(&self) -> Vec<u8> {
        vec![0]
    }

    fn steps(&self, state: &u8) -> Vec<(u8, u8)> {
        [1, 3].into_iter().map(|by| (by, state + by)).filter(|(_, next)| *next <= 10).collect()
    }

    fn broken(&self, state: &u8) -> Option<String> {
        (*state == 7).then(|| "seven".into())
    }
}

#[test]
fn the_shortest_trace_is_found() {
    let Outcome::Broken { what, trace, .. } = explore(&Counting, 100) else {
        panic!("seven can be reached");
    };
    assert_eq!((what.as_str(), trace.len()), ("seven", 3));
}

#[test]
#[should_panic(expected = "more than 3 states")]
fn an_exploration_that_is_not_complete_proves_nothing() {
    explore(&Counting, 3);
}

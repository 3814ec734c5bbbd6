//! A dumb judge to compare the clever one with, and histories from a seed.

#![allow(dead_code, reason = "each test uses its part of this module")]

pub(crate) mod generator;
pub(crate) mod models;

use archipel_check::{Answer, Call, End, Event, EventKind, History, Operation, Process};

/// Sixty-four bits of chance (SplitMix64); `check` depends on nothing, so the generator is here.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

pub(crate) fn push(history: &mut History, process: u64, kind: EventKind) {
    let time_ns = history.events().len() as u64;
    history
        .push(Event { time_ns, process: Process(process), kind })
        .expect("the generator makes well-formed histories");
}

pub(crate) fn invoke(history: &mut History, process: u64, call: &Call) {
    push(history, process, EventKind::Invoke { key: b"k".to_vec(), call: call.clone() });
}

/// Every order in which `count` operations can begin and end, operation 0 beginning first, and so on.
pub(crate) fn all_orders(count: usize) -> Vec<Vec<usize>> {
    fn extend(begun: usize, open: &[usize], order: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
        let count = order.capacity() / 2;
        if begun == count && open.is_empty() {
            all.push(order.clone());
            return;
        }
        if begun < count {
            order.push(begun);
            let open: Vec<usize> = open.iter().copied().chain([begun]).collect();
            extend(begun + 1, &open, order, all);
            order.pop();
        }
        for ends in open {
            order.push(*ends);
            let open: Vec<usize> = open.iter().copied().filter(|other| other != ends).collect();
            extend(begun, &open, order, all);
            order.pop();
        }
    }
    let mut all = Vec::new();
    extend(0, &[], &mut Vec::with_capacity(count * 2), &mut all);
    all
}

/// What `call` does to `state`, and what it is answered.
pub(crate) fn perform(state: &mut Option<Vec<u8>>, call: &Call) -> Answer {
    match call {
        Call::Read => Answer::Found(state.clone()),
        Call::Write(value) => {
            *state = Some(value.clone());
            Answer::Written
        }
        Call::CompareAndSet { expected, new } => {
            if state == expected {
                *state = Some(new.clone());
                Answer::Written
            } else {
                Answer::Mismatch
            }
        }
        Call::Delete => Answer::Deleted(state.take().is_some()),
    }
}

/// Tries every order of every subset: true if one explains all answers. For one key.
pub(crate) fn is_linearizable(history: &History) -> bool {
    let operations: Vec<Operation> = history
        .operations()
        .iter()
        .filter(|operation| !matches!(operation.end, End::Failed(_)))
        .cloned()
        .collect();
    try_all(&operations, &mut vec![false; operations.len()], &None)
}

fn try_all(operations: &[Operation], done: &mut Vec<bool>, state: &Option<Vec<u8>>) -> bool {
    let first_return = operations
        .iter()
        .zip(done.iter())
        .filter(|(_, done)| !**done)
        .filter_map(|(operation, _)| match operation.end {
            End::Ok(at, _) => Some(at),
            _ => None,
        })
        .min();
    let Some(first_return) = first_return else {
        return true;
    };
    for number in 0..operations.len() {
        if done[number] || operations[number].invoked > first_return {
            continue;
        }
        let mut after = state.clone();
        let answer = perform(&mut after, &operations[number].call);
        let fits = match &operations[number].end {
            End::Ok(_, told) => *told == answer,
            _ => true,
        };
        if fits {
            done[number] = true;
            if try_all(operations, done, &after) {
                return true;
            }
            done[number] = false;
        }
    }
    false
}

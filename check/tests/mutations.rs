//! Valid histories pass, the same histories with one wrong answer do not, and a limit is no crash.

mod support;

use archipel_check::{
    Answer, Call, End, Event, EventKind, History, Limits, Process, Verdict, judge,
};
use support::{Chance, is_linearizable, perform};

/// What a simulated client is doing.
enum Doing {
    Nothing,
    Asked(Call),
    Done(Answer),
}

struct Shape {
    clients: usize,
    keys: usize,
    operations: usize,
    /// One in so many operations has an unknown outcome.
    unknown_one_in: usize,
}

/// A history that a correct store made: each operation takes effect between its two events, or, if
/// its outcome is unknown, perhaps much later.
fn valid(seed: u64, shape: &Shape) -> History {
    let mut chance = Chance(seed);
    let mut history = History::default();
    let mut store: Vec<Option<Vec<u8>>> = vec![None; shape.keys];
    let mut clients: Vec<(u64, usize, Doing)> =
        (0..shape.clients).map(|number| (number as u64, 0, Doing::Nothing)).collect();
    let mut late: Vec<(usize, Call)> = Vec::new();
    let mut next_process = shape.clients as u64;
    let mut written = 0_u64;
    while history.operations().len() < shape.operations {
        if !late.is_empty() && chance.one_in(20) {
            let (key, call) = late.swap_remove(chance.below(late.len()));
            perform(&mut store[key], &call);
        }
        let client = chance.below(clients.len());
        let (process, key, doing) = &mut clients[client];
        let kind = match core::mem::replace(doing, Doing::Nothing) {
            Doing::Nothing => {
                *key = chance.below(shape.keys);
                written += 1;
                let call = match chance.below(6) {
                    0 | 1 => Call::Read,
                    2 | 3 => Call::Write(written.to_string().into_bytes()),
                    4 => {
                        let expected = store[*key].clone();
                        Call::CompareAndSet { expected, new: written.to_string().into_bytes() }
                    }
                    _ => Call::Delete,
                };
                *doing = Doing::Asked(call.clone());
                EventKind::Invoke { key: vec![*key as u8], call }
            }
            Doing::Asked(call) if chance.one_in(shape.unknown_one_in) => {
                late.push((*key, call));
                EventKind::Info
            }
            Doing::Asked(call) => {
                *doing = Doing::Done(perform(&mut store[*key], &call));
                continue;
            }
            Doing::Done(answer) => EventKind::Ok(answer),
        };
        support::push(&mut history, *process, kind.clone());
        if kind == EventKind::Info {
            *process = next_process;
            next_process += 1;
        }
    }
    history
}

/// The same history with one answer changed.
fn mutated(history: &History, chance: &mut Chance) -> History {
    let answered: Vec<usize> = history
        .operations()
        .iter()
        .filter_map(|operation| match &operation.end {
            End::Ok(at, Answer::Found(_) | Answer::Mismatch | Answer::Deleted(_)) => Some(*at),
            _ => None,
        })
        .collect();
    let target = answered[chance.below(answered.len())];
    let wrong = |answer: &Answer| match answer {
        Answer::Found(_) => Answer::Found(Some(b"never written".to_vec())),
        Answer::Mismatch => Answer::Written,
        Answer::Deleted(was_there) => Answer::Deleted(!was_there),
        Answer::Written => Answer::Mismatch,
    };
    let mut mutant = History::default();
    for (at, event) in history.events().iter().enumerate() {
        let mut event = event.clone();
        if let (true, EventKind::Ok(answer)) = (at == target, &event.kind) {
            event.kind = EventKind::Ok(wrong(answer));
        }
        mutant.push(event).expect("a mutant is as well formed as its original");
    }
    mutant
}

#[test]
fn valid_histories_pass_and_a_wrong_answer_is_found() {
    let shape = Shape { clients: 4, keys: 2, operations: 60, unknown_one_in: 12 };
    let mut caught = 0;
    for seed in 0..400 {
        let history = valid(seed, &shape);
        assert_eq!(judge(&history, Limits::default()), Verdict::Linearizable, "seed {seed}");
        let mutant = mutated(&history, &mut Chance(seed));
        if let Verdict::Broken(witness) = judge(&mutant, Limits::default()) {
            caught += 1;
            assert!(matches!(witness.stuck.end, End::Ok(..)), "only what ended must be explained");
        }
    }
    // The opposite of the truth can be right where others run beside it.
    assert!(caught > 300, "{caught} of 400 mutants were caught");
}

#[test]
fn on_short_histories_the_mutants_are_judged_as_by_brute_force() {
    let shape = Shape { clients: 3, keys: 1, operations: 8, unknown_one_in: 5 };
    for seed in 0..3_000 {
        let history = valid(seed, &shape);
        let mut chance = Chance(seed);
        let has_answer = history.operations().iter().any(|operation| {
            matches!(operation.end, End::Ok(_, ref answer) if *answer != Answer::Written)
        });
        if has_answer {
            let mutant = mutated(&history, &mut chance);
            let broken = matches!(judge(&mutant, Limits::default()), Verdict::Broken(_));
            assert_eq!(broken, !is_linearizable(&mutant), "seed {seed}");
        }
    }
}

#[test]
fn the_witness_is_the_longest_prefix_and_what_does_not_fit() {
    let mut history = History::default();
    let mut at = |process, kind| {
        history.push(Event { time_ns: 0, process: Process(process), kind }).expect("well formed");
    };
    let invoke = |call| EventKind::Invoke { key: b"k".to_vec(), call };
    at(1, invoke(Call::Write(b"1".to_vec())));
    at(1, EventKind::Ok(Answer::Written));
    at(2, invoke(Call::Read));
    at(2, EventKind::Ok(Answer::Found(None)));
    let Verdict::Broken(witness) = judge(&history, Limits::default()) else {
        panic!("a read after the write must see it");
    };
    assert_eq!(witness.prefix, history.operations()[..1]);
    assert_eq!(witness.stuck, history.operations()[1]);
    assert_eq!(
        witness.to_string(),
        "  process 1 at event 0: k write 1, at event 1: written\n\
         this one fits nowhere:\n  process 2 at event 2: k read, at event 3: found nothing"
    );
}

#[test]
fn beyond_its_limits_the_search_says_that_it_does_not_know() {
    let shape = Shape { clients: 20, keys: 1, operations: 400, unknown_one_in: 5 };
    let history = mutated(&valid(1, &shape), &mut Chance(2));
    let few_steps = Limits { steps_max: 100, ..Limits::default() };
    assert_eq!(judge(&history, few_steps), Verdict::Unknown);
    let little_memory = Limits { memory_bytes_max: 10_000, ..Limits::default() };
    assert_eq!(judge(&history, little_memory), Verdict::Unknown);
}

#[test]
fn long_histories_over_many_keys_and_many_clients_on_one_key_are_judged() {
    let long = Shape { clients: 16, keys: 200, operations: 100_000, unknown_one_in: 1_000 };
    assert_eq!(judge(&valid(5, &long), Limits::default()), Verdict::Linearizable);
    let crowded = Shape { clients: 50, keys: 1, operations: 3_000, unknown_one_in: 1_000 };
    assert_eq!(judge(&valid(6, &crowded), Limits::default()), Verdict::Linearizable);
}

/// Fifty clients at once could be put in fifty factorial orders; a wrong answer must not try them.
#[test]
fn a_wrong_answer_among_many_clients_on_one_key_is_found_and_proven() {
    let crowded = Shape { clients: 50, keys: 1, operations: 3_000, unknown_one_in: 300 };
    let mut caught = 0;
    for seed in 0..24 {
        let mutant = mutated(&valid(seed, &crowded), &mut Chance(seed));
        match judge(&mutant, Limits::default()) {
            Verdict::Linearizable => {}
            Verdict::Broken(witness) => {
                caught += 1;
                assert!(witness.is_longest, "seed {seed}");
            }
            Verdict::Unknown => panic!("seed {seed} is within the limits"),
        }
    }
    assert!(caught > 6, "{caught} of 24 mutants were caught");
}

//! Long and crowded histories are judged within a bound on the work, which no loaded machine changes.
//!
//! `cargo test --release -p archipel-check --test speed -- --ignored --nocapture` prints how long it takes.

mod support;

use std::time::Instant;

use archipel_check::{Consistency, Finding, History, Ladder, Limits, Verdict, judge};
use support::{
    Chance,
    generator::{Shape, mutated, valid},
};

const LONG: Shape =
    Shape { clients: 50, keys: 1_000, operations: 100_000, unknown_one_in: 1_000, values: 0 };

/// Fifty clients on a single key: at any moment, fifty factorial orders.
const CROWDED: Shape =
    Shape { clients: 50, keys: 1, operations: 10_000, unknown_one_in: 1_000, values: 0 };

/// As many steps as there are operations, so many times.
fn steps_for_each(shape: &Shape, times: u64) -> Limits {
    Limits { steps_max: shape.operations as u64 * times, ..Limits::default() }
}

#[test]
fn a_long_history_over_many_keys_takes_few_steps() {
    let limits = steps_for_each(&LONG, 2);
    assert_eq!(judge(&valid(5, &LONG), limits), Verdict::Linearizable);
}

#[test]
fn values_that_repeat_over_many_keys_take_few_steps() {
    for values in [3, 30] {
        let shape = Shape { unknown_one_in: 20, values, ..LONG };
        assert_eq!(judge(&valid(6, &shape), steps_for_each(&shape, 2)), Verdict::Linearizable);
    }
}

#[test]
fn a_crowd_on_one_key_takes_few_steps_where_values_are_unique() {
    for unknown_one_in in [10, 20, 1_000] {
        let shape = Shape { unknown_one_in, ..CROWDED };
        for seed in 0..4 {
            let history = valid(seed, &shape);
            assert_eq!(judge(&history, steps_for_each(&shape, 40)), Verdict::Linearizable);
        }
    }
}

#[test]
fn a_crowd_that_writes_few_values_takes_few_steps() {
    for (values, unknown_one_in) in [(5, 10), (5, 20), (2, 1_000), (20, 10)] {
        let shape = Shape { unknown_one_in, values, ..CROWDED };
        for seed in 0..3 {
            let history = valid(seed, &shape);
            let verdict = judge(&history, steps_for_each(&shape, 400));
            assert_eq!(verdict, Verdict::Linearizable, "{values} values, seed {seed}");
        }
    }
}

/// A wrong answer must not try all orders of those that are right.
#[test]
fn a_wrong_answer_in_a_crowd_is_found_and_proven() {
    let shape = Shape { operations: 3_000, unknown_one_in: 20, ..CROWDED };
    let mut caught = 0;
    for seed in 0..24 {
        let mutant = mutated(&valid(seed, &shape), &mut Chance(seed));
        match judge(&mutant, steps_for_each(&shape, 1_000)) {
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

fn finding(history: &History) -> String {
    let started = Instant::now();
    let verdict = match judge(history, Limits::default()) {
        Verdict::Linearizable => "linearizable",
        Verdict::Broken(_) => "broken",
        Verdict::Unknown => "unknown",
    };
    let judged = started.elapsed();
    let ladder = Ladder::judge(history, Limits::default());
    let is_known = |model: &Consistency| !matches!(ladder.finding(*model), Finding::Unknown(_));
    let known = Consistency::ALL.iter().filter(|model| is_known(model)).count();
    let all = started.elapsed();
    format!("{verdict} in {judged:.2?}, with the ladder {all:.2?} ({known} of 6 models decided)")
}

#[test]
#[ignore = "it prints how long things take"]
fn report() {
    let long = Shape { unknown_one_in: 20, ..LONG };
    let crowded = Shape { unknown_one_in: 20, ..CROWDED };
    let shapes = [
        ("1,000 keys, values unique", long),
        ("1,000 keys, 5 values", Shape { values: 5, ..long }),
        ("1 key, values unique", crowded),
        ("1 key, values unique", Shape { operations: 100_000, ..crowded }),
        ("1 key, 5 values", Shape { values: 5, ..crowded }),
        ("1 key, 5 values", Shape { values: 5, operations: 100_000, ..crowded }),
        ("1 key, 20 values", Shape { values: 20, ..crowded }),
        ("1 key, 100 values", Shape { values: 100, ..crowded }),
    ];
    for (name, shape) in shapes {
        println!("50 clients, {name}, {} operations, 1 in 20 unknown:", shape.operations);
        for seed in 0..2 {
            let history = valid(seed, &shape);
            println!("  valid:  {}", finding(&history));
            println!("  mutant: {}", finding(&mutated(&history, &mut Chance(seed))));
        }
    }
}

//! Valid histories pass, the same histories with one wrong answer do not, and a limit is no crash.

mod support;

use archipel_check::{
    Answer, Call, Consistency::Linearizable, End, Event, EventKind, Finding, History, Ladder,
    Limit, Limits, Process, Reason, Verdict, judge,
};
use support::{
    Chance,
    generator::{Shape, mutated, valid},
    is_linearizable,
};

#[test]
fn valid_histories_pass_and_a_wrong_answer_is_found() {
    let shape = Shape { clients: 4, keys: 2, operations: 60, unknown_one_in: 12, values: 0 };
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
    let mut broken = 0;
    for seed in 0..6_000 {
        let shape = Shape {
            clients: 3,
            keys: 1,
            operations: 8 + seed as usize % 3,
            unknown_one_in: 3 + seed as usize % 4,
            values: seed as usize % 5,
        };
        let history = valid(seed, &shape);
        assert_eq!(judge(&history, Limits::default()), Verdict::Linearizable, "seed {seed}");
        let has_answer = history.operations().iter().any(|operation| {
            matches!(operation.end, End::Ok(_, ref answer) if *answer != Answer::Written)
        });
        if has_answer {
            let mutant = mutated(&history, &mut Chance(seed));
            let is_broken = matches!(judge(&mutant, Limits::default()), Verdict::Broken(_));
            assert_eq!(is_broken, !is_linearizable(&mutant), "seed {seed}");
            broken += u32::from(is_broken);
        }
    }
    assert!((1_000..5_000).contains(&broken), "{broken} mutants were broken");
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
    // Fifty clients write the same hundred values, and one answer is wrong: far too many orders to try.
    let crowded =
        Shape { clients: 50, keys: 1, operations: 3_000, unknown_one_in: 1_000, values: 100 };
    let history = mutated(&valid(1, &crowded), &mut Chance(1));
    let few_steps = Limits { steps_max: 100, ..Limits::default() };
    assert_eq!(judge(&history, few_steps), Verdict::Unknown);
    let little_memory = Limits { memory_bytes_max: 10_000, ..Limits::default() };
    assert_eq!(judge(&history, little_memory), Verdict::Unknown);
    let reason = |limits| match Ladder::judge(&history, limits).finding(Linearizable) {
        Finding::Unknown(Reason::Limit(limit)) => *limit,
        other => panic!("{other:?} within {limits:?}"),
    };
    assert_eq!(reason(few_steps), Limit::Steps);
    assert_eq!(reason(little_memory), Limit::Memory);
}

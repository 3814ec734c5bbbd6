//! The search agrees with a brute-force judge on all small histories.

mod support;

use archipel_check::{
    Answer, Call, End, Event, EventKind, History, Limits, Verdict, Witness, judge,
};
use support::{Chance, all_orders, invoke, is_linearizable, perform, push};

/// A call, and how it may end.
type Choice = (Call, EventKind);

fn value(number: u8) -> Vec<u8> {
    vec![b'0' + number]
}

/// Everything that can be asked and answered with two values.
fn all_choices() -> Vec<Choice> {
    let ok = EventKind::Ok;
    let mut choices = Vec::new();
    for state in [None, Some(value(1)), Some(value(2))] {
        choices.push((Call::Read, ok(Answer::Found(state))));
    }
    for number in [1, 2] {
        for end in [ok(Answer::Written), EventKind::Info] {
            choices.push((Call::Write(value(number)), end));
        }
    }
    for (expected, new) in [(None, 2), (Some(value(1)), 2), (Some(value(2)), 2)] {
        let call = Call::CompareAndSet { expected, new: value(new) };
        for end in [ok(Answer::Written), ok(Answer::Mismatch), EventKind::Info] {
            choices.push((call.clone(), end));
        }
    }
    for end in [ok(Answer::Deleted(false)), ok(Answer::Deleted(true)), EventKind::Info] {
        choices.push((Call::Delete, end));
    }
    choices.push((Call::Read, EventKind::Info));
    choices.push((Call::Write(value(2)), EventKind::Fail));
    choices
}

fn history(order: &[usize], choices: &[&Choice]) -> History {
    let mut history = History::default();
    let mut begun = vec![false; choices.len()];
    for operation in order {
        let (call, end) = choices[*operation];
        if begun[*operation] {
            push(&mut history, *operation as u64, end.clone());
        } else {
            begun[*operation] = true;
            invoke(&mut history, *operation as u64, call);
        }
    }
    history
}

fn agree(history: &History) -> bool {
    let expected = is_linearizable(history);
    let verdict = judge(history, Limits::default());
    assert_eq!(
        matches!(verdict, Verdict::Linearizable),
        expected,
        "{verdict:?} for {:#?}",
        history.operations()
    );
    if let Verdict::Broken(witness) = verdict {
        check_witness(history, &witness);
    }
    expected
}

/// All before the answer that fits nowhere can be explained, and with it nothing can.
fn check_witness(history: &History, witness: &Witness) {
    let End::Ok(answered, _) = witness.stuck.end else {
        panic!("only an answer can be wrong");
    };
    assert!(witness.is_longest, "small histories are within all limits");
    for (length, expected) in [(answered, true), (answered + 1, false)] {
        let mut beginning = History::default();
        // What failed is known not to have happened, even before that was told. Here, each process asks
        // one thing.
        let failed = |event: &&Event| {
            let operations = history.operations().iter();
            operations
                .filter(|one| one.process == event.process)
                .any(|one| matches!(one.end, End::Failed(_)))
        };
        for event in history.events()[..length].iter().filter(|event| !failed(event)) {
            beginning.push(event.clone()).expect("a beginning is well formed");
        }
        assert_eq!(is_linearizable(&beginning), expected, "{witness}");
    }
    let mut state = None;
    for operation in &witness.prefix {
        let told = perform(&mut state, &operation.call);
        if let End::Ok(at, answer) = &operation.end
            && *at < answered
        {
            assert_eq!(told, *answer, "the order explains the answers: {witness}");
        }
    }
}

#[test]
fn the_search_agrees_with_brute_force_on_all_histories_of_up_to_three_operations() {
    let choices = all_choices();
    let mut good = 0_u32;
    let mut bad = 0_u32;
    for order in (1..=2).flat_map(all_orders).chain(all_orders(3)) {
        let count = order.len() / 2;
        for number in 0..choices.len().pow(count as u32) {
            let chosen: Vec<&Choice> = (0..count)
                .map(|place| &choices[number / choices.len().pow(place as u32) % choices.len()])
                .collect();
            match agree(&history(&order, &chosen)) {
                true => good += 1,
                false => bad += 1,
            }
        }
    }
    assert!(good > 10_000 && bad > 10_000, "{good} good and {bad} bad histories were tried");
}

#[test]
fn the_search_agrees_with_brute_force_on_histories_of_four_to_seven_operations() {
    let choices = all_choices();
    let mut chance = Chance(4);
    let mut good = 0_u32;
    for round in 0..60_000 {
        let count = 4 + round % 4;
        let mut order: Vec<usize> = (0..count).flat_map(|operation| [operation; 2]).collect();
        for place in (1..order.len()).rev() {
            order.swap(place, chance.below(place + 1));
        }
        let chosen: Vec<&Choice> =
            (0..count).map(|_| &choices[chance.below(choices.len())]).collect();
        good += u32::from(agree(&history(&order, &chosen)));
    }
    assert!(good > 1_000, "{good} good histories were tried");
}

/// With little that is certain, what is found depends on who of unknown outcome can still help.
#[test]
fn the_search_agrees_with_brute_force_where_most_outcomes_are_unknown() {
    let mut chance = Chance(2);
    let ok = EventKind::Ok;
    let mut good = 0_u32;
    let rounds = 5_000;
    for round in 0..rounds {
        let values = 2 + round % 2;
        let any = |chance: &mut Chance| value(1 + chance.below(values) as u8);
        let mut chosen: Vec<Choice> = Vec::new();
        for _ in 0..3 + chance.below(3) {
            let new = any(&mut chance);
            let expected = (!chance.one_in(3)).then(|| any(&mut chance));
            chosen.push(match chance.below(5) {
                0 => (Call::Delete, EventKind::Info),
                1 | 2 => (Call::Write(new), EventKind::Info),
                _ => (Call::CompareAndSet { expected, new }, EventKind::Info),
            });
        }
        for _ in 0..3 + chance.below(3) {
            let found = (!chance.one_in(4)).then(|| any(&mut chance));
            chosen.push(match chance.below(6) {
                0 => (Call::Write(any(&mut chance)), ok(Answer::Written)),
                1 => (Call::Delete, ok(Answer::Deleted(chance.one_in(2)))),
                2 => {
                    let call = Call::CompareAndSet { expected: found, new: any(&mut chance) };
                    (call, ok(Answer::Written))
                }
                _ => (Call::Read, ok(Answer::Found(found))),
            });
        }
        // Most of those of unknown outcome begin early.
        let mut order: Vec<usize> = (0..chosen.len()).collect();
        for place in (1..order.len()).rev() {
            if chance.one_in(2) {
                order.swap(place, chance.below(place + 1));
            }
        }
        let mut events: Vec<usize> = Vec::new();
        for operation in order {
            let at = events.len() - chance.below(events.len().min(3) + 1);
            events.insert(at, operation);
            let at = at + 1 + chance.below(events.len() - at);
            events.insert(at, operation);
        }
        good += u32::from(agree(&history(&events, &chosen.iter().collect::<Vec<&Choice>>())));
    }
    assert!((500..rounds as u32 - 500).contains(&good), "{good} good histories were tried");
}

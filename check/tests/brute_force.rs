//! The search agrees with a brute-force judge on all small histories.

mod support;

use archipel_check::{Answer, Call, End, EventKind, History, Limits, Verdict, Witness, judge};
use support::{invoke, is_linearizable, perform, push};

/// A call, and how it may end; no answer is an unknown outcome.
type Choice = (Call, Option<Answer>);

fn value(number: u8) -> Vec<u8> {
    vec![b'0' + number]
}

/// Everything that can be asked and answered with two values.
fn all_choices() -> Vec<Choice> {
    let states = [None, Some(value(1)), Some(value(2))];
    let mut choices = Vec::new();
    for state in &states {
        choices.push((Call::Read, Some(Answer::Found(state.clone()))));
    }
    for number in [1, 2] {
        choices.push((Call::Write(value(number)), Some(Answer::Written)));
        choices.push((Call::Write(value(number)), None));
    }
    for expected in [None, Some(value(1))] {
        let call = Call::CompareAndSet { expected: expected.clone(), new: value(2) };
        choices.push((call.clone(), Some(Answer::Written)));
        choices.push((call.clone(), None));
        choices.push((call, Some(Answer::Mismatch)));
    }
    for was_there in [Some(false), Some(true), None] {
        choices.push((Call::Delete, was_there.map(Answer::Deleted)));
    }
    choices
}

/// Every order in which `count` operations can begin and end, operation 0 beginning first, and so on.
fn all_orders(count: usize) -> Vec<Vec<usize>> {
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

fn history(order: &[usize], choices: &[&Choice]) -> History {
    let mut history = History::default();
    let mut begun = vec![false; choices.len()];
    for operation in order {
        let (call, answer) = choices[*operation];
        if begun[*operation] {
            let end = answer.clone().map_or(EventKind::Info, EventKind::Ok);
            push(&mut history, *operation as u64, end);
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
        for event in &history.events()[..length] {
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
    let mut chance = support::Chance(4);
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

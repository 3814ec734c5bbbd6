//! Histories made to take all time, memory or stack: each gets a finding, or a reason why there is none.

mod support;

use archipel_check::{
    Answer, Call, Consistency, EventKind, Finding, History, Ladder, Limits, Reason,
};
use support::{Chance, invoke, push};

fn text(number: usize) -> Vec<u8> {
    number.to_string().into_bytes()
}

fn done(history: &mut History, process: u64, call: &Call, answer: Answer) {
    invoke(history, process, call);
    push(history, process, EventKind::Ok(answer));
}

fn read(history: &mut History, process: u64, found: Option<usize>) {
    done(history, process, &Call::Read, Answer::Found(found.map(text)));
}

/// What each model is found to be: `+`, `-`, or `?` with a reason that is a limit or an ambiguity.
fn findings(history: &History) -> String {
    let ladder = Ladder::judge(history, Limits { steps_max: 500_000, memory_bytes_max: 64 << 20 });
    let mark = |model| match ladder.finding(model) {
        Finding::Holds => '+',
        Finding::Broken(_) => '-',
        Finding::Unknown(Reason::Limit(_) | Reason::TooLong { .. } | Reason::Ambiguous { .. }) => {
            '?'
        }
    };
    Consistency::ALL.into_iter().map(mark).collect()
}

/// Many compare-and-sets at once, all of unknown outcome: a graph of values to walk through.
fn tangle(operations: usize) -> History {
    let mut history = History::default();
    let mut chance = Chance(1);
    for process in 0..operations as u64 {
        let expected = (!chance.one_in(7)).then(|| text(chance.below(60)));
        let new = text(chance.below(60));
        invoke(&mut history, process, &Call::CompareAndSet { expected, new });
    }
    for process in 0..operations as u64 {
        push(&mut history, process, EventKind::Info);
    }
    for _ in 0..200 {
        read(&mut history, 99_999, Some(chance.below(60)));
    }
    history
}

#[test]
fn thousands_of_compare_and_sets_of_unknown_outcome_explain_what_they_can() {
    let mut history = tangle(2_500);
    assert_eq!(findings(&history), "++++++");
    read(&mut history, 99_999, Some(61));
    assert_eq!(findings(&history).chars().next(), Some('-'));
}

#[test]
fn a_chain_of_unknown_compare_and_sets_is_followed_to_its_end() {
    let mut history = History::default();
    for number in 0..700 {
        let expected = (number > 0).then(|| text(number));
        invoke(
            &mut history,
            number as u64,
            &Call::CompareAndSet { expected, new: text(number + 1) },
        );
    }
    read(&mut history, 99_999, Some(700));
    assert_eq!(findings(&history).chars().next(), Some('+'));
    read(&mut history, 99_999, Some(699));
    assert_eq!(findings(&history).chars().next(), Some('-'));
}

#[test]
fn thousands_of_reads_at_once_are_judged() {
    for found in [1, 2] {
        let mut history = History::default();
        done(&mut history, 0, &Call::Write(text(1)), Answer::Written);
        invoke(&mut history, 0, &Call::Write(text(2)));
        for process in 1..2_000 {
            invoke(&mut history, process, &Call::Read);
        }
        for process in 1..2_000 {
            push(&mut history, process, EventKind::Ok(Answer::Found(Some(text(2)))));
        }
        read(&mut history, 1, Some(found));
        push(&mut history, 0, EventKind::Ok(Answer::Written));
        let expected = if found == 2 { '+' } else { '-' };
        assert_eq!(findings(&history).chars().next(), Some(expected));
    }
}

#[test]
fn thousands_who_make_the_same_value_are_all_part_of_the_witness() {
    let mut history = History::default();
    for process in 0..1_000 {
        done(&mut history, process, &Call::Write(text(1)), Answer::Written);
    }
    done(&mut history, 1, &Call::Write(text(2)), Answer::Written);
    read(&mut history, 2, Some(1));
    assert_eq!(findings(&history), "-????+");
}

#[test]
fn thousands_of_processes_are_too_many_for_some_models_only() {
    let mut history = History::default();
    for process in 0..3_000 {
        done(&mut history, process, &Call::Write(text(process as usize)), Answer::Written);
        read(&mut history, 10_000 + process, Some(process as usize));
    }
    read(&mut history, 1, Some(0));
    assert_eq!(findings(&history), "-??++-");
}

/// Two hundred writes at once, of which reads demand an order, and at the end one too many.
#[test]
fn what_cannot_be_decided_has_a_reason() {
    let mut history = History::default();
    for process in 0..200 {
        invoke(&mut history, process, &Call::Write(text(process as usize % 50)));
    }
    for number in 0..200 {
        read(&mut history, 999, Some(number % 50));
    }
    read(&mut history, 999, Some(0));
    for process in 0..200 {
        push(&mut history, process, EventKind::Ok(Answer::Written));
    }
    assert_eq!(findings(&history).chars().next(), Some('?'));
}

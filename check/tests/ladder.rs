//! Every model agrees with its definition on all small histories, and witnesses are what they say.

mod support;

use archipel_check::{
    Answer, Call,
    Consistency::{self, Eventual, Linearizable, Sequential},
    Event, EventKind, Evidence, Finding, History, Ladder, Limits, Process, Reason,
};
use support::{
    Chance,
    models::{is_closed, keeps, part},
    perform, push,
};

fn invoke(history: &mut History, process: u64, key: u8, call: Call) {
    push(history, process, EventKind::Invoke { key: vec![key], call });
}

fn value(number: usize) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// Judges by both; tells for each model whether it holds.
fn agree(history: &History) -> Vec<bool> {
    let ladder = Ladder::judge(history, Limits::default());
    let verdicts: Vec<bool> = Consistency::ALL
        .into_iter()
        .map(|model| {
            let holds = match ladder.finding(model) {
                Finding::Holds => true,
                Finding::Broken(evidence) => {
                    check_evidence(history, model, evidence);
                    false
                }
                Finding::Unknown(reason) => panic!("{}: {reason}", model.name()),
            };
            let expected = keeps(history, model);
            assert_eq!(holds, expected, "{}: {:#?}", model.name(), history.operations());
            holds
        })
        .collect();
    for (one, holds) in Consistency::ALL.into_iter().zip(&verdicts) {
        for (other, other_holds) in Consistency::ALL.into_iter().zip(&verdicts) {
            assert!(!holds || !one.implies(other) || *other_holds, "{one:?} implies {other:?}");
        }
    }
    verdicts
}

/// What is named breaks the model on its own and, where that is claimed, nothing shorter does.
fn check_evidence(history: &History, model: Consistency, evidence: &Evidence) {
    let alone = part(history, &evidence.places);
    assert!(!keeps(&alone, model), "{}: {evidence:?} of {:#?}", model.name(), history.operations());
    if !evidence.is_shortest || model == Eventual {
        return;
    }
    let operations = history.operations();
    for subset in 1_usize..1 << operations.len() {
        let places: Vec<usize> =
            (0..operations.len()).filter(|place| subset >> place & 1 == 1).collect();
        if places.len() < evidence.places.len() && is_closed(operations, &places) {
            let is_kept = keeps(&part(history, &places), model);
            assert!(is_kept, "{}: {places:?} is shorter than {evidence:?}", model.name());
        }
    }
}

/// Every history of `count` operations one after the other, of two processes on two keys, in which
/// each operation writes a value of its own or reads what some operation wrote, or nothing.
fn all_histories(count: usize, mut each: impl FnMut(&History)) {
    let kinds = count + 1;
    let choices = 4 * kinds;
    for number in 0..choices.pow(count as u32) / 2 {
        let mut history = History::default();
        let chosen = |place: usize| number / choices.pow(place as u32) % choices;
        for place in 0..count {
            // The last operation is of process 0 by the bound above: names do not matter.
            let (kind, rest) = (chosen(place) % kinds, chosen(place) / kinds);
            let (key, process) = ((rest % 2) as u8, (rest / 2) as u64);
            let (call, answer) = match kind {
                _ if kind == place => (Call::Write(value(place)), Answer::Written),
                _ if kind == count => (Call::Read, Answer::Found(None)),
                _ => (Call::Read, Answer::Found(Some(value(kind)))),
            };
            invoke(&mut history, process, key, call);
            push(&mut history, process, EventKind::Ok(answer));
        }
        each(&history);
    }
}

#[test]
fn every_model_agrees_with_its_definition_on_all_histories_of_up_to_three_operations() {
    let mut tried = 0_u32;
    for count in 1..=3 {
        all_histories(count, |history| {
            agree(history);
            tried += 1;
        });
    }
    assert!(tried > 2_000, "{tried} histories were tried");
}

/// Four operations, every third.
#[test]
fn every_model_agrees_with_its_definition_on_many_histories_of_four_operations() {
    let mut number = 0_u32;
    all_histories(4, |history| {
        number += 1;
        if number.is_multiple_of(3) {
            agree(history);
        }
    });
}

/// Judges by both, where values may have several makers: then the models that need to know who made what
/// may be undecided. Gives how many of those are.
fn agree_as_far_as_told(history: &History) -> usize {
    let ladder = Ladder::judge(history, Limits::default());
    let is_told = |model: &Consistency| {
        let undecided = match ladder.finding(*model) {
            Finding::Holds => return keep_or_panic(history, *model, true),
            Finding::Broken(_) => return keep_or_panic(history, *model, false),
            Finding::Unknown(reason) => reason,
        };
        let is_exempt = ![Linearizable, Sequential, Eventual].contains(model);
        assert!(
            is_exempt && matches!(undecided, Reason::Ambiguous { .. }),
            "{model:?}: {undecided}"
        );
        false
    };
    Consistency::ALL.iter().filter(|model| !is_told(model)).count()
}

fn keep_or_panic(history: &History, model: Consistency, holds: bool) -> bool {
    let is_exact = matches!(model, Linearizable | Sequential | Eventual) || is_unique(history);
    let expected = if is_exact { keeps(history, model) } else { holds };
    assert_eq!(holds, expected, "{model:?}: {:#?}", history.operations());
    true
}

/// True if no value has two makers, and nothing is not deleted: then everybody can tell who made what.
fn is_unique(history: &History) -> bool {
    let made: Vec<&Call> = history.operations().iter().map(|one| &one.call).collect();
    let value = |call: &Call| match call {
        Call::Write(value) | Call::CompareAndSet { new: value, .. } => Some(value.clone()),
        Call::Read | Call::Delete => None,
    };
    let mut values: Vec<Vec<u8>> = made.iter().filter_map(|call| value(call)).collect();
    let count = values.len();
    values.sort_unstable();
    values.dedup();
    values.len() == count && !made.contains(&&Call::Delete)
}

/// What operation `place` may ask and be told: writes, compare-and-sets, deletes and reads, done, refused
/// and of unknown outcome, with the values of operations 0 and 1 and its own.
fn all_choices(place: usize) -> Vec<(Call, EventKind)> {
    let ok = EventKind::Ok;
    let swap = |expected: Option<Vec<u8>>| Call::CompareAndSet { expected, new: value(place) };
    vec![
        (Call::Read, ok(Answer::Found(None))),
        (Call::Read, ok(Answer::Found(Some(value(0))))),
        (Call::Read, ok(Answer::Found(Some(value(1))))),
        (Call::Write(value(place)), ok(Answer::Written)),
        (Call::Write(value(place)), EventKind::Info),
        (Call::Write(value(place)), EventKind::Fail),
        (Call::Write(value(0)), ok(Answer::Written)),
        (swap(None), ok(Answer::Written)),
        (swap(Some(value(0))), ok(Answer::Written)),
        (swap(Some(value(0))), ok(Answer::Mismatch)),
        (swap(Some(value(0))), EventKind::Info),
        (Call::Delete, ok(Answer::Deleted(true))),
        (Call::Delete, ok(Answer::Deleted(false))),
        (Call::Delete, EventKind::Info),
    ]
}

/// Every history of `count` operations with these choices, on one of `keys` keys each, of two processes,
/// at the same time or one after the other.
fn all_mixed_histories(count: usize, keys: usize, mut each: impl FnMut(&History)) {
    let kinds = all_choices(0).len();
    let choices = kinds * keys * 2;
    for order in support::all_orders(count) {
        for number in 0..choices.pow(count as u32) / 2 {
            let chosen = |place: usize| {
                let choice = number / choices.pow(place as u32) % choices;
                (choice % kinds, choice / kinds % keys, (choice / kinds / keys) as u64)
            };
            if let Some(history) = mixed_history(&order, chosen) {
                each(&history);
            }
        }
    }
}

/// Nothing if a process would ask twice at once, or after an unknown outcome.
fn mixed_history(
    order: &[usize],
    chosen: impl Fn(usize) -> (usize, usize, u64),
) -> Option<History> {
    let mut history = History::default();
    let mut begun = Vec::new();
    for place in order.iter().copied() {
        let (kind, key, process) = chosen(place);
        let (call, end) = all_choices(place).swap_remove(kind);
        let kind = if begun.contains(&place) {
            end
        } else {
            begun.push(place);
            EventKind::Invoke { key: vec![key as u8], call }
        };
        history.push(Event { time_ns: 0, process: Process(process), kind }).ok()?;
    }
    Some(history)
}

#[test]
fn every_model_agrees_with_its_definition_whatever_is_asked_and_told() {
    let (mut tried, mut undecided) = (0_u32, 0);
    let mut each = |history: &History| {
        tried += 1;
        undecided += usize::from(agree_as_far_as_told(history) > 0);
    };
    all_mixed_histories(1, 1, &mut each);
    all_mixed_histories(2, 2, &mut each);
    all_mixed_histories(3, 1, &mut each);
    assert!(tried > 30_000, "{tried} histories were tried");
    assert!((100..tried as usize / 2).contains(&undecided), "{undecided} of {tried} undecided");
}

/// A history from chance: mostly possible answers, no value written twice. Deletes answer that nothing
/// was there, so nobody else can have made nothing.
fn any_history(chance: &mut Chance, count: usize) -> History {
    let mut history = History::default();
    let mut store = [None, None];
    let mut past: [Vec<Option<Vec<u8>>>; 2] = [vec![None], vec![None]];
    let mut open: Vec<(u64, usize, Call)> = Vec::new();
    let mut ended: Vec<u64> = Vec::new();
    let mut written = 0;
    while history.operations().len() < count || !open.is_empty() {
        let begins = history.operations().len() < count && (open.is_empty() || chance.one_in(2));
        if begins {
            let process = chance.below(3) as u64;
            if open.iter().any(|(other, ..)| *other == process) {
                continue;
            }
            let process =
                process + 3 * ended.iter().filter(|one| **one % 3 == process).count() as u64;
            let key = chance.below(2);
            let seen = past[key][chance.below(past[key].len())].clone();
            written += 1;
            let call = match chance.below(8) {
                0..=2 => Call::Read,
                3..=5 => Call::Write(value(written)),
                6 => Call::CompareAndSet { expected: seen, new: value(written) },
                _ => Call::Delete,
            };
            invoke(&mut history, process, key as u8, call.clone());
            open.push((process % 3, key, call));
            continue;
        }
        let (slot, key, call) = open.swap_remove(chance.below(open.len()));
        let process = slot + 3 * ended.iter().filter(|one| **one % 3 == slot).count() as u64;
        let old = past[key][chance.below(past[key].len())].clone();
        let kind = if call == Call::Delete {
            EventKind::Ok(Answer::Deleted(false))
        } else if chance.one_in(8) {
            EventKind::Info
        } else {
            let mut state = if chance.one_in(2) { old } else { store[key].clone() };
            let told = perform(&mut state, &call);
            if told == Answer::Mismatch || chance.one_in(20) {
                EventKind::Fail
            } else {
                EventKind::Ok(told)
            }
        };
        if kind != EventKind::Fail
            && let Call::Write(new) | Call::CompareAndSet { new, .. } = call
        {
            store[key] = Some(new);
            past[key].push(store[key].clone());
        }
        if kind == EventKind::Info {
            ended.push(process);
        }
        push(&mut history, process, kind);
    }
    history
}

#[test]
fn every_model_agrees_with_its_definition_on_histories_of_four_to_seven_operations() {
    let mut chance = Chance(7);
    let mut broken = [0_u32; 6];
    for round in 0..4_000 {
        let history = any_history(&mut chance, 4 + round % 4);
        for (count, holds) in broken.iter_mut().zip(agree(&history)) {
            *count += u32::from(!holds);
        }
    }
    assert!(broken.iter().all(|count| (50..3_950).contains(count)), "broken: {broken:?}");
}

#[test]
fn within_small_limits_less_is_said_and_nothing_else() {
    let mut chance = Chance(11);
    let (mut said, mut unsaid) = (0_u32, 0_u32);
    for round in 0..1_200 {
        let history = any_history(&mut chance, 5 + round % 3);
        let limits = Limits { steps_max: 1 << (round % 7), ..Limits::default() };
        let ladder = Ladder::judge(&history, limits);
        for model in Consistency::ALL {
            match ladder.finding(model) {
                Finding::Holds => assert!(keeps(&history, model), "{model:?}"),
                Finding::Broken(evidence) => check_evidence(&history, model, evidence),
                Finding::Unknown(reason) => {
                    assert!(matches!(reason, Reason::Limit(_)), "{model:?}: {reason}");
                    unsaid += 1;
                    continue;
                }
            }
            said += 1;
        }
    }
    assert!(said > 2_000 && unsaid > 50, "{said} findings, {unsaid} unknown");
}

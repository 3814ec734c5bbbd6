//! The models below linearizability by their definitions: every order is tried. For a dozen operations
//! at most.

use std::collections::BTreeMap;

use archipel_check::{Answer, Call, Consistency, End, EventKind, History, Operation, Process};

use super::{is_linearizable, perform};

type Value = Option<Vec<u8>>;

/// True if `history` keeps `model`. Written values must differ, and nothing may be deleted and then
/// found missing.
pub(crate) fn keeps(history: &History, model: Consistency) -> bool {
    let operations = history.operations();
    match model {
        Consistency::Linearizable => each_key(history, is_linearizable),
        Consistency::Sequential => is_sequential(operations),
        Consistency::Causal => is_causal(operations),
        Consistency::ReadYourWrites => each_session(operations, sees_own),
        Consistency::MonotonicReads => each_session(operations, never_goes_back),
        Consistency::Eventual => is_eventual(operations),
    }
}

/// The part of a history on these operations alone. Of those that found what none of these made, and
/// changed it, the change alone.
pub(crate) fn part(history: &History, places: &[usize]) -> History {
    let mut part = History::default();
    for (at, event) in history.events().iter().enumerate() {
        let operations = history.operations().iter().enumerate();
        let place = operations
            .filter(|(_, one)| one.process == event.process && one.invoked <= at)
            .map(|(place, _)| place)
            .next_back()
            .expect("whatever happens to a process is of its last operation");
        if places.contains(&place) {
            let mut event = event.clone();
            if !sees_all(history.operations(), places, place)
                && let EventKind::Invoke { call, .. } = &mut event.kind
                && let Call::CompareAndSet { new, .. } = call
            {
                *call = Call::Write(new.clone());
            }
            part.push(event).expect("a part is well formed");
        }
    }
    part
}

/// True if all that was only looked at in `places` was made there too.
pub(crate) fn is_closed(operations: &[Operation], places: &[usize]) -> bool {
    places
        .iter()
        .all(|place| made(&operations[*place]).is_some() || sees_all(operations, places, *place))
}

fn sees_all(operations: &[Operation], places: &[usize], place: usize) -> bool {
    let looker = &operations[place];
    let needs = |maker: &Operation| {
        is_alive(maker)
            && maker.key == looker.key
            && made(maker).is_some_and(|value| match seen(looker) {
                Some(seen) => seen == value,
                None => is_vague(looker),
            })
    };
    (0..operations.len()).all(|maker| places.contains(&maker) || !needs(&operations[maker]))
}

fn is_vague(operation: &Operation) -> bool {
    matches!(operation.end, End::Ok(_, Answer::Mismatch | Answer::Deleted(true)))
}

fn is_alive(operation: &Operation) -> bool {
    !matches!(operation.end, End::Failed(_))
}

/// What an operation leaves, if it changes something and has an effect.
fn made(operation: &Operation) -> Option<Value> {
    match (&operation.call, &operation.end) {
        (_, End::Ok(_, Answer::Mismatch | Answer::Deleted(false))) | (Call::Read, _) => None,
        (Call::Write(value) | Call::CompareAndSet { new: value, .. }, _) => {
            Some(Some(value.clone()))
        }
        (Call::Delete, _) => Some(None),
    }
}

/// The value that an operation must have found, if it is known.
fn seen(operation: &Operation) -> Option<Value> {
    match (&operation.call, &operation.end) {
        (_, End::Ok(_, Answer::Found(value))) => Some(value.clone()),
        (_, End::Ok(_, Answer::Deleted(false))) => Some(None),
        (_, End::Ok(_, Answer::Mismatch)) => None,
        (Call::CompareAndSet { expected, .. }, _) => Some(expected.clone()),
        _ => None,
    }
}

fn each_key(history: &History, judge: impl Fn(&History) -> bool) -> bool {
    let operations = history.operations();
    operations.iter().all(|one| {
        let places: Vec<usize> =
            (0..operations.len()).filter(|place| operations[*place].key == one.key).collect();
        judge(&part(history, &places))
    })
}

fn is_sequential(operations: &[Operation]) -> bool {
    let alive: Vec<&Operation> = operations.iter().filter(|one| is_alive(one)).collect();
    try_orders(&alive, &mut vec![false; alive.len()], &BTreeMap::new())
}

fn try_orders(
    operations: &[&Operation],
    done: &mut Vec<bool>,
    store: &BTreeMap<Vec<u8>, Value>,
) -> bool {
    let must = |place: usize| matches!(operations[place].end, End::Ok(..));
    if (0..operations.len()).all(|place| done[place] || !must(place)) {
        return true;
    }
    for place in 0..operations.len() {
        let one = operations[place];
        let has_earlier =
            (0..place).any(|earlier| !done[earlier] && operations[earlier].process == one.process);
        if done[place] || has_earlier {
            continue;
        }
        let mut after = store.clone();
        let told = perform(after.entry(one.key.clone()).or_default(), &one.call);
        if matches!(&one.end, End::Ok(_, answer) if *answer != told) {
            continue;
        }
        done[place] = true;
        let found = try_orders(operations, done, &after);
        done[place] = false;
        if found {
            return true;
        }
    }
    false
}

/// What took effect for certain: what was answered, and what those saw.
fn certain(operations: &[Operation]) -> Option<Vec<&Operation>> {
    let mut certain: Vec<bool> =
        operations.iter().map(|one| matches!(one.end, End::Ok(..))).collect();
    loop {
        let before = certain.clone();
        for looker in (0..operations.len()).filter(|place| before[*place]) {
            if let Some(Some(value)) = seen(&operations[looker]) {
                let maker = maker(operations, &operations[looker].key, &value)?;
                certain[maker] = true;
            }
        }
        if before == certain {
            let kept = (0..operations.len()).filter(|place| certain[*place]);
            return Some(kept.map(|place| &operations[place]).collect());
        }
    }
}

fn maker(operations: &[Operation], key: &[u8], value: &[u8]) -> Option<usize> {
    operations.iter().position(|one| {
        is_alive(one) && one.key == key && made(one).flatten().as_deref() == Some(value)
    })
}

/// Ahamad's definition: for each process, an order of all changes and its own looks.
fn is_causal(operations: &[Operation]) -> bool {
    let Some(certain) = certain(operations) else {
        return false;
    };
    let count = certain.len();
    let mut causes = vec![vec![false; count]; count];
    for (effect, one) in certain.iter().enumerate() {
        for (cause, other) in certain.iter().enumerate() {
            let is_earlier = cause < effect && one.process == other.process;
            let is_seen = one.key == other.key
                && matches!((seen(one), made(other)), (Some(Some(a)), Some(Some(b))) if a == b);
            causes[cause][effect] = is_earlier || is_seen;
        }
    }
    for between in 0..count {
        for cause in 0..count {
            for effect in 0..count {
                causes[cause][effect] |= causes[cause][between] && causes[between][effect];
            }
        }
    }
    if (0..count).any(|one| causes[one][one]) {
        return false;
    }
    certain.iter().map(|one| one.process).all(|viewer| {
        let shown: Vec<usize> = (0..count)
            .filter(|one| certain[*one].process == viewer || made(certain[*one]).is_some())
            .collect();
        let mut done = vec![false; count];
        try_views(&certain, &causes, &shown, viewer, &mut done, &BTreeMap::new())
    })
}

fn try_views(
    operations: &[&Operation],
    causes: &[Vec<bool>],
    shown: &[usize],
    viewer: Process,
    done: &mut Vec<bool>,
    store: &BTreeMap<Vec<u8>, Value>,
) -> bool {
    if shown.iter().all(|one| done[*one]) {
        return true;
    }
    for place in shown.iter().copied() {
        let one = operations[place];
        let is_next =
            !done[place] && shown.iter().all(|other| done[*other] || !causes[*other][place]);
        let found = store.get(&one.key).cloned().unwrap_or_default();
        let fits = one.process != viewer || seen(one).is_none_or(|seen| seen == found);
        if !is_next || !fits {
            continue;
        }
        let mut after = store.clone();
        if let Some(value) = made(one) {
            after.insert(one.key.clone(), value);
        }
        done[place] = true;
        let is_explained = try_views(operations, causes, shown, viewer, done, &after);
        done[place] = false;
        if is_explained {
            return true;
        }
    }
    false
}

/// For each process and key: is there an order of the key's changes, keeping each process's order, in
/// which the process's operations are as `judge` wants them? Changes are ranked from 1, nothing is 0.
fn each_session(
    operations: &[Operation],
    judge: impl Fn(&[(Option<usize>, Option<usize>)]) -> bool + Copy,
) -> bool {
    operations.iter().all(|one| {
        let on_key: Vec<&Operation> =
            operations.iter().filter(|other| other.key == one.key && is_alive(other)).collect();
        let changes: Vec<usize> =
            (0..on_key.len()).filter(|place| made(on_key[*place]).is_some()).collect();
        try_changes(&on_key, &changes, &mut Vec::new(), one.process, judge)
    })
}

fn try_changes(
    on_key: &[&Operation],
    changes: &[usize],
    order: &mut Vec<usize>,
    process: Process,
    judge: impl Fn(&[(Option<usize>, Option<usize>)]) -> bool + Copy,
) -> bool {
    if order.len() == changes.len() {
        let rank = |value: Value| match value {
            None => Some(0),
            Some(_) => order
                .iter()
                .position(|change| made(on_key[*change]) == Some(value.clone()))
                .map(|place| place + 1),
        };
        let session: Vec<&&Operation> =
            on_key.iter().filter(|one| one.process == process).collect();
        let answered = |one: &Operation| matches!(one.end, End::Ok(..));
        let looks = session.iter().filter(|one| answered(one)).filter_map(|one| seen(one));
        if looks.clone().any(|value| rank(value).is_none()) {
            return false;
        }
        let steps: Vec<(Option<usize>, Option<usize>)> = session
            .iter()
            .map(|one| {
                let own = on_key.iter().position(|other| std::ptr::eq(*other, **one));
                let own = order.iter().position(|change| Some(*change) == own);
                let looked = seen(one).filter(|_| answered(one)).and_then(rank);
                (looked, own.map(|place| place + 1))
            })
            .collect();
        return judge(&steps);
    }
    changes.iter().copied().any(|change| {
        let is_free = !order.contains(&change)
            && changes.iter().all(|other| {
                *other >= change
                    || on_key[*other].process != on_key[change].process
                    || order.contains(other)
            });
        is_free && {
            order.push(change);
            let found = try_changes(on_key, changes, order, process, judge);
            order.pop();
            found
        }
    })
}

fn sees_own(session: &[(Option<usize>, Option<usize>)]) -> bool {
    let mut own = 0;
    session.iter().all(|(looked, changed)| {
        let is_fresh = looked.is_none_or(|rank| rank >= own);
        own = changed.unwrap_or(own);
        is_fresh
    })
}

fn never_goes_back(session: &[(Option<usize>, Option<usize>)]) -> bool {
    session.iter().filter_map(|(looked, _)| *looked).is_sorted()
}

fn is_eventual(operations: &[Operation]) -> bool {
    let answered = |one: &Operation| match one.end {
        End::Ok(at, _) => Some(at),
        _ => None,
    };
    let in_time = operations.iter().filter(|one| answered(one).is_some()).all(|looker| {
        let Some(Some(value)) = seen(looker) else {
            return true;
        };
        operations.iter().filter(|one| is_alive(one)).any(|one| {
            one.key == looker.key
                && made(one) == Some(Some(value.clone()))
                && Some(one.invoked) < answered(looker)
        })
    });
    in_time && operations.iter().all(|one| agree_on(operations, &one.key))
}

fn agree_on(operations: &[Operation], key: &[u8]) -> bool {
    let on_key: Vec<&Operation> =
        operations.iter().filter(|one| one.key == key && is_alive(one)).collect();
    let changes: Vec<&&Operation> = on_key.iter().filter(|one| made(one).is_some()).collect();
    if changes.iter().any(|one| matches!(one.end, End::Unknown)) {
        return true;
    }
    let end = |one: &Operation| match one.end {
        End::Ok(at, _) => at,
        _ => 0,
    };
    let quiet_from = changes.iter().map(|one| end(one)).max().unwrap_or(0);
    let mut last: BTreeMap<Process, (usize, Value)> = BTreeMap::new();
    for one in &on_key {
        if let (Some(value), None, End::Ok(..)) = (seen(one), made(one), &one.end) {
            last.insert(one.process, (one.invoked, value));
        }
    }
    let late: Vec<Value> = last
        .into_values()
        .filter(|(invoked, _)| *invoked > quiet_from || changes.is_empty())
        .map(|(_, value)| value)
        .collect();
    let is_lost = late.contains(&None)
        && !changes.is_empty()
        && changes.iter().all(|one| made(one) != Some(None));
    late.windows(2).all(|pair| pair[0] == pair[1]) && !is_lost
}

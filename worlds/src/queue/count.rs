//! What clients of the queue did, so that one can see that they did something.

use std::collections::BTreeMap;

use check::queue::{Answer, Call, End, Operation, QueueHistory};
use sim::Tally;

/// All that is counted, by name.
const NAMES: [&str; 24] = [
    "tasks put",
    "puts of known keys",
    "puts into full queues",
    "tasks delayed",
    "tasks with a time to live",
    "tasks expired",
    "takes",
    "takes in vain",
    "deliveries",
    "deliveries again",
    "deliveries held by connections",
    "leases run out",
    "tasks completed",
    "attempts failed",
    "leases extended",
    "tasks given back",
    "tasks buried",
    "tasks kicked",
    "tasks deleted",
    "stale rights refused",
    "connections let go of tasks",
    "workers died",
    "pauses of queues",
    "queues configured",
];

/// Counts what a history has.
pub(super) fn count(history: &QueueHistory, deaths: u64) -> Tally {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::from([("workers died", deaths)]);
    for operation in history.operations() {
        let End::Ok(_, answer) = &operation.end else {
            continue;
        };
        for (name, number) in counted(operation, answer) {
            let count = counts.entry(name).or_default();
            // What the queue itself counts is read more than once.
            let is_reading = matches!(operation.call, Call::Look);
            *count = if is_reading { number.max(*count) } else { *count + number };
        }
    }
    NAMES.map(|name| (name, counts.get(name).copied().unwrap_or_default())).to_vec()
}

fn counted(operation: &Operation, answer: &Answer) -> Vec<(&'static str, u64)> {
    match (&operation.call, answer) {
        (Call::Put(task), Answer::Accepted { is_duplicate: false, .. }) => vec![
            ("tasks put", 1),
            ("tasks delayed", u64::from(task.delay_ns > 0)),
            ("tasks with a time to live", u64::from(task.live_ns.is_some())),
        ],
        (Call::Put(_), Answer::Accepted { .. }) => vec![("puts of known keys", 1)],
        (Call::Put(_), _) => vec![("puts into full queues", 1)],
        (Call::Take { holder, .. }, Answer::Taken { tasks, .. }) => {
            let taken = tasks.len() as u64;
            let again = tasks.iter().filter(|taken| taken.delivery.token > 1).count() as u64;
            let held = if holder.is_some() { taken } else { 0 };
            vec![
                ("takes", 1),
                ("takes in vain", u64::from(tasks.is_empty())),
                ("deliveries", taken),
                ("deliveries again", again),
                ("deliveries held by connections", held),
            ]
        }
        (Call::Look, Answer::Looked { timeouts, expired, .. }) => {
            vec![("leases run out", *timeouts), ("tasks expired", *expired)]
        }
        (Call::LetGo(_) | Call::LetGoBefore { .. }, Answer::Count(count)) => {
            vec![("connections let go of tasks", *count)]
        }
        (Call::Kick(_), Answer::Count(count)) => vec![("tasks kicked", *count)],
        (call, Answer::NotHeld) if call.delivery().is_some() => vec![("stale rights refused", 1)],
        (call, Answer::Done | Answer::Completed { .. } | Answer::Extended { .. }) => {
            done(call).map(|name| (name, 1)).into_iter().collect()
        }
        (Call::Fail(_), Answer::Waits { .. } | Answer::Expired) => vec![("attempts failed", 1)],
        (Call::Release { .. }, Answer::Waits { .. } | Answer::Expired) => {
            vec![("tasks given back", 1)]
        }
        (_, Answer::Buried) => vec![("tasks buried", 1)],
        _ => Vec::new(),
    }
}

const fn done(call: &Call) -> Option<&'static str> {
    match call {
        Call::Complete(_) => Some("tasks completed"),
        Call::Extend(_) => Some("leases extended"),
        Call::Delete(_) => Some("tasks deleted"),
        Call::KickOne(_) => Some("tasks kicked"),
        Call::Pause { .. } => Some("pauses of queues"),
        Call::Configure(_) => Some("queues configured"),
        _ => None,
    }
}

//! Tasks in JSON.

use bytes::Bytes;
use kernel::Stamp;
use queue::{Attempt, AttemptEnd, Details, Retry, State, Task};
use serde_json::{Map, Value, json};

use super::Given;

const NS_PER_MS: u64 = 1_000_000;

/// A task as it is kept: what is no JSON is shown as a text.
pub(super) fn details(details: &Details, now: Stamp) -> Value {
    let mut shown = head(details, now);
    let task = &details.task;
    let object = shown.as_object_mut().expect("a task is shown as an object");
    object.insert("result".to_owned(), result_of(details));
    object.insert("error".to_owned(), last_error(&details.attempts));
    let wall = |stamp| wall_ms(task, stamp);
    let attempts = details.attempts.iter().map(|attempt| {
        json!({
            "delivery": attempt.delivery,
            "startedAt": wall(attempt.since),
            "endedAt": wall(attempt.ended),
            "end": end_name(attempt.how),
            "error": text(&attempt.error),
        })
    });
    object.insert("attempts".to_owned(), attempts.collect());
    shown
}

/// A task as who dequeues it gets it.
pub(super) fn given(given: &Given, details: Option<&Details>) -> Value {
    let taken = &given.task;
    let mut object = Map::new();
    let mut set = |name: &str, value: Value| object.insert(name.to_owned(), value);
    set("id", taken.task.to_string().into());
    set("type", kind(&taken.kind));
    set("payload", payload(&taken.payload));
    set("status", "processing".into());
    set("createdAt", details.map(|details| details.task.created_wall_ms).into());
    set("retries", taken.failures.into());
    set("maxRetries", details.map_or(Value::Null, |details| max_retries(details.task.retry)));
    set("queue", text(&taken.queue));
    set("priority", taken.priority.into());
    set("lease", taken.token.to_string().into());
    set("leaseMs", given.lease_ms().into());
    // Numbers of JSON do not hold these exactly.
    set("clusterTimeNs", given.stamp.0.to_string().into());
    set("dueNs", taken.due.0.to_string().into());
    Value::Object(object)
}

fn head(details: &Details, now: Stamp) -> Value {
    let task = &details.task;
    let mut shown = json!({
        "id": details.id.to_string(),
        "type": kind(&task.kind),
        "payload": payload(&details.payload),
        "status": status(&task.state),
        "createdAt": task.created_wall_ms,
        "retries": task.failures,
        "maxRetries": max_retries(task.retry),
        "queue": text(&task.queue),
        "priority": task.priority,
        "state": state_name(&task.state),
        "deliveries": task.deliveries,
        "timeouts": task.timeouts,
        "releases": task.releases,
        "leaseMs": task.lease_ms,
    });
    let object = shown.as_object_mut().expect("a task is shown as an object");
    if let Some(key) = &task.key {
        object.insert("key".to_owned(), text(key));
    }
    let left = |until: Stamp| Value::from(until.0.saturating_sub(now.0) / NS_PER_MS);
    match task.state {
        State::Delayed { until } => object.insert("readyInMs".to_owned(), left(until)),
        State::Reserved { due, .. } => object.insert("leaseLeftMs".to_owned(), left(due)),
        State::Completed { at, .. } => {
            object.insert("completedAt".to_owned(), wall_ms(task, at).into())
        }
        _ => None,
    };
    shown
}

/// What the course calls where a task stands.
pub(super) fn status(state: &State) -> &'static str {
    match state {
        State::Ready | State::Delayed { .. } => "pending",
        State::Reserved { .. } => "processing",
        State::Buried { .. } => "failed",
        State::Completed { .. } => "completed",
        State::Expired { .. } => "expired",
    }
}

const fn state_name(state: &State) -> &'static str {
    match state {
        State::Ready => "ready",
        State::Delayed { .. } => "delayed",
        State::Reserved { .. } => "reserved",
        State::Buried { .. } => "buried",
        State::Completed { .. } => "completed",
        State::Expired { .. } => "expired",
    }
}

const fn end_name(how: AttemptEnd) -> &'static str {
    match how {
        AttemptEnd::Failed => "failed",
        AttemptEnd::TimedOut => "timed out",
        AttemptEnd::Lost => "connection lost",
        AttemptEnd::Released => "released",
        AttemptEnd::Buried => "buried",
    }
}

/// As in the course, where three retries are three attempts in all; null without end.
pub(super) fn max_retries(retry: Retry) -> Value {
    if retry.attempts_max == 0 { Value::Null } else { retry.attempts_max.into() }
}

fn result_of(details: &Details) -> Value {
    let is_done = matches!(details.task.state, State::Completed { .. });
    if is_done && !details.result.is_empty() { payload(&details.result) } else { Value::Null }
}

/// What went wrong last.
fn last_error(attempts: &[Attempt]) -> Value {
    let last = attempts.iter().rfind(|attempt| attempt.how != AttemptEnd::Released);
    last.map_or(Value::Null, |attempt| match attempt.how {
        AttemptEnd::TimedOut => "The lease ran out.".into(),
        AttemptEnd::Lost => "The worker's connection was lost.".into(),
        _ => text(&attempt.error),
    })
}

/// The bytes as JSON, or else as a text: other clients put what they like.
pub(super) fn payload(bytes: &Bytes) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| text(bytes))
}

/// The bytes as a text.
pub(super) fn text(bytes: &Bytes) -> Value {
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn kind(kind: &Bytes) -> Value {
    if kind.is_empty() { Value::Null } else { text(kind) }
}

/// About which time of day a moment of cluster time was, counted from when the task was put.
fn wall_ms(task: &Task, stamp: Stamp) -> u64 {
    task.created_wall_ms + stamp.0.saturating_sub(task.created.0) / NS_PER_MS
}

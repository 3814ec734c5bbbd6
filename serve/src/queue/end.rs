//! `POST /complete/{id}`, `/fail/{id}`, `/extend/{id}` and `/release/{id}`: what becomes of a delivery.

use bytes::Bytes;
use queue::{Answer, Claim, Command, State, TaskId};
use serde_json::{Value, json};

use super::{carry_out, fields, other, shown};
use crate::{answer, call::Call, error::ApiError, front::Front};

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The task is done.
    Complete,
    /// The attempt failed.
    Fail,
    /// It goes on.
    Extend,
    /// The task is given back.
    Release,
}

impl End {
    /// The one that a path names so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "complete" => Self::Complete,
            "fail" => Self::Fail,
            "extend" => Self::Extend,
            "release" => Self::Release,
            _ => return None,
        })
    }
}

/// Carries it out, if the lease holds.
pub(super) async fn end(
    front: &Front,
    call: &Call,
    how: End,
    task: TaskId,
) -> Result<answer::Answer, ApiError> {
    call.query.only(&[])?;
    let command = match how {
        End::Complete => complete(call, task)?,
        End::Fail => fail(call, task)?,
        End::Extend => extend(call, task)?,
        End::Release => release(call, task)?,
    };
    match carry_out(front, call, &command).await? {
        Answer::Now(state) => Ok(answer::Answer::ok(&stands(task, &state))),
        answer => Err(other(&answer)),
    }
}

fn complete(call: &Call, task: TaskId) -> Result<Command, ApiError> {
    let object = call.object(&["lease", "result"])?;
    let claim = fields::lease(&object)?;
    let result = object.get("result").map(fields::json_bytes).unwrap_or_default();
    Ok(Command::Complete { task, claim, result })
}

fn fail(call: &Call, task: TaskId) -> Result<Command, ApiError> {
    let object = call.object(&["lease", "error"])?;
    let claim = fields::lease(&object)?;
    Ok(Command::Fail { task, claim, error: error_bytes(object.get("error")) })
}

/// An error is a text; what is none is kept as it was sent.
fn error_bytes(error: Option<&Value>) -> Bytes {
    match error {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) => fields::bytes(text),
        Some(value) => fields::json_bytes(value),
    }
}

fn extend(call: &Call, task: TaskId) -> Result<Command, ApiError> {
    let object = call.object(&["lease", "leaseMs"])?;
    let claim = fields::lease(&object)?;
    Ok(Command::Extend { task, claim, lease_ms: fields::time_ms(&object, "leaseMs")? })
}

fn release(call: &Call, task: TaskId) -> Result<Command, ApiError> {
    let object = call.object(&["lease", "delayMs", "priority"])?;
    let claim: Claim = fields::lease(&object)?;
    let delay_ms = fields::time_ms(&object, "delayMs")?.unwrap_or_default();
    Ok(Command::Release { task, claim, priority: fields::priority(&object)?, delay_ms })
}

/// Where the task stands now.
fn stands(task: TaskId, state: &State) -> Value {
    let mut shown = json!({ "taskId": task.to_string(), "status": shown::status(state) });
    match state {
        State::Reserved { lease_ms, due, .. } => {
            shown["leaseMs"] = Value::from(*lease_ms);
            shown["dueNs"] = Value::from(due.0.to_string());
        }
        State::Delayed { until } => shown["readyNs"] = Value::from(until.0.to_string()),
        State::Completed { at, .. } => shown["clusterTimeNs"] = Value::from(at.0.to_string()),
        _ => {}
    }
    shown
}

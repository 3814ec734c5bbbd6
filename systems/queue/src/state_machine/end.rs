//! How a delivery ends or goes on, by the wish of who holds the task; and deletion.

use bytes::Bytes;
use kernel::{Fault, Stamp, Tables};

use super::time::{self, end_attempt, settled};
use crate::{
    answer::Answer,
    attempt::AttemptEnd,
    failure::Failure,
    store::{self, Why, queues, tasks},
    task::{Claim, State, Task, TaskId, later},
};

/// The task is done.
pub(super) fn complete(
    id: TaskId,
    claim: Claim,
    result: &Bytes,
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let task = match held(tables, id, claim, stamp)? {
        Ok(task) => task,
        Err(failure) => return Ok(Answer::Failed(failure)),
    };
    let retention_ms = queues::settings(tables, &task.queue)?.retention_ms;
    let state = State::Completed { at: stamp, gone: later(stamp, retention_ms) };
    if retention_ms == 0 {
        store::forget(tables, id, &task, Why::Completed, stamp)?;
    } else {
        store::replace(tables, id, &task, Task { state, ..task.clone() })?;
        tasks::set_result(tables, id, result);
    }
    Ok(Answer::Now(state))
}

/// The attempt failed.
pub(super) fn fail(
    id: TaskId,
    claim: Claim,
    error: &Bytes,
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    match held(tables, id, claim, stamp)? {
        Ok(task) => {
            let after = time::fail(tables, id, &task, stamp, AttemptEnd::Failed, error)?;
            Ok(Answer::Now(after.state))
        }
        Err(failure) => Ok(Answer::Failed(failure)),
    }
}

/// Lets the lease begin again.
pub(super) fn extend(
    id: TaskId,
    claim: Claim,
    wanted_ms: Option<u64>,
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let task = match held(tables, id, claim, stamp)? {
        Ok(task) => task,
        Err(failure) => return Ok(Answer::Failed(failure)),
    };
    let State::Reserved { since, lease_ms, holder, .. } = task.state else {
        panic!("what is held is reserved");
    };
    let lease_ms = wanted_ms.unwrap_or(lease_ms).max(1);
    let state = State::Reserved { since, due: later(stamp, lease_ms), lease_ms, holder };
    store::replace(tables, id, &task, Task { state, ..task.clone() })?;
    Ok(Answer::Now(state))
}

/// Gives the task back.
pub(super) fn release(
    id: TaskId,
    claim: Claim,
    (priority, delay_ms): (Option<u32>, u64),
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let task = match held(tables, id, claim, stamp)? {
        Ok(task) => task,
        Err(failure) => return Ok(Answer::Failed(failure)),
    };
    end_attempt(tables, id, &task, stamp, AttemptEnd::Released, &Bytes::new())?;
    let mut after = task.clone();
    after.releases += 1;
    after.priority = priority.unwrap_or(task.priority);
    after.delay_ms = delay_ms;
    after.state = time::waiting(tables, &after, stamp)?;
    let after = store::replace(tables, id, &task, after)?;
    Ok(Answer::Now(after.state))
}

/// Makes the task a dead letter.
pub(super) fn bury(
    id: TaskId,
    claim: Claim,
    (priority, error): (Option<u32>, &Bytes),
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let task = match held(tables, id, claim, stamp)? {
        Ok(task) => task,
        Err(failure) => return Ok(Answer::Failed(failure)),
    };
    end_attempt(tables, id, &task, stamp, AttemptEnd::Buried, error)?;
    let mut after = task.clone();
    after.buries += 1;
    after.priority = priority.unwrap_or(task.priority);
    after.state = State::Buried { place: 0 };
    let after = store::replace(tables, id, &task, after)?;
    Ok(Answer::Now(after.state))
}

/// Deletes a task.
pub(super) fn delete(
    id: TaskId,
    claim: Option<Claim>,
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let Some(task) = settled(tables, id, stamp)? else {
        return Ok(Answer::Failed(Failure::NotFound));
    };
    let refused = match claim {
        None => task.state.is_reserved().then_some(Failure::Reserved),
        Some(Claim::Holder(_)) if task.state.is_final() => Some(Failure::NotFound),
        Some(claim @ Claim::Token(_)) => (!task.is_held_by(claim)).then_some(Failure::NotHeld),
        // A connection deletes what it holds and what nobody holds, as in beanstalkd.
        Some(claim) => {
            (task.state.is_reserved() && !task.is_held_by(claim)).then_some(Failure::NotHeld)
        }
    };
    if let Some(failure) = refused {
        return Ok(Answer::Failed(failure));
    }
    store::forget(tables, id, &task, Why::Deleted, stamp)?;
    Ok(Answer::Done)
}

/// The task as it is at `stamp`, if whoever claims it holds it then.
fn held(
    tables: &mut Tables,
    id: TaskId,
    claim: Claim,
    stamp: Stamp,
) -> Result<Result<Task, Failure>, Fault> {
    Ok(match settled(tables, id, stamp)? {
        None => Err(Failure::NotFound),
        Some(task) if task.is_held_by(claim) => Ok(task),
        Some(_) => Err(Failure::NotHeld),
    })
}

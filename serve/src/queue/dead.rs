//! Dead letters: tasks whose last attempt failed, or that somebody buried. They stay until somebody decides.

use queue::{AT_ONCE_MAX, Answer, Command, PAGE_TASKS_MAX, Query, Sleepers, State, TaskId};
use serde_json::{Value, json};

use super::{ask, carry_out, fields, other, shown};
use crate::{
    answer,
    call::Call,
    consistency::{CONSISTENCY, reading},
    error::ApiError,
    front::Front,
};

/// How many dead letters a page has when the client does not say.
const PAGE: u64 = 100;

/// `GET /dead`: a page of them, those first that died first.
pub(super) async fn list(front: &Front, call: &Call) -> Result<answer::Answer, ApiError> {
    call.query.only(&["queue", "limit", "after", CONSISTENCY])?;
    let limit = fields::parameter(call, "limit", u64::from(PAGE_TASKS_MAX))?.unwrap_or(PAGE);
    let after = fields::parameter(call, "after", u64::MAX - 1)?;
    let query = Query::Dead {
        queue: fields::queue_of(call),
        from: after.map_or(0, |after| after + 1),
        limit: u32::try_from(limit).expect("a page's limit is small"),
    };
    let reading = reading(front, call).await?;
    let now = front.desk().clock.now(&reading);
    let (tasks, more) = match ask(reading, query).await? {
        Answer::Page { tasks, more } => (tasks, more),
        answer => return Err(other(&answer)),
    };
    let place = tasks.last().filter(|_| more).map(|details| match details.task.state {
        // Places may be larger than what JSON's numbers hold exactly.
        State::Buried { place } => place.to_string(),
        _ => unreachable!("a dead letter is buried"),
    });
    let tasks: Vec<Value> = tasks.iter().map(|details| shown::details(details, now)).collect();
    Ok(answer::Answer::ok(&json!({ "tasks": tasks, "after": place })))
}

/// `DELETE /dead`: deletes all of a queue, some at a time.
pub(super) async fn purge(front: &Front, call: &Call) -> Result<answer::Answer, ApiError> {
    call.query.only(&["queue"])?;
    let command = Command::Purge { queue: fields::queue_of(call), count: AT_ONCE_MAX };
    let mut purged = 0;
    loop {
        match carry_out(front, call, &command).await? {
            Answer::Count { count, more } => {
                purged += u64::from(count);
                if !more || count == 0 {
                    return Ok(answer::Answer::ok(&json!({ "purged": purged })));
                }
            }
            answer => return Err(other(&answer)),
        }
    }
}

/// `POST /dead/retry`: makes all of a queue ready, some at a time. Those that die meanwhile are not tried for ever.
pub(super) async fn retry_all(front: &Front, call: &Call) -> Result<answer::Answer, ApiError> {
    call.query.only(&["queue"])?;
    let queue = fields::queue_of(call);
    let mut left = dead_letters(front, &queue).await?;
    let mut retried = 0;
    while left > 0 {
        let count = u32::try_from(left).unwrap_or(AT_ONCE_MAX).min(AT_ONCE_MAX);
        let kick = Command::Kick { queue: queue.clone(), sleepers: Sleepers::Buried, count };
        match carry_out(front, call, &kick).await? {
            Answer::Kicked { count: 0, .. } => break,
            Answer::Kicked { count, .. } => {
                retried += u64::from(count);
                left = left.saturating_sub(u64::from(count));
            }
            answer => return Err(other(&answer)),
        }
    }
    Ok(answer::Answer::ok(&json!({ "retried": retried })))
}

/// `POST /dead/{id}/retry`: makes one ready.
pub(super) async fn retry(
    front: &Front,
    call: &Call,
    task: TaskId,
) -> Result<answer::Answer, ApiError> {
    call.query.only(&[])?;
    match carry_out(front, call, &Command::KickOne { task }).await? {
        Answer::Now(state) => {
            let body = json!({ "taskId": task.to_string(), "status": shown::status(&state) });
            Ok(answer::Answer::ok(&body))
        }
        answer => Err(other(&answer)),
    }
}

async fn dead_letters(front: &Front, queue: &bytes::Bytes) -> Result<u64, ApiError> {
    let reading = front.desk().reading().await.map_err(|error| super::of_read(&error))?;
    match ask(reading, Query::Queue { queue: queue.clone() }).await? {
        Answer::Queue(report) => Ok(report.counts.buried),
        Answer::Missing => Ok(0),
        answer => Err(other(&answer)),
    }
}

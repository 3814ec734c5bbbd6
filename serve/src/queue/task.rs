//! `GET` and `DELETE /task/{id}`, and `GET /peek`.

use hyper::StatusCode;
use queue::{Answer, Command, Query, Standing, TaskId};
use serde_json::json;

use super::{ask, carry_out, fields, no_such_task, other, shown};
use crate::{
    answer,
    call::Call,
    consistency::{CONSISTENCY, reading},
    error::ApiError,
    front::Front,
};

/// Shows a task: where it stands, its attempts and its result.
pub(super) async fn get(
    front: &Front,
    call: &Call,
    task: TaskId,
) -> Result<answer::Answer, ApiError> {
    call.query.only(&[CONSISTENCY])?;
    let reading = reading(front, call).await?;
    let now = front.desk().clock.now(&reading);
    match ask(reading, Query::Get { task }).await? {
        Answer::Found(details) => Ok(answer::Answer::ok(&shown::details(&details, now))),
        Answer::Missing => Err(no_such_task(task)),
        answer => Err(other(&answer)),
    }
}

/// Shows the task of a queue that is next to leave where it stands.
pub(super) async fn peek(front: &Front, call: &Call) -> Result<answer::Answer, ApiError> {
    call.query.only(&["queue", "state", CONSISTENCY])?;
    let state = call.query.get("state").unwrap_or("ready");
    let standing = match state {
        "ready" => Standing::Ready,
        "delayed" => Standing::Delayed,
        "failed" => Standing::Buried,
        _ => {
            let message =
                "The state is \"ready\", which is the default, \"delayed\" or \"failed\".";
            return Err(ApiError::bad("bad_query", message));
        }
    };
    let reading = reading(front, call).await?;
    let now = front.desk().clock.now(&reading);
    let query = Query::First { queue: fields::queue_of(call), standing };
    match ask(reading, query).await? {
        Answer::Found(details) => Ok(answer::Answer::ok(&shown::details(&details, now))),
        Answer::Missing => {
            let message = format!("No task of this queue is {state}.");
            Err(ApiError::new(StatusCode::NOT_FOUND, "not_found", message))
        }
        answer => Err(other(&answer)),
    }
}

/// Deletes a task; one that somebody holds only with its lease.
pub(super) async fn delete(
    front: &Front,
    call: &Call,
    task: TaskId,
) -> Result<answer::Answer, ApiError> {
    call.query.only(&[])?;
    let claim = fields::claim(&call.object_or_nothing(&["lease"])?)?;
    match carry_out(front, call, &Command::Delete { task, claim }).await? {
        Answer::Done => {
            let body = json!({ "taskId": task.to_string(), "deleted": true });
            Ok(answer::Answer::ok(&body))
        }
        answer => Err(other(&answer)),
    }
}

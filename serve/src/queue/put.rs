//! `POST /task`.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::StatusCode;
use queue::{Answer, Command, PRIORITY_NORMAL, Put, Query, Retry, Start};
use serde_json::{Value, json};

use super::{DEFAULT_QUEUE, ask, carry_out, fields, of_read, other, stats};
use crate::{answer, call::Call, error::ApiError, front::Front};

/// What a task may be told.
const KNOWN: [&str; 13] = [
    "type",
    "payload",
    "queue",
    "priority",
    "delayMs",
    "executeAt",
    "leaseMs",
    "ttlMs",
    "key",
    "maxRetries",
    "backoffMs",
    "backoffLimitMs",
    "jitterPercent",
];

/// Puts a task. Answers once it is on a majority of disks.
pub(super) async fn put(front: &Front, call: &Call) -> Result<answer::Answer, ApiError> {
    call.query.only(&[])?;
    let put = read(front, call).await?;
    let queue = put.queue.clone();
    let (task, is_duplicate) = match carry_out(front, call, &Command::Put(put)).await? {
        Answer::Put { task, is_duplicate } => (task, is_duplicate),
        answer => return Err(other(&answer)),
    };
    let message =
        if is_duplicate { "Task was enqueued before under this key" } else { "Task enqueued" };
    Ok(answer::Answer::json(
        StatusCode::ACCEPTED,
        &json!({
            "taskId": task.to_string(),
            "message": message,
            "duplicate": is_duplicate,
            "stats": stats::of_queue(front, queue).await,
        }),
    ))
}

/// The task that a request describes.
async fn read(front: &Front, call: &Call) -> Result<Put, ApiError> {
    let object = call.object(&KNOWN)?;
    let kind = fields::text(&object, "type")?.filter(|kind| !kind.is_empty());
    // Whether it is there counts, not what it is: 0, "", false and null are payloads.
    let (Some(kind), Some(payload)) = (kind, object.get("payload")) else {
        return Err(ApiError::bad(
            "bad_task",
            "The fields \"type\", a text, and \"payload\", any JSON, are required.",
        ));
    };
    let queue = fields::bytes(fields::text(&object, "queue")?.unwrap_or(DEFAULT_QUEUE));
    let retry = match fields::retry(&object, Retry::default())? {
        None => None,
        Some(_) => fields::retry(&object, usual_retry(front, queue.clone()).await?)?,
    };
    Ok(Put {
        kind: fields::bytes(kind),
        key: fields::text(&object, "key")?.map(fields::bytes),
        payload: fields::json_bytes(payload),
        priority: fields::priority(&object)?.unwrap_or(PRIORITY_NORMAL),
        start: start(&object)?,
        lease_ms: fields::time_ms(&object, "leaseMs")?,
        retry,
        live_ms: fields::time_ms(&object, "ttlMs")?,
        queue,
    })
}

/// When the task is ready.
fn start(object: &fields::Fields) -> Result<Start, ApiError> {
    let execute_at = object.get("executeAt").filter(|value| !value.is_null());
    match (fields::time_ms(object, "delayMs")?, execute_at) {
        (None, None) => Ok(Start::AtOnce),
        (Some(delay_ms), None) => Ok(Start::AfterMs(delay_ms)),
        // The time of day is read here, once; from then on it is a wait in cluster time.
        (None, Some(at)) => Ok(Start::AfterMs(wall_ms(at)?.saturating_sub(now_ms()))),
        (Some(_), Some(_)) => Err(ApiError::bad(
            "bad_field",
            "Send \"delayMs\" or \"executeAt\", not both: each says when the task is ready.",
        )),
    }
}

fn wall_ms(at: &Value) -> Result<u64, ApiError> {
    at.as_u64().filter(|ms| *ms < 1 << 52).ok_or_else(|| {
        ApiError::bad(
            "bad_field",
            "The field \"executeAt\" must be a time of day in milliseconds since 1970, as Date.now() gives it.",
        )
    })
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// What follows a failed attempt in a queue unless a task says otherwise.
async fn usual_retry(front: &Front, queue: Bytes) -> Result<Retry, ApiError> {
    let reading = front.desk().own_reading().await.map_err(|error| of_read(&error))?;
    match ask(reading, Query::Queue { queue }).await? {
        Answer::Queue(report) => Ok(report.settings.retry),
        _ => Ok(Retry::default()),
    }
}

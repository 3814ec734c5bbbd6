//! `/queues`: which there are, what holds in them, and whether they are paused.

use bytes::Bytes;
use hyper::StatusCode;
use queue::{Answer, Command, PAGE_TASKS_MAX, Query, Report, Settings};
use serde_json::{Value, json};

use super::{ask, carry_out, fields, other, shown, stats};
use crate::{
    answer,
    call::Call,
    consistency::{CONSISTENCY, reading},
    error::ApiError,
    front::Front,
};

/// What a queue may be told.
const KNOWN: [&str; 7] = [
    "maxLength",
    "leaseMs",
    "maxRetries",
    "backoffMs",
    "backoffLimitMs",
    "jitterPercent",
    "retentionMs",
];

const NS_PER_MS: u64 = 1_000_000;

/// `GET /queues`: a page of their names.
pub(super) async fn list(front: &Front, call: &Call) -> Result<answer::Answer, ApiError> {
    call.query.only(&["limit", "after", CONSISTENCY])?;
    let limit = fields::parameter(call, "limit", u64::from(PAGE_TASKS_MAX))?.unwrap_or_default();
    let query = Query::Queues {
        after: call.query.get("after").map(fields::bytes),
        limit: u32::try_from(limit).expect("a page's limit is small"),
    };
    match ask(reading(front, call).await?, query).await? {
        Answer::Names { names, more } => {
            let names: Vec<Value> = names.iter().map(shown::text).collect();
            let after = names.last().filter(|_| more).cloned();
            Ok(answer::Answer::ok(&json!({ "queues": names, "after": after })))
        }
        answer => Err(other(&answer)),
    }
}

/// `GET /queues/{name}`.
pub(super) async fn get(
    front: &Front,
    call: &Call,
    name: String,
) -> Result<answer::Answer, ApiError> {
    call.query.only(&[CONSISTENCY])?;
    let reading = reading(front, call).await?;
    let now = front.desk().clock.now(&reading);
    match ask(reading, Query::Queue { queue: fields::bytes(&name) }).await? {
        Answer::Queue(report) => {
            let left_ms =
                report.paused_until.map(|until| until.0.saturating_sub(now.0) / NS_PER_MS);
            Ok(answer::Answer::ok(&describe(&report, left_ms)))
        }
        Answer::Missing => {
            let message = format!(
                "The queue {name:?} is empty and has no settings of its own. It comes with its first task."
            );
            Err(ApiError::new(StatusCode::NOT_FOUND, "not_found", message))
        }
        answer => Err(other(&answer)),
    }
}

fn describe(report: &Report, pause_left_ms: Option<u64>) -> Value {
    json!({
        "queue": shown::text(&report.queue),
        "paused": pause_left_ms.is_some_and(|left_ms| left_ms > 0),
        "stats": stats::shown(&report.counts),
        "settings": settings_json(&report.settings),
    })
}

fn settings_json(settings: &Settings) -> Value {
    json!({
        "maxLength": (settings.length_max > 0).then_some(settings.length_max),
        "leaseMs": settings.lease_ms,
        "maxRetries": shown::max_retries(settings.retry),
        "backoffMs": settings.retry.first_ms,
        "backoffLimitMs": settings.retry.limit_ms,
        "jitterPercent": settings.retry.jitter_percent,
        "retentionMs": settings.retention_ms,
    })
}

/// `PUT /queues/{name}`: what is not said is as usual.
pub(super) async fn configure(
    front: &Front,
    call: &Call,
    name: String,
) -> Result<answer::Answer, ApiError> {
    call.query.only(&[])?;
    let object = call.object(&KNOWN)?;
    let usual = Settings::default();
    let settings = Settings {
        length_max: fields::number(&object, "maxLength", 1 << 52)?.unwrap_or_default(),
        lease_ms: fields::time_ms(&object, "leaseMs")?.unwrap_or(usual.lease_ms),
        retry: fields::retry(&object, usual.retry)?.unwrap_or(usual.retry),
        retention_ms: fields::time_ms(&object, "retentionMs")?.unwrap_or(usual.retention_ms),
    };
    let queue = fields::bytes(&name);
    done(front, call, Command::Configure { queue, settings: Some(settings) }).await?;
    Ok(answer::Answer::ok(&json!({ "queue": name, "settings": settings_json(&settings) })))
}

/// `DELETE /queues/{name}`: the usual settings hold again; its tasks stay.
pub(super) async fn reset(
    front: &Front,
    call: &Call,
    name: String,
) -> Result<answer::Answer, ApiError> {
    call.query.only(&[])?;
    let queue = fields::bytes(&name);
    done(front, call, Command::Configure { queue, settings: None }).await?;
    let usual = settings_json(&Settings::default());
    Ok(answer::Answer::ok(&json!({ "queue": name, "settings": usual })))
}

/// `POST /queues/{name}/pause`.
pub(super) async fn pause(
    front: &Front,
    call: &Call,
    name: String,
) -> Result<answer::Answer, ApiError> {
    call.query.only(&[])?;
    let for_ms = fields::time_ms(&call.object_or_nothing(&["forMs"])?, "forMs")?;
    let queue: Bytes = fields::bytes(&name);
    done(front, call, Command::Pause { queue, for_ms }).await?;
    Ok(answer::Answer::ok(&json!({ "queue": name, "paused": true, "forMs": for_ms })))
}

/// `POST /queues/{name}/resume`.
pub(super) async fn resume(
    front: &Front,
    call: &Call,
    name: String,
) -> Result<answer::Answer, ApiError> {
    call.query.only(&[])?;
    done(front, call, Command::Resume { queue: fields::bytes(&name) }).await?;
    Ok(answer::Answer::ok(&json!({ "queue": name, "paused": false })))
}

async fn done(front: &Front, call: &Call, command: Command) -> Result<(), ApiError> {
    match carry_out(front, call, &command).await? {
        Answer::Done => Ok(()),
        answer => Err(other(&answer)),
    }
}

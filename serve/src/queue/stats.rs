//! `GET /stats`: how many tasks stand where.

use bytes::Bytes;
use queue::{Answer, Counts, Query};
use serde_json::{Value, json};

use super::{ask, fields, other};
use crate::{
    answer,
    call::Call,
    consistency::{CONSISTENCY, reading},
    error::ApiError,
    front::Front,
};

/// Of one queue, or of all together.
pub(super) async fn stats(front: &Front, call: &Call) -> Result<answer::Answer, ApiError> {
    call.query.only(&["queue", CONSISTENCY])?;
    let reading = reading(front, call).await?;
    let query = match call.query.get("queue") {
        None => Query::Totals,
        Some(_) => Query::Queue { queue: fields::queue_of(call) },
    };
    let counts = match ask(reading, query).await? {
        Answer::Totals { counts, .. } => counts,
        Answer::Queue(report) => report.counts,
        // A queue comes with its first task and goes with its last.
        Answer::Missing => Counts::default(),
        answer => return Err(other(&answer)),
    };
    Ok(answer::Answer::ok(&shown(&counts)))
}

/// The course's four numbers, then ours.
pub(super) fn shown(counts: &Counts) -> Value {
    json!({
        "pending": counts.ready + counts.delayed,
        "processing": counts.reserved,
        "completed": counts.completions,
        "failed": counts.buried,
        "ready": counts.ready,
        "delayed": counts.delayed,
        "expired": counts.expirations,
        "put": counts.puts,
        "deliveries": counts.deliveries,
        "failures": counts.failures,
        "timeouts": counts.timeouts,
        "deleted": counts.deletions,
    })
}

/// The course's four numbers of a queue as this node has them; null if it cannot read now, which is no reason to
/// doubt what was answered.
pub(super) async fn of_queue(front: &Front, queue: Bytes) -> Value {
    let Ok(reading) = front.desk().own_reading().await else {
        return Value::Null;
    };
    let counts = match (Query::Queue { queue }).answer(&reading) {
        Ok(Answer::Queue(report)) => report.counts,
        _ => return Value::Null,
    };
    json!({
        "pending": counts.ready + counts.delayed,
        "processing": counts.reserved,
        "completed": counts.completions,
        "failed": counts.buried,
    })
}

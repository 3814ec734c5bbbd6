//! `GET /dequeue`.

use std::{sync::Arc, time::Duration};

use hyper::StatusCode;
use queue::{Answer, Query};
use tokio::time::timeout;

use super::{DEFAULT_QUEUE, Given, Interest, Terms, fields, invalid, of_write, shown};
use crate::{answer, call::Call, error::ApiError, front::Front};

/// The longest that a client is kept waiting, in seconds.
const WAIT_S_MAX: u64 = 300;

/// Hands out a task, at once or within `?wait=` seconds: 200, or 204 if there is none.
pub(super) async fn dequeue(front: &Front, call: &Call) -> Result<answer::Answer, ApiError> {
    call.query.only(&["queue", "type", "wait", "leaseMs"])?;
    let interest = interest(call)?;
    let lease_ms = fields::parameter_ms(call, "leaseMs")?;
    let terms = Terms { lease_ms, holder: None };
    let given = match wait_of(call)? {
        Duration::ZERO => {
            let given = front.desk().take_now(&interest, terms).await;
            given.map_err(|error| of_write(&error))?
        }
        wait => {
            let mut line = front.desk().wait(&Arc::new(interest), terms);
            match timeout(wait, line.task()).await {
                Ok(given) => Some(given),
                Err(_) => line.leave().await,
            }
        }
    };
    match given {
        Some(given) => Ok(handed_out(front, &given).await),
        None => Ok(answer::Answer::empty(StatusCode::NO_CONTENT)),
    }
}

/// For how long the client wants to be kept waiting.
pub(super) fn wait_of(call: &Call) -> Result<Duration, ApiError> {
    let seconds = fields::parameter(call, "wait", WAIT_S_MAX)?;
    Ok(Duration::from_secs(seconds.unwrap_or_default()))
}

fn interest(call: &Call) -> Result<Interest, ApiError> {
    let mut queues: Vec<_> = call.query.all("queue").map(fields::bytes).collect();
    if queues.is_empty() {
        queues.push(fields::bytes(DEFAULT_QUEUE));
    }
    let kinds: Vec<_> = call.query.all("type").map(fields::bytes).collect();
    let take = queue::Take {
        queues: queues.clone(),
        kinds: kinds.clone(),
        count: 1,
        lease_ms: None,
        holder: None,
    };
    queue::Command::Take(take).check().map_err(invalid)?;
    Ok(Interest { queues, kinds })
}

/// What the worker gets. The task itself is shown as this node has it, which is as of the take or later.
async fn handed_out(front: &Front, given: &Given) -> answer::Answer {
    let reading = front.desk().own_reading().await.ok();
    let found = reading.as_ref().map(|it| (Query::Get { task: given.task.task }).answer(it));
    let details = match found {
        Some(Ok(Answer::Found(details))) => Some(details),
        _ => None,
    };
    answer::Answer::ok(&shown::given(given, details.as_deref()))
}

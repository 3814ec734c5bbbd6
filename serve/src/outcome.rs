//! From how a request ended inside to what the client is told: not done, perhaps done, or damaged.

use host::RequestError;
use hyper::StatusCode;
use kernel::{Fault, Refusal};

use crate::error::ApiError;

const UNKNOWN: &str = "Nobody can say whether the write happened: it may have, it may still, or it may never. \
     Read to find out, or repeat it with the same X-Client-Id and X-Serial: it then takes effect \
     once.";

/// What to tell the client of a write or of another request through the log.
pub(crate) fn of_write(error: RequestError) -> ApiError {
    match error {
        RequestError::Unknown => unknown(),
        other => of_read(other),
    }
}

/// What to tell the client of a read, which can always be repeated.
pub(crate) fn of_read(error: RequestError) -> ApiError {
    match error {
        RequestError::Refused(refusal) => refused(&refusal),
        RequestError::Unknown => {
            ApiError::unavailable("no_leader", "The read could not be confirmed; try again.")
        }
        RequestError::Forgotten => ApiError::new(
            StatusCode::CONFLICT,
            "forgotten",
            "This X-Serial is far behind the latest of its client, so its outcome is no longer \
             known. Read to find out, and number new requests higher.",
        ),
        RequestError::Stopped => stopping(),
        other => ApiError::unavailable("busy", format!("The node cannot do that now: {other}.")),
    }
}

/// A request that took longer than any request may.
pub(crate) fn out_of_time(is_write: bool) -> ApiError {
    if is_write {
        return unknown();
    }
    ApiError::unavailable(
        "no_leader",
        "There was no answer in time; is a majority of the nodes up?",
    )
}

/// The tables could not be read: this node is about to stop.
pub(crate) fn broken(fault: &Fault) -> ApiError {
    tracing::error!("A read failed: {fault}.");
    let message = format!("This node is damaged: {fault}. Ask another node; see this node's log.");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", message)
}

fn unknown() -> ApiError {
    ApiError::new(StatusCode::GATEWAY_TIMEOUT, "unknown", UNKNOWN)
}

fn stopping() -> ApiError {
    ApiError::unavailable("stopping", "The node is stopping; ask another node.")
}

fn refused(refusal: &Refusal) -> ApiError {
    let because = |advice: &str| format!("Not done: {refusal}. {advice}");
    let conflict = |code, advice| ApiError::new(StatusCode::CONFLICT, code, because(advice));
    match refusal {
        Refusal::NoLeader => ApiError::unavailable(
            "no_leader",
            "Not done: no leader is known. Is a majority of the nodes up? Try again in a moment.",
        ),
        Refusal::LeadershipLost => {
            ApiError::unavailable("leadership_lost", because("Try again at once."))
        }
        Refusal::Busy => ApiError::unavailable("busy", because("Try again in a moment.")),
        Refusal::Transferring => {
            ApiError::unavailable("transferring", because("Try again in a moment."))
        }
        Refusal::Stopping => stopping(),
        Refusal::DiskFull => ApiError::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "disk_full",
            because("Reads go on; writes will too, once there is room."),
        ),
        Refusal::TooLarge { limit } => {
            ApiError::too_large("body_too_large", because("Send less.")).with("limitBytes", *limit)
        }
        Refusal::ChangeUnderWay => conflict("change_under_way", "Try again once it is done."),
        Refusal::NotCaughtUp { behind } => {
            conflict("not_caught_up", "See GET /status of the leader.").with("behind", *behind)
        }
        Refusal::TooFewVoters => conflict(
            "too_few_voters",
            "Start them, or choose others; see GET /status of the leader.",
        ),
        Refusal::BadChange(_) => ApiError::bad("bad_change", because("See GET /members.")),
    }
}

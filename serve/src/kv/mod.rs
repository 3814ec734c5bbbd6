//! The key/value store over HTTP: chapter 15's interface, with its faults mended.
//!
//! ```text
//! POST   /kv  {key, value, expect?}    200 {key, value}     409 if expect does not hold
//! GET    /kv/{key}                     200 {key, value}     404
//! DELETE /kv/{key}  {expect?}          200 {key, deleted}   409 if expect does not hold
//! GET    /kv?prefix=&limit=&after=     200 {items: [{key, value, revision}], after}
//! ```
//! Reads are linearizable on every node; `?consistency=stale` reads this node's own copy, at once.
//! `X-Revision` tells when the pair was last written.

mod delete;
mod expect;
mod get;
mod list;
mod put;
mod route;

pub(crate) use list::page_of;
pub(crate) use route::{ROUTES, Resource};

use bytes::Bytes;
use hyper::{Method, StatusCode};
use kernel::{Fault, Reading, Wire};
use kv::{Answer, Command, Failure, Invalid, KEY_BYTES_MAX, Query, VALUE_BYTES_MAX};
use raft::Request;

use crate::{answer, call::Call, error::ApiError, front::Front, observe, outcome, quota};

/// Answers a call that is about the store.
pub(crate) async fn answer(
    front: &Front,
    call: &Call,
    resource: Resource,
) -> Result<answer::Answer, ApiError> {
    let method = &call.method;
    match resource {
        Resource::Pairs if method == Method::GET => list::list(front, call).await,
        Resource::Pairs if method == Method::POST => put::put(front, call).await,
        Resource::Pair(key) if method == Method::GET => get::get(front, call, key).await,
        Resource::Pair(key) if method == Method::DELETE => delete::delete(front, call, key).await,
        Resource::Debug if method == Method::GET => observe::debug(front).await,
        Resource::Version if method == Method::GET => Ok(observe::version()),
        other => Err(ApiError::method_not_allowed(other.allow())),
    }
}

/// Puts a command through the log; `call` may name a session.
async fn carry_out(front: &Front, call: &Call, command: &Command) -> Result<Answer, ApiError> {
    command.check().map_err(invalid)?;
    if quota::is_exceeded(front, command).await {
        return Err(failed(Failure::NoSpace));
    }
    let request = Request::Command { data: command.to_bytes(), session: call.session()? };
    let answer = front.node.request(request).await.map_err(outcome::of_write)?;
    Answer::from_bytes(answer).map_err(|error| {
        outcome::broken(&Fault::Corrupt(format!("the store's answer cannot be read: {error}")))
    })
}

fn ask(reading: &Reading, query: &Query) -> Result<Answer, ApiError> {
    query.answer(reading).map_err(|fault| outcome::broken(&fault))
}

/// An answer that is not what was asked for: a rule broken, or else a bug, told as one.
fn other(answer: &Answer) -> ApiError {
    if let Answer::Invalid(reason) = answer {
        return invalid(*reason);
    }
    if let Answer::Failed(failure) = answer {
        return failed(*failure);
    }
    outcome::broken(&Fault::StateMachine(format!("an answer that was not asked for: {answer:?}")))
}

/// The store refuses: an alarm stands, or it must know who asks, which this interface cannot tell it.
fn failed(failure: Failure) -> ApiError {
    let message = format!("Not done: {failure}.");
    match failure {
        Failure::NoSpace => ApiError::new(
            StatusCode::INSUFFICIENT_STORAGE,
            "no_space",
            format!(
                "{message} Delete and compact; then disarm the alarm, as with `etcdctl alarm disarm`."
            ),
        ),
        Failure::Corrupt => ApiError::unavailable(
            "corrupt",
            format!("{message} Repair it; then disarm the alarm, as with `etcdctl alarm disarm`."),
        ),
        Failure::Auth(_) => ApiError::new(
            StatusCode::FORBIDDEN,
            "auth",
            format!(
                "{message} Authentication is on: use a client of etcd's, which can say who it is."
            ),
        ),
        other => outcome::broken(&Fault::StateMachine(format!("an unexpected failure: {other}"))),
    }
}

/// The command or the query breaks a rule of the store.
fn invalid(invalid: Invalid) -> ApiError {
    let message = format!("Not done: {invalid}.");
    match invalid {
        Invalid::KeyEmpty => ApiError::bad("bad_key", message),
        Invalid::KeyTooLong => {
            ApiError::too_large("key_too_large", message).with("limitBytes", KEY_BYTES_MAX)
        }
        Invalid::ValueTooLong => {
            ApiError::too_large("value_too_large", message).with("limitBytes", VALUE_BYTES_MAX)
        }
        Invalid::Malformed => outcome::broken(&Fault::StateMachine(message)),
    }
}

/// Bytes as JSON can carry them: what other fronts wrote may be no text.
pub(crate) fn shown(bytes: &Bytes) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

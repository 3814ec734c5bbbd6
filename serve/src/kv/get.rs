//! `GET /kv/{key}`.

use bytes::Bytes;
use hyper::StatusCode;
use kv::Query;
use serde_json::json;

use super::{ask, other, shown};
use crate::{
    answer::Answer,
    call::Call,
    consistency::{CONSISTENCY, reading},
    error::ApiError,
    front::Front,
};

/// Reads a pair.
pub(super) async fn get(front: &Front, call: &Call, key: String) -> Result<Answer, ApiError> {
    call.query.only(&[CONSISTENCY])?;
    let query = Query::Get { key: Bytes::copy_from_slice(key.as_bytes()) };
    let reading = reading(front, call).await?;
    match ask(&reading, &query)? {
        kv::Answer::Found(item) => {
            let body = json!({ "key": key, "value": shown(&item.value) });
            Ok(Answer::ok(&body).revision(item.modified))
        }
        kv::Answer::Missing => {
            let message = format!("There is no key {key:?}.");
            Err(ApiError::new(StatusCode::NOT_FOUND, "not_found", message))
        }
        answer => Err(other(&answer)),
    }
}

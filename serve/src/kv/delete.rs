//! `DELETE /kv/{key}`.

use bytes::Bytes;
use kv::Command;
use serde_json::json;

use super::{carry_out, expect, other};
use crate::{answer::Answer, call::Call, error::ApiError, front::Front};

/// Removes a pair, and says honestly whether there was one.
pub(super) async fn delete(front: &Front, call: &Call, key: String) -> Result<Answer, ApiError> {
    call.query.only(&[])?;
    let object = call.object_or_nothing(&["expect"])?;
    let expect = expect::expectation(object.get("expect"))?;
    let command = Command::Delete { key: Bytes::copy_from_slice(key.as_bytes()), expect };
    match carry_out(front, call, &command).await? {
        kv::Answer::Deleted { was_there, revision } => {
            Ok(Answer::ok(&json!({ "key": key, "deleted": was_there })).revision(revision))
        }
        kv::Answer::Mismatch { current } => Err(expect::mismatch(current)),
        answer => Err(other(&answer)),
    }
}

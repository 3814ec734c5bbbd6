//! `POST /kv`.

use bytes::Bytes;
use kv::Command;
use serde_json::{Map, Value, json};

use super::{carry_out, expect, other};
use crate::{answer::Answer, call::Call, error::ApiError, front::Front};

/// Writes a pair. Answers once this very write is committed and applied.
pub(super) async fn put(front: &Front, call: &Call) -> Result<Answer, ApiError> {
    call.query.only(&[])?;
    let object = call.object(&["key", "value", "expect"])?;
    let key = text(&object, "key", "bad_key")?;
    let value = text(&object, "value", "bad_value")?;
    let expect = expect::expectation(object.get("expect"))?;
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    let command = Command::Put { key: bytes(key), value: bytes(value), expect };
    match carry_out(front, call, &command).await? {
        kv::Answer::Put { revision, .. } => {
            Ok(Answer::ok(&json!({ "key": key, "value": value })).revision(revision))
        }
        kv::Answer::Mismatch { current } => Err(expect::mismatch(current)),
        answer => Err(other(&answer)),
    }
}

fn text<'a>(
    object: &'a Map<String, Value>,
    name: &str,
    code: &'static str,
) -> Result<&'a str, ApiError> {
    match object.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(ApiError::bad(
            code,
            format!("The field {name:?} must be a text; write numbers and objects as text."),
        )),
        None => Err(ApiError::bad(
            code,
            format!(
                "The field {name:?} is missing; send {{\"key\": \"...\", \"value\": \"...\"}}."
            ),
        )),
    }
}

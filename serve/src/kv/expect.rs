//! What a client expects of a pair before it is written: `expect` in JSON.

use bytes::Bytes;
use hyper::StatusCode;
use kv::Expect;
use serde_json::Value;

use crate::error::ApiError;

/// Reads `expect`: null is "must be absent", a text "must be equal", `{"revision": n}` "must be as of".
pub(super) fn expectation(value: Option<&Value>) -> Result<Expect, ApiError> {
    match value {
        None => Ok(Expect::Any),
        Some(Value::Null) => Ok(Expect::Absent),
        Some(Value::String(text)) => Ok(Expect::Value(Bytes::copy_from_slice(text.as_bytes()))),
        Some(Value::Object(object)) if object.len() == 1 => {
            let revision = object.get("revision").and_then(Value::as_u64);
            revision.map(Expect::Revision).ok_or_else(wrong_kind)
        }
        Some(_) => Err(wrong_kind()),
    }
}

/// The pair was not as expected, and nothing was written. `current` is the revision that last changed
/// it, if it is there.
pub(super) fn mismatch(current: Option<u64>) -> ApiError {
    let message = match current {
        None => "The key does not exist, which was not expected; nothing was changed.",
        Some(_) => "The key exists and is not as expected; nothing was changed.",
    };
    let error = ApiError::new(StatusCode::CONFLICT, "mismatch", message);
    let error = error.with("currentRevision", current);
    current.into_iter().fold(error, ApiError::at_revision)
}

fn wrong_kind() -> ApiError {
    ApiError::bad(
        "bad_expect",
        "The field \"expect\" must be null (the key must be absent), a text (the value must be \
         equal) or {\"revision\": n}.",
    )
}

#[cfg(test)]
mod tests {
    use super::expectation;
    use kv::Expect;
    use serde_json::json;

    #[test]
    fn there_are_four_things_to_expect() {
        assert_eq!(expectation(None).unwrap(), Expect::Any);
        assert_eq!(expectation(Some(&json!(null))).unwrap(), Expect::Absent);
        assert_eq!(expectation(Some(&json!("a"))).unwrap(), Expect::Value("a".into()));
        assert_eq!(expectation(Some(&json!({"revision": 7}))).unwrap(), Expect::Revision(7));
    }

    #[test]
    fn everything_else_is_a_mistake() {
        for wrong in [json!(1), json!([]), json!({}), json!({"revision": -1}), json!({"rev": 1})] {
            assert!(expectation(Some(&wrong)).is_err(), "{wrong}");
        }
    }
}

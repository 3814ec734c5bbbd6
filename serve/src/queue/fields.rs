//! Reading the fields of a request: what is missing, of another kind or out of bounds is told by name.

use bytes::Bytes;
use queue::{Claim, PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_NORMAL, Retry};
use serde_json::{Map, Value};

use super::DEFAULT_QUEUE;
use crate::{call::Call, error::ApiError};

/// The fields of an object.
pub(super) type Fields = Map<String, Value>;

/// The longest time that a field may name, in milliseconds: a hundred years.
const TIME_MS_MAX: u64 = 100 * 366 * 86_400_000;

/// The fields that say what follows a failed attempt.
pub(super) const RETRY: [&str; 4] = ["maxRetries", "backoffMs", "backoffLimitMs", "jitterPercent"];

/// A text, if it is there.
pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> Result<Option<&'a str>, ApiError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad(name, "a text")),
    }
}

/// A whole number, if it is there.
pub(super) fn number(fields: &Fields, name: &str, most: u64) -> Result<Option<u64>, ApiError> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().filter(|number| *number <= most);
            number.map(Some).ok_or_else(|| bad(name, &format!("a whole number from 0 to {most}")))
        }
    }
}

/// A time in milliseconds, if it is there.
pub(super) fn time_ms(fields: &Fields, name: &str) -> Result<Option<u64>, ApiError> {
    number(fields, name, TIME_MS_MAX)
}

/// A priority, if there is one: a name or a number.
pub(super) fn priority(fields: &Fields) -> Result<Option<u32>, ApiError> {
    const NAME: &str = "priority";
    match fields.get(NAME) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if name == "high" => Ok(Some(PRIORITY_HIGH)),
        Some(Value::String(name)) if name == "normal" => Ok(Some(PRIORITY_NORMAL)),
        Some(Value::String(name)) if name == "low" => Ok(Some(PRIORITY_LOW)),
        Some(value) => {
            let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
            let what = "\"high\", \"normal\", \"low\" or a whole number from 0 to 4294967295, of which \
                        the lowest is served first";
            number.map(Some).ok_or_else(|| bad(NAME, what))
        }
    }
}

/// What follows a failed attempt, where it differs from `usual`; nothing if it does not.
pub(super) fn retry(fields: &Fields, usual: Retry) -> Result<Option<Retry>, ApiError> {
    if !RETRY.iter().any(|name| fields.contains_key(*name)) {
        return Ok(None);
    }
    let [max_retries, backoff, limit, jitter] = RETRY;
    let attempts_max = match fields.get(max_retries) {
        None => usual.attempts_max,
        // As in the course: three retries at most are three attempts in all.
        Some(Value::Null) => 0,
        Some(_) => {
            let most = number(fields, max_retries, u64::from(u32::MAX))?.unwrap_or_default();
            u32::try_from(most).expect("checked to be a u32").max(1)
        }
    };
    let first_ms = time_ms(fields, backoff)?.unwrap_or(usual.first_ms);
    let percent = number(fields, jitter, 100)?.unwrap_or_else(|| usual.jitter_percent.into());
    Ok(Some(Retry {
        attempts_max,
        first_ms,
        limit_ms: time_ms(fields, limit)?.unwrap_or(usual.limit_ms).max(first_ms),
        jitter_percent: u8::try_from(percent).expect("checked to be at most 100"),
    }))
}

/// The lease that a worker gives back as it got it.
pub(super) fn lease(fields: &Fields) -> Result<Claim, ApiError> {
    claim(fields)?.ok_or_else(|| {
        ApiError::bad(
            "bad_lease",
            "The field \"lease\" is missing; send it as GET /dequeue gave it: it proves that you are the worker \
             who has the task now.",
        )
    })
}

/// The lease, if there is one.
pub(super) fn claim(fields: &Fields) -> Result<Option<Claim>, ApiError> {
    let Some(value) = fields.get("lease") else {
        return Ok(None);
    };
    let token = value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_u64());
    let token = token.ok_or_else(|| {
        let message = "The field \"lease\" is none; send it as GET /dequeue gave it, a text.";
        ApiError::bad("bad_lease", message)
    })?;
    Ok(Some(Claim::Token(token)))
}

/// The queue that a parameter names.
pub(super) fn queue_of(call: &Call) -> Bytes {
    bytes(call.query.get("queue").unwrap_or(DEFAULT_QUEUE))
}

/// A whole number as a parameter, if it is there.
pub(super) fn parameter(call: &Call, name: &str, most: u64) -> Result<Option<u64>, ApiError> {
    let Some(text) = call.query.get(name) else {
        return Ok(None);
    };
    text.parse().ok().filter(|number| *number <= most).map(Some).ok_or_else(|| {
        let message = format!("The parameter {name:?} must be a whole number from 0 to {most}.");
        ApiError::bad("bad_query", message)
    })
}

/// As [`parameter`], a time in milliseconds.
pub(super) fn parameter_ms(call: &Call, name: &str) -> Result<Option<u64>, ApiError> {
    parameter(call, name, TIME_MS_MAX)
}

/// The bytes of a text.
pub(super) fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// The bytes of a JSON value, as it is stored.
pub(super) fn json_bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

fn bad(name: &str, what: &str) -> ApiError {
    ApiError::bad("bad_field", format!("The field {name:?} must be {what}."))
}

#[cfg(test)]
mod tests {
    use super::{Fields, claim, lease, priority, retry};
    use queue::{Claim, Retry};
    use serde_json::{Value, json};

    fn fields(value: Value) -> Fields {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_priority_has_a_name_or_a_number() {
        let of = |value: Value| priority(&fields(json!({ "priority": value }))).ok().flatten();
        assert_eq!(of(json!("high")), Some(512));
        assert_eq!(of(json!("normal")), Some(65_536));
        assert_eq!(of(json!("low")), Some(1 << 24));
        assert_eq!(of(json!(0)), Some(0));
        for wrong in [json!("urgent"), json!(-1), json!(1.5), json!(1u64 << 32), json!([])] {
            assert!(priority(&fields(json!({ "priority": wrong }))).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_said_of_retries_is_as_usual() {
        let of = |value: Value| retry(&fields(value), Retry::default()).unwrap();
        assert_eq!(of(json!({})), None);
        let three = of(json!({ "maxRetries": 5 })).unwrap();
        assert_eq!(three, Retry { attempts_max: 5, ..Retry::default() });
        assert_eq!(of(json!({ "maxRetries": 0 })).unwrap().attempts_max, 1);
        assert_eq!(of(json!({ "maxRetries": null })).unwrap().attempts_max, 0);
        assert_eq!(of(json!({ "backoffMs": 100_000 })).unwrap().limit_ms, 100_000);
        assert!(retry(&fields(json!({ "jitterPercent": 101 })), Retry::default()).is_err());
    }

    #[test]
    fn a_lease_is_given_back_as_it_was_got() {
        assert_eq!(lease(&fields(json!({ "lease": "3" }))).unwrap(), Claim::Token(3));
        assert_eq!(lease(&fields(json!({ "lease": 3 }))).unwrap(), Claim::Token(3));
        assert!(lease(&fields(json!({}))).is_err());
        assert_eq!(claim(&fields(json!({}))).unwrap(), None);
        assert!(claim(&fields(json!({ "lease": "mine" }))).is_err());
    }
}

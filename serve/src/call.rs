//! One request as the handlers see it: what is wanted, by which parameters, with which body.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::{HeaderMap, Method};
use kernel::{ClientId, Session};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_128;

use crate::{error::ApiError, percent};

/// The longest text that a client may call itself, in bytes.
const CLIENT_BYTES_MAX: usize = 64;

/// A request whose body has arrived whole.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    /// The body as a JSON object with no other fields than `known`: a misspelt `expect` must not turn
    /// a careful write into a careless one.
    pub(crate) fn object(&self, known: &[&str]) -> Result<Map<String, Value>, ApiError> {
        if self.body.is_empty() {
            let fields = known.join(", ");
            return Err(ApiError::bad(
                "not_json",
                format!("The body is empty; send a JSON object with these fields: {fields}."),
            ));
        }
        let value: Value = serde_json::from_slice(&self.body).map_err(|error| {
            ApiError::bad("not_json", format!("The body is not JSON: {error}."))
        })?;
        let Value::Object(object) = value else {
            return Err(ApiError::bad("not_json", "The body must be a JSON object, {...}."));
        };
        if let Some(name) = object.keys().find(|name| !known.contains(&name.as_str())) {
            let fields = known.join(", ");
            let message = format!("The field {name:?} is not known here; known are: {fields}.");
            return Err(ApiError::bad("bad_field", message));
        }
        Ok(object)
    }

    /// As [`Call::object`]; no body at all is an empty object.
    pub(crate) fn object_or_nothing(&self, known: &[&str]) -> Result<Map<String, Value>, ApiError> {
        if self.body.is_empty() { Ok(Map::new()) } else { self.object(known) }
    }

    /// The session that the headers name: `X-Client-Id`, a text that no other client uses, and
    /// `X-Serial`, the client's own number for this request.
    pub(crate) fn session(&self) -> Result<Option<Session>, ApiError> {
        match (self.text_header("x-client-id")?, self.text_header("x-serial")?) {
            (None, None) => Ok(None),
            (Some(client), Some(serial)) => session(client, serial).map(Some),
            _ => Err(ApiError::bad(
                "bad_header",
                "Send X-Client-Id and X-Serial together, or neither of them.",
            )),
        }
    }

    fn text_header(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let Some(value) = self.headers.get(name) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| {
            ApiError::bad("bad_header", format!("The header {name} is not a UTF-8 text."))
        })?;
        Ok(Some(text))
    }
}

fn session(client: &str, serial: &str) -> Result<Session, ApiError> {
    if client.is_empty() || client.len() > CLIENT_BYTES_MAX {
        return Err(ApiError::bad(
            "bad_header",
            format!("X-Client-Id must have from 1 to {CLIENT_BYTES_MAX} bytes."),
        ));
    }
    let serial = serial.parse().map_err(|_| {
        ApiError::bad("bad_header", "X-Serial must be a whole number from 0 to 2^64 - 1.")
    })?;
    // 128 bits: two of a billion clients share a number once in 10^20 clusters.
    Ok(Session { client: ClientId(xxh3_128(client.as_bytes())), serial })
}

/// The parameters after the question mark, decoded.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads `a=1&b=2`; `+` is a space, as browsers send it.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let decode = |part: &str| {
            let spaced = part.replace('+', "%20");
            percent::decode(&spaced).map(Cow::into_owned).ok_or_else(|| {
                ApiError::bad("bad_query", "The query is not percent-encoded UTF-8 text.")
            })
        };
        let mut pairs = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            pairs.push((decode(name)?, decode(value)?));
        }
        Ok(Self { pairs })
    }

    /// The value of `name`, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// All values of `name`, in order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Refuses parameters other than `known`.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        let stranger = self.pairs.iter().find(|(name, _)| !known.contains(&name.as_str()));
        stranger.map_or(Ok(()), |(name, _)| {
            let message = match known {
                [] => format!("The parameter {name:?} is not known here; there are none."),
                _ => format!(
                    "The parameter {name:?} is not known here; known are: {}.",
                    known.join(", ")
                ),
            };
            Err(ApiError::bad("bad_query", message))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Query};
    use bytes::Bytes;
    use hyper::{HeaderMap, Method};

    fn call(body: &'static str) -> Call {
        Call {
            method: Method::POST,
            query: Query::default(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn a_query_is_decoded_and_strangers_are_refused() {
        let query = Query::parse("prefix=a%2Fb+c&limit=5").unwrap();
        assert_eq!(query.get("prefix"), Some("a/b c"));
        assert_eq!(query.get("after"), None);
        assert!(query.only(&["prefix", "limit"]).is_ok());
        assert!(query.only(&["prefix"]).is_err());
        assert!(Query::parse("prefix=%ff").is_err());
    }

    #[test]
    fn a_body_is_an_object_of_known_fields() {
        assert!(call(r#"{"key":"a"}"#).object(&["key"]).is_ok());
        assert!(call("").object_or_nothing(&["key"]).is_ok());
        for bad in ["", "[]", "5", "{", r#"{"kee":"a"}"#, "\u{fffd}"] {
            assert!(call(bad).object(&["key"]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_session_has_a_client_and_a_serial() {
        let with = |client: Option<&str>, serial: Option<&str>| {
            let mut call = call("");
            for (name, value) in [("x-client-id", client), ("x-serial", serial)] {
                if let Some(value) = value {
                    call.headers.insert(name, value.parse().unwrap());
                }
            }
            call.session()
        };
        assert!(with(None, None).unwrap().is_none());
        assert_eq!(with(Some("app-7"), Some("12")).unwrap().unwrap().serial, 12);
        assert!(with(Some("app-7"), None).is_err());
        assert!(with(Some("app-7"), Some("-1")).is_err());
        assert!(with(Some(&"x".repeat(65)), Some("1")).is_err());
    }
}

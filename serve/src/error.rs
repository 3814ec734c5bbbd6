//! What a client is told when something does not go well: JSON in plain English, with a code that
//! programs can rely on.
//!
//! ```text
//! {"error": "a sentence, what to do next", "code": "one_word", ...}
//!
//! 400  not_json bad_field bad_key bad_value bad_expect bad_query bad_header bad_path bad_member bad_change
//!      bad_task bad_queue bad_type bad_lease too_many
//! 403  auth
//! 404  not_found no_such_route no_such_member      405  method_not_allowed (with Allow)
//! 408  too_slow      409  mismatch forgotten change_under_way not_caught_up too_few_voters
//!      not_held reserved wrong_state
//! 413  key_too_large value_too_large body_too_large payload_too_large result_too_large error_too_large
//! 429  full (with Retry-After)
//! 500  fault         503  no_leader leadership_lost busy transferring stopping too_many_connections
//!      corrupt
//! 504  unknown: nobody can say whether it happened  507  disk_full no_space
//! ```

use std::borrow::Cow;

use hyper::{
    StatusCode,
    header::{ALLOW, CONNECTION, HeaderValue, RETRY_AFTER},
};
use serde_json::{Map, Value};

use crate::answer::Answer;

/// A request that did not end well.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    retry_after_s: Option<u32>,
    allow: Option<&'static str>,
    fields: Vec<(&'static str, Value)>,
    revision: Option<u64>,
    closes: bool,
}

impl ApiError {
    /// An error with a status, a code for programs and a sentence for people.
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after_s: None,
            allow: None,
            fields: Vec::new(),
            revision: None,
            closes: false,
        }
    }

    /// The request itself is wrong: 400.
    pub(crate) fn bad(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Something is over its limit: 413.
    pub(crate) fn too_large(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, code, message)
    }

    /// Not done, and worth another try in a moment: 503 with `Retry-After`.
    pub(crate) fn unavailable(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message);
        Self { retry_after_s: Some(1), ..error }
    }

    /// The path exists, the method does not: 405 with `Allow`.
    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let message = format!("This path knows these methods only: {allow}.");
        let error = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
        Self { allow: Some(allow), ..error }
    }

    /// Adds in how many seconds another try may go better.
    pub(crate) const fn retrying_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Adds a field for programs.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Adds the revision that stands in the way.
    pub(crate) const fn at_revision(mut self, revision: u64) -> Self {
        self.revision = Some(revision);
        self
    }

    /// The connection cannot go on after this answer.
    pub(crate) const fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// The answer that says so.
    pub(crate) fn into_answer(self) -> Answer {
        let mut body = Map::new();
        body.insert("error".to_owned(), Value::from(self.message));
        body.insert("code".to_owned(), Value::from(self.code));
        for (name, value) in self.fields {
            body.insert(name.to_owned(), value);
        }
        let mut answer = Answer::json(self.status, &Value::Object(body));
        if let Some(seconds) = self.retry_after_s {
            answer = answer.header(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow {
            answer = answer.header(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(revision) = self.revision {
            answer = answer.revision(revision);
        }
        if self.closes {
            answer = answer.header(CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }
}

//! An answer on its way to a client.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::Value;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The version of the text format that Prometheus reads.
const METRICS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// When a pair was last written: the index of the entry that did.
pub(crate) const REVISION: HeaderName = HeaderName::from_static("x-revision");

/// Status, headers and the whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    response: Response<Full<Bytes>>,
}

impl Answer {
    /// A JSON answer.
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        let mut text = body.to_string();
        text.push('\n');
        Self::new(status, JSON, text)
    }

    /// A JSON answer that says that all went well.
    pub(crate) fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// An answer that says all with its status.
    pub(crate) fn empty(status: StatusCode) -> Self {
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = status;
        Self { response }
    }

    /// A page for Prometheus.
    pub(crate) fn metrics(text: String) -> Self {
        Self::new(StatusCode::OK, METRICS, text)
    }

    fn new(status: StatusCode, content_type: HeaderValue, text: String) -> Self {
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        Self { response }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.response.headers_mut().insert(name, value);
        self
    }

    /// Adds the revision.
    pub(crate) fn revision(self, revision: u64) -> Self {
        self.header(REVISION, HeaderValue::from(revision))
    }

    /// The status.
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The answer as the HTTP library wants it.
    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        self.response
    }
}

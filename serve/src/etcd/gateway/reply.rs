//! Answers of HTTP, all with the headers that let pages of other sites read them.

use std::error::Error;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        CONTENT_TYPE, HeaderName, HeaderValue,
    },
};
use serde::Serialize;
use serde_json::Value;
use tonic::{Status, body::Body};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const FOR_ALL_SITES: [(HeaderName, &str); 3] = [
    (ACCESS_CONTROL_ALLOW_HEADERS, "accept, content-type, authorization"),
    (ACCESS_CONTROL_ALLOW_METHODS, "POST, GET, OPTIONS, PUT, DELETE"),
    (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
];

/// A message as JSON.
pub(super) fn message(message: &impl Serialize) -> Result<Response<Body>, Status> {
    Ok(with_json(StatusCode::OK, Full::new(Bytes::from(written(message)?))))
}

/// The JSON of a message. Only an enum with a number that has no name cannot be written.
pub(super) fn written(message: &impl Serialize) -> Result<Vec<u8>, Status> {
    serde_json::to_vec(message).map_err(|error| Status::internal(error.to_string()))
}

/// JSON that is no message.
pub(super) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    with_json(status, Full::new(Bytes::from(value.to_string())))
}

/// A body of JSON, in one piece or in many.
pub(super) fn with_json<B>(status: StatusCode, body: B) -> Response<Body>
where
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    answer(status, Some(JSON), Body::new(body))
}

/// A text for people.
pub(super) fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    answer(status, Some(TEXT), Body::new(Full::new(Bytes::from_static(text.as_bytes()))))
}

/// What a browser asks before it lets a page ask.
pub(super) fn options() -> Response<Body> {
    answer(StatusCode::OK, None, Body::empty())
}

fn answer(status: StatusCode, content: Option<HeaderValue>, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in FOR_ALL_SITES {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(content) = content {
        headers.insert(CONTENT_TYPE, content);
    }
    response
}

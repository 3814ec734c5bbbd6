//! Why there is no answer, as clients of the gateway know it.

use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use tonic::{Code, Status, body::Body};

use super::reply;

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The path names no method.
    NoSuchPath,
    /// It names one, and methods are asked by POST.
    NotPosted,
    /// The method refuses, or the body cannot be read.
    Status(Status),
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl Refusal {
    /// What the client is told.
    pub(super) fn into_answer(self) -> Response<Body> {
        match self {
            Self::NoSuchPath => reply::text(StatusCode::NOT_FOUND, "Not Found\n"),
            Self::NotPosted => reply::text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n"),
            Self::Status(status) => reply::json(http_status(status.code()), &plain(&status)),
        }
    }
}

/// As the body of an answer. The old gateway writes the first three, that of 3.6 the last three.
fn plain(status: &Status) -> Value {
    let message = status.message();
    json!({ "error": message, "message": message, "code": status.code() as i32, "details": [] })
}

/// As the end of a stream. The old gateway writes the first four, that of 3.6 the message and the last two.
pub(super) fn on_a_stream(status: &Status) -> Value {
    let http = http_status(status.code());
    let code = status.code() as i32;
    json!({ "error": {
        "grpc_code": code,
        "http_code": http.as_u16(),
        "message": status.message(),
        "http_status": http.canonical_reason(),
        "code": code,
        "details": [],
    }})
}

/// What a code of gRPC is in HTTP.
pub(super) const fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Cancelled => StatusCode::REQUEST_TIMEOUT,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        // As etcd 3.4. Later gateways have 400 here, where it cannot be told from a bad argument.
        Code::FailedPrecondition => StatusCode::PRECONDITION_FAILED,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
    }
}

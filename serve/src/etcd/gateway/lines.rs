//! A stream of answers as lines of JSON.
//!
//! ```text
//! {"result":{...}}     one for each message
//! {"error":{...}}      the last, if the stream breaks
//! ```

use std::{convert::Infallible, mem};

use bytes::Bytes;
use http_body_util::{Full, StreamBody};
use hyper::{Response, StatusCode, body::Frame};
use serde::Serialize;
use tokio_stream::{Stream, StreamExt};
use tonic::{Status, body::Body};

use super::{
    refusal::{http_status, on_a_stream},
    reply,
};

/// Answers with the messages of a stream, or with why there is none. The head waits for the first message:
/// if that is an error, it is the answer's status.
pub(super) async fn answer<A, S>(opened: Result<tonic::Response<S>, Status>) -> Response<Body>
where
    A: Serialize + Send + 'static,
    S: Stream<Item = Result<A, Status>> + Send + 'static,
{
    let mut messages = match opened {
        Ok(messages) => Box::pin(messages.into_inner()),
        Err(status) => return broken(&status),
    };
    match messages.next().await {
        Some(Err(status)) => broken(&status),
        Some(Ok(first)) => streamed(tokio_stream::once(Ok(first)).chain(messages)),
        None => streamed(tokio_stream::empty::<Result<A, Status>>()),
    }
}

fn streamed<A: Serialize>(
    messages: impl Stream<Item = Result<A, Status>> + Send + 'static,
) -> Response<Body> {
    let mut has_broken = false;
    let lines = messages.map_while(move |message| {
        let written = message.and_then(|message| reply::written(&message));
        let was_broken = mem::replace(&mut has_broken, written.is_err());
        let line = written.map_or_else(|status| error_line(&status), |json| result_line(&json));
        (!was_broken).then(|| Ok::<_, Infallible>(Frame::data(line)))
    });
    reply::with_json(StatusCode::OK, StreamBody::new(lines))
}

fn broken(status: &Status) -> Response<Body> {
    reply::with_json(http_status(status.code()), Full::new(error_line(status)))
}

fn result_line(json: &[u8]) -> Bytes {
    Bytes::from([br#"{"result":"#, json, b"}\n"].concat())
}

fn error_line(status: &Status) -> Bytes {
    Bytes::from(format!("{}\n", on_a_stream(status)))
}

//! One client's connection, from its first byte to its last.

use std::{convert::Infallible, future::poll_fn, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{Either, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::watch,
    time::{sleep, timeout},
};
use tonic::body::Body;

use crate::{
    error::ApiError,
    etcd::{self, Etcd},
    front::Front,
    server::stopped,
    system::System,
};

/// The most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// With what HTTP/2 begins, and no method of HTTP/1.1 (RFC 9113, section 3.4).
const HTTP2_BEGINS: [u8; 14] = *b"PRI * HTTP/2.0";

/// How long to wait for the rest of it.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Serves `stream` until the client leaves, is too slow, or `stop` becomes true.
pub(crate) async fn serve(
    stream: TcpStream,
    front: &Arc<Front>,
    etcd: Option<&Etcd>,
    mut stop: watch::Receiver<bool>,
) {
    let first = tokio::select! {
        first = timeout(front.limits.client_timeout, first_words(&stream)) => first,
        () = stopped(&mut stop) => return,
    };
    // Boxed: until its first byte a connection carries no room for a conversation.
    match first {
        Ok(Some(Language::Http1 { may_half_close })) => {
            // Nor one who waits for a task: whoever has left gets none.
            let may_half_close = may_half_close && front.system == System::Kv;
            Box::pin(converse(stream, may_half_close, (front, etcd), stop)).await;
        }
        Ok(Some(Language::Http2)) => {
            // Who speaks HTTP/2 wants gRPC, which is of the key/value store.
            let Some(etcd) = etcd else {
                return;
            };
            let _ = stream.set_nodelay(true);
            limit_silence(&stream, front.limits.client_timeout);
            Box::pin(etcd::serve(stream, etcd.clone(), stop)).await;
        }
        Ok(None) | Err(_) => {}
    }
}

/// What a client speaks.
enum Language {
    Http1 {
        /// A client may say that it has said all and still listen. Not one of the gateway: its stream ends when it
        /// leaves, and that is how leaving looks.
        may_half_close: bool,
    },
    Http2,
}

/// What a client speaks by its first bytes; nothing if it leaves. A look, since readiness alone may be
/// told of a socket that has nothing to read.
async fn first_words(stream: &TcpStream) -> Option<Language> {
    let mut words = [0; HTTP2_BEGINS.len()];
    loop {
        let count = stream.peek(&mut words).await.ok().filter(|count| *count > 0)?;
        if words[..count] != HTTP2_BEGINS[..count] {
            let may_half_close = !words.starts_with(etcd::GATEWAY_BEGINS);
            return Some(Language::Http1 { may_half_close });
        }
        if count == words.len() {
            return Some(Language::Http2);
        }
        // The rest of so short a word is on its way.
        sleep(LOOK_AGAIN).await;
    }
}

async fn converse(
    stream: TcpStream,
    may_half_close: bool,
    (front, etcd): (&Arc<Front>, Option<&Etcd>),
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    limit_silence(&stream, front.limits.client_timeout);
    // Boxed: between requests it carries no room for one.
    let service = service_fn(|request: Request<Incoming>| Box::pin(answer(request, front, etcd)));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(front.limits.client_timeout)
        .half_close(may_half_close)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = poll_fn(|context| connection.poll_without_shutdown(context)) => Some(ended),
        () = stopped(&mut stop) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|context| connection.poll_without_shutdown(context)).await
        }
    };
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner();
    let was_slow = ended.is_err_and(|error| error.is_timeout());
    if was_slow && !parts.read_buf.is_empty() {
        let error = ApiError::new(
            hyper::StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "The request's head did not arrive in time; send it again over a faster connection.",
        );
        let _ = timeout(front.limits.client_timeout, stream.write_all(&raw(error))).await;
    }
    let _ = stream.shutdown().await;
}

/// Answers one request: of the JSON gateway, or of the course's interface.
async fn answer(
    request: Request<Incoming>,
    front: &Arc<Front>,
    etcd: Option<&Etcd>,
) -> Result<Response<Either<Full<Bytes>, Body>>, Infallible> {
    if let Some(etcd) = etcd
        && etcd::is_for_gateway(request.uri().path())
    {
        return Ok(etcd.answer_json(request).await.map(Either::Right));
    }
    Ok(Arc::clone(front).answer(request).await?.map(Either::Left))
}

/// Breaks the connection of a client that takes none of what is sent to it for `client_timeout`: nobody
/// may hold an answer in memory, and a seat, for as long as it likes.
pub(crate) fn limit_silence(stream: &TcpStream, client_timeout: Duration) {
    let silence_ms = u32::try_from(client_timeout.as_millis()).unwrap_or(u32::MAX);
    // Without it such a client keeps its seat, which is no reason to turn it away.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, silence_ms);
}

/// An error as the bytes of a whole answer, for when there is no request to answer.
pub(crate) fn raw(error: ApiError) -> Vec<u8> {
    let response = error.closing().into_answer().into_response();
    let mut bytes = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
    for (name, value) in response.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let (_, body) = response.into_parts();
    let body = body.into_inner().unwrap_or_default();
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

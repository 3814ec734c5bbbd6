//! Taking in a request's body: not too much, not too slowly, and not too many at once.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::{
    StatusCode,
    body::{Body, Incoming},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use crate::error::ApiError;

/// The largest body: a key and a value whose every byte is a JSON escape of six bytes.
pub(crate) const BODY_BYTES_MAX: usize = 6 * (kv::KEY_BYTES_MAX + kv::VALUE_BYTES_MAX) + 4096;
// A task's payload or result needs no more.
const _: () = assert!(queue::PAYLOAD_BYTES_MAX <= kv::VALUE_BYTES_MAX);
/// Bodies up to this size need no permission.
const SMALL_BYTES_MAX: usize = 16 << 10;
/// How much more of a body that is too large is taken in, so that its sender hears the answer.
const DRAINED_BYTES_MAX: usize = 64 << 20;

/// A body in memory, with its share of the bound over all bodies.
pub(crate) struct ReceivedBody {
    pub(crate) bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

/// Reads the whole body until `deadline`. `room` counts the bytes of large bodies in memory.
pub(crate) async fn receive(
    mut body: Incoming,
    deadline: Instant,
    room: &std::sync::Arc<Semaphore>,
) -> Result<ReceivedBody, ApiError> {
    let hint = body.size_hint();
    if hint.exact() == Some(0) {
        return Ok(ReceivedBody { bytes: Bytes::new(), _share: None });
    }
    let announced = hint.upper().and_then(|upper| usize::try_from(upper).ok());
    if announced.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(refuse_large(body, deadline).await);
    }
    let length = announced.unwrap_or(BODY_BYTES_MAX);
    let share = share_of(length, room)?;
    let mut collected = BytesMut::new();
    while let Some(piece) = next_piece(&mut body, deadline).await? {
        if collected.len() + piece.len() > BODY_BYTES_MAX {
            return Err(refuse_large(body, deadline).await);
        }
        if collected.is_empty() && body.is_end_stream() {
            return Ok(ReceivedBody { bytes: piece, _share: share });
        }
        collected.extend_from_slice(&piece);
    }
    Ok(ReceivedBody { bytes: collected.freeze(), _share: share })
}

fn share_of(
    length: usize,
    room: &std::sync::Arc<Semaphore>,
) -> Result<Option<OwnedSemaphorePermit>, ApiError> {
    if length <= SMALL_BYTES_MAX {
        return Ok(None);
    }
    let bytes = u32::try_from(length).expect("a body is far below 4 GiB");
    let share = std::sync::Arc::clone(room).try_acquire_many_owned(bytes).map_err(|_| {
        ApiError::unavailable("busy", "Too many large requests are on their way; try again soon.")
            .closing()
    })?;
    Ok(Some(share))
}

async fn next_piece(body: &mut Incoming, deadline: Instant) -> Result<Option<Bytes>, ApiError> {
    loop {
        let frame = timeout_at(deadline, body.frame()).await.map_err(|_| too_slow())?;
        let Some(frame) = frame else {
            return Ok(None);
        };
        let frame = frame.map_err(|error| {
            ApiError::bad("not_json", format!("The body did not arrive whole: {error}.")).closing()
        })?;
        // Trailers have nothing for us.
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

/// A client that is still sending does not listen: take in some more before saying no.
async fn refuse_large(mut body: Incoming, deadline: Instant) -> ApiError {
    let mut drained = 0;
    while drained < DRAINED_BYTES_MAX {
        match next_piece(&mut body, deadline).await {
            Ok(Some(piece)) => drained += piece.len(),
            Ok(None) | Err(_) => break,
        }
    }
    let message = format!(
        "The body is over {BODY_BYTES_MAX} bytes; a value, a payload or a result may have {} bytes.",
        kv::VALUE_BYTES_MAX
    );
    ApiError::too_large("body_too_large", message).with("limitBytes", BODY_BYTES_MAX).closing()
}

fn too_slow() -> ApiError {
    let message = "The request did not arrive in time; send it again over a faster connection.";
    ApiError::new(StatusCode::REQUEST_TIMEOUT, "too_slow", message).closing()
}

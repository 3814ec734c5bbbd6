//! One call of a method: what came over HTTP becomes a request, what the method says an answer.

use std::{error::Error, future::Future};

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Method, Request, Response,
    header::{AUTHORIZATION, HeaderName},
    http::request::Parts,
};
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};
use tokio_stream::Stream;
use tonic::{Status, Streaming, body::Body, codec::Codec, metadata::MetadataMap};
use tonic_prost::ProstCodec;

use super::{
    lines,
    read::{self, MESSAGE_BYTES_MAX},
    refusal::Refusal,
    reply,
};

/// The most bytes of a body: a message of the largest size, its bytes in base64, and some room for names.
const BODY_BYTES_MAX: usize = 2 * MESSAGE_BYTES_MAX;
/// Headers that start so are metadata of the request.
const METADATA_PREFIX: &str = "grpc-metadata-";
/// The metadata by which a client is known.
const TOKEN: HeaderName = HeaderName::from_static("token");

/// A request of HTTP with its whole body.
pub(super) struct Call {
    head: Parts,
    body: Bytes,
}

impl Call {
    /// Waits for the whole body.
    pub(super) async fn receive<B>(request: Request<B>) -> Result<Self, Refusal>
    where
        B: hyper::body::Body + Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(not_received)?;
        Ok(Self { head, body: body.to_bytes() })
    }

    /// What it asks for.
    pub(super) fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// One request, one answer.
    pub(super) async fn ask<Q, A, F>(
        self,
        method: impl FnOnce(tonic::Request<Q>) -> F,
    ) -> Result<Response<Body>, Refusal>
    where
        Q: Message + Default + DeserializeOwned,
        A: Serialize,
        F: Future<Output = Result<tonic::Response<A>, Status>>,
    {
        let request = self.request(read::one)?;
        let message = method(request).await?.into_inner();
        Ok(reply::message(&message)?)
    }

    /// One request, a stream of answers.
    pub(super) async fn listen<Q, A, S, F>(
        self,
        method: impl FnOnce(tonic::Request<Q>) -> F,
    ) -> Result<Response<Body>, Refusal>
    where
        Q: Message + Default + DeserializeOwned,
        A: Serialize + Send + 'static,
        S: Stream<Item = Result<A, Status>> + Send + 'static,
        F: Future<Output = Result<tonic::Response<S>, Status>>,
    {
        let request = self.request(read::one)?;
        Ok(lines::answer(method(request).await).await)
    }

    /// A stream of requests, all of which are in the body, and a stream of answers.
    pub(super) async fn converse<Q, A, S, F>(
        self,
        method: impl FnOnce(tonic::Request<Streaming<Q>>) -> F,
    ) -> Result<Response<Body>, Refusal>
    where
        Q: Message + Default + DeserializeOwned + 'static,
        A: Serialize + Send + 'static,
        S: Stream<Item = Result<A, Status>> + Send + 'static,
        F: Future<Output = Result<tonic::Response<S>, Status>>,
    {
        let request = self.request(read::several)?.map(as_stream);
        Ok(lines::answer(method(request).await).await)
    }

    /// What the method is given: what is `read` from the body, who asks, and what the connection knows.
    fn request<M>(
        self,
        read: impl FnOnce(&[u8]) -> Result<M, Status>,
    ) -> Result<tonic::Request<M>, Refusal> {
        if self.head.method != Method::POST {
            return Err(Refusal::NotPosted);
        }
        let message = read(&self.body)?;
        let metadata = metadata(&self.head.headers);
        Ok(tonic::Request::from_parts(metadata, self.head.extensions, message))
    }
}

/// The metadata among the headers. A client of HTTP says by `Authorization` who it is.
fn metadata(headers: &HeaderMap) -> MetadataMap {
    let mut metadata = HeaderMap::new();
    for (name, value) in headers {
        let name = name.as_str().strip_prefix(METADATA_PREFIX);
        if let Some(name) = name.and_then(|name| HeaderName::try_from(name).ok()) {
            metadata.append(name, value.clone());
        }
    }
    if let Some(token) = headers.get(AUTHORIZATION) {
        metadata.entry(TOKEN).or_insert_with(|| token.clone());
    }
    MetadataMap::from_headers(metadata)
}

/// The messages as if they had come over gRPC: each with a byte for no compression and its length before it.
fn as_stream<M: Message + Default + 'static>(messages: Vec<M>) -> Streaming<M> {
    let mut bytes = BytesMut::new();
    for message in messages {
        let length = u32::try_from(message.encoded_len()).expect("a message is far below 4 GiB");
        bytes.put_u8(0);
        bytes.put_u32(length);
        message.encode(&mut bytes).expect("the buffer grows as it must");
    }
    let decoder = ProstCodec::<M, M>::default().decoder();
    Streaming::new_request(decoder, Full::new(bytes.freeze()), None, Some(MESSAGE_BYTES_MAX))
}

fn not_received(error: Box<dyn Error + Send + Sync>) -> Status {
    if error.is::<LengthLimitError>() {
        return Status::resource_exhausted(format!(
            "the body is over {BODY_BYTES_MAX} bytes, a message may have {MESSAGE_BYTES_MAX}"
        ));
    }
    Status::invalid_argument(format!("the body did not arrive whole: {error}"))
}

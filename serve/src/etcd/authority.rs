//! Clients of etcd 3.4 and older that are given an endpoint as a URL send the whole URL as `:authority`, which
//! HTTP/2 does not allow and Go's server takes. Here it becomes what they mean before the protocol is read.
//!
//! ```text
//! client ─▶ frames ─▶ HEADERS: is the authority a URL? ─ yes ─▶ its host and port alone ─▶ HTTP/2
//!                                                      └ no ──▶ the connection is not looked at any more
//! ```
//! An authority is the same for all requests of a connection. HPACK (RFC 7541) keeps what was sent once in a table
//! on both sides: what stands there for the client is longer than what stands here, so the client forgets first, and
//! never means what is not here.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::hpack;

/// The words with which a connection begins.
const PREFACE_BYTES: usize = 24;
/// Length, type, flags and stream of a frame (RFC 9113, section 4.1).
const FRAME_HEAD_BYTES: usize = 9;
/// The longest frame that is looked at: none may be longer unless it was agreed.
const FRAME_BYTES_MAX: usize = 16 << 10;
const HEADERS: u8 = 1;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// A connection of a client that may send a URL as authority.
#[derive(Debug)]
pub(super) struct Lenient<S> {
    inner: S,
    /// What has come and is not a whole frame yet.
    raw: BytesMut,
    /// What may be read.
    ready: BytesMut,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Preface,
    Frames,
    /// Nothing is looked at any more.
    Open,
}

impl<S> Lenient<S> {
    pub(super) fn new(inner: S) -> Self {
        Self { inner, raw: BytesMut::new(), ready: BytesMut::new(), stage: Stage::Preface }
    }

    /// Goes on with what has come.
    fn advance(&mut self) {
        if self.stage == Stage::Preface && self.raw.len() >= PREFACE_BYTES {
            self.ready.extend_from_slice(&self.raw.split_to(PREFACE_BYTES));
            self.stage = Stage::Frames;
        }
        while self.stage == Stage::Frames {
            let Some(length) = frame_length(&self.raw) else {
                return;
            };
            if length > FRAME_HEAD_BYTES + FRAME_BYTES_MAX {
                self.stage = Stage::Open;
                break;
            }
            if self.raw.len() < length {
                return;
            }
            let frame = self.raw.split_to(length);
            if frame[3] == HEADERS {
                self.take_headers(&frame);
            } else {
                self.ready.extend_from_slice(&frame);
            }
        }
        if self.stage == Stage::Open {
            self.ready.extend_from_slice(&self.raw.split());
        }
    }

    fn take_headers(&mut self, frame: &[u8]) {
        match patched(frame) {
            Authority::Url(frame) => self.ready.extend_from_slice(&frame),
            Authority::Known => self.ready.extend_from_slice(frame),
            Authority::Right => {
                self.ready.extend_from_slice(frame);
                self.stage = Stage::Open;
            }
        }
    }
}

/// What a frame of headers says of the authority.
enum Authority {
    /// A URL: the frame without what makes it one.
    Url(Vec<u8>),
    /// What was said before.
    Known,
    /// What it should be.
    Right,
}

fn frame_length(raw: &[u8]) -> Option<usize> {
    let head = raw.first_chunk::<FRAME_HEAD_BYTES>()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
    Some(FRAME_HEAD_BYTES + length)
}

fn patched(frame: &[u8]) -> Authority {
    let (head, payload) = frame.split_at(FRAME_HEAD_BYTES);
    let flags = head[4];
    let before = usize::from(flags & PADDED != 0) + 5 * usize::from(flags & PRIORITY != 0);
    let padding = if flags & PADDED == 0 { 0 } else { payload.first().copied().unwrap_or(0) };
    let end = payload.len().saturating_sub(usize::from(padding));
    let Some(block) = payload.get(before..end) else {
        return Authority::Right;
    };
    let Some(place) = hpack::authority(block) else {
        return Authority::Known;
    };
    let text = hpack::text(&block[place.clone()]);
    let Some(text) = text.as_deref().and_then(without_scheme) else {
        return Authority::Right;
    };
    let block = [&block[..place.start], &hpack::plain(text), &block[place.end..]].concat();
    let payload = [&payload[..before], &block, &payload[end..]].concat();
    let length = u32::try_from(payload.len()).expect("a frame is short").to_be_bytes();
    Authority::Url([&length[1..], &head[3..], &payload].concat())
}

fn without_scheme(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    rest.split('/').next().filter(|rest| !rest.is_empty() && rest.len() < 127)
}

impl<S: AsyncRead + Unpin> AsyncRead for Lenient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.ready.is_empty() {
            if self.stage == Stage::Open {
                return Pin::new(&mut self.inner).poll_read(context, into);
            }
            let mut part = [0; 4096];
            let mut part = ReadBuf::new(&mut part);
            ready!(Pin::new(&mut self.inner).poll_read(context, &mut part))?;
            if part.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.raw.extend_from_slice(part.filled());
            self.advance();
        }
        let count = self.ready.len().min(into.remaining());
        into.put_slice(&self.ready[..count]);
        self.ready.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Lenient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];

    fn headers(authority: &[u8]) -> Vec<u8> {
        // :method POST, :authority, and a header of another name.
        let block = [&[0x83, 0x41], authority, &[0x40, 1, b'a', 1, b'b']].concat();
        let length = u8::try_from(block.len()).unwrap();
        [&[0, 0, length, HEADERS, 4, 0, 0, 0, 1], &block[..]].concat()
    }

    /// What is read of what a client sends, which comes in pieces of so many bytes.
    async fn read(sent: &[u8], piece: usize) -> Vec<u8> {
        let (mut client, server) = tokio::io::duplex(piece);
        let sent = sent.to_vec();
        tokio::spawn(async move { client.write_all(&sent).await.unwrap() });
        let mut read = Vec::new();
        Lenient::new(server).read_to_end(&mut read).await.unwrap();
        read
    }

    #[tokio::test]
    async fn a_url_becomes_its_host_and_port() {
        let url = headers(b"\x12https://host:2379/");
        let known = [0, 0, 2, HEADERS, 4, 0, 0, 0, 3, 0x83, 0xbe];
        let sent = [PREFACE, SETTINGS, &url, &known, &url, SETTINGS].concat();
        let meant = headers(b"\x09host:2379");
        let expected = [PREFACE, SETTINGS, &meant, &known, &meant, SETTINGS].concat();
        for piece in [1, 7, 4096] {
            assert_eq!(read(&sent, piece).await, expected, "in pieces of {piece}");
        }
    }

    #[tokio::test]
    async fn after_an_authority_that_is_right_nothing_is_looked_at() {
        let right = headers(b"\x09host:2379");
        let sent = [PREFACE, SETTINGS, &right, b"whatever may follow"].concat();
        for piece in [1, 7, 4096] {
            assert_eq!(read(&sent, piece).await, sent, "in pieces of {piece}");
        }
    }
}

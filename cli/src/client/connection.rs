//! One connection to a node: HTTP/1.1 in its smallest form, kept alive, for the commands and, because
//! it costs little, for the benchmark.

use std::{io, str, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The most header lines of an answer.
const HEADERS_MAX: usize = 32;
/// The largest answer: a page of pairs, with room.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// An answer, as far as anybody here wants to know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    /// The status.
    pub(crate) status: u16,
    /// The header `X-Revision`.
    pub(crate) revision: Option<u64>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// A connection to one node.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Connects to `address`, `host:port`.
    pub(crate) async fn open(address: &str, wait: Duration) -> io::Result<Self> {
        let connecting = timeout(wait, TcpStream::connect(address));
        let stream = connecting.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(4096) })
    }

    /// Sends the bytes of a request and waits for its answer, whose body lands in `response`.
    pub(crate) async fn exchange(
        &mut self,
        request: &[u8],
        response: &mut Response,
    ) -> io::Result<()> {
        self.stream.write_all(request).await?;
        self.received.clear();
        loop {
            if let Some((head_bytes, body_bytes)) = parse(&self.received, response)? {
                let whole = head_bytes + body_bytes;
                while self.received.len() < whole {
                    self.receive().await?;
                }
                response.body.clear();
                response.body.extend_from_slice(&self.received[head_bytes..whole]);
                return Ok(());
            }
            self.receive().await?;
        }
    }

    async fn receive(&mut self) -> io::Result<()> {
        if self.received.len() > ANSWER_BYTES_MAX {
            return Err(io::Error::other("the answer is too large"));
        }
        if self.stream.read_buf(&mut self.received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// The lengths of head and body, once the head is there.
fn parse(received: &[u8], response: &mut Response) -> io::Result<Option<(usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    let parsed = head.parse(received).map_err(|_| not_a_node("this is not HTTP"))?;
    let httparse::Status::Complete(head_bytes) = parsed else {
        return Ok(None);
    };
    response.status = head.code.unwrap_or_default();
    response.revision = None;
    let mut body_bytes = None;
    for header in head.headers.iter() {
        let number = || str::from_utf8(header.value).ok().and_then(|text| text.parse().ok());
        if header.name.eq_ignore_ascii_case("content-length") {
            body_bytes = number();
        } else if header.name.eq_ignore_ascii_case("x-revision") {
            response.revision = number();
        }
    }
    // Such an answer has no body, and need not say so (RFC 9110, section 8.6).
    let body_bytes = if response.status == 204 { Some(0) } else { body_bytes };
    let body_bytes = body_bytes
        .and_then(|bytes| usize::try_from(bytes).ok())
        .filter(|bytes| *bytes <= ANSWER_BYTES_MAX)
        .ok_or_else(|| not_a_node("the answer has no length"))?;
    Ok(Some((head_bytes, body_bytes)))
}

fn not_a_node(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{what}; is this address a node's?"))
}

/// The bytes of a request; `headers` are whole lines.
pub(crate) fn render(method: &str, path: &str, headers: &str, body: &str, bytes: &mut Vec<u8>) {
    bytes.clear();
    for part in [method, " ", path, " HTTP/1.1\r\nhost: archipel\r\n", headers] {
        bytes.extend_from_slice(part.as_bytes());
    }
    if !body.is_empty() {
        bytes.extend_from_slice(b"content-type: application/json\r\ncontent-length: ");
        bytes.extend_from_slice(body.len().to_string().as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::{Response, parse, render};

    #[test]
    fn an_answer_is_read_once_its_head_is_whole() {
        let mut response = Response::default();
        let text = b"HTTP/1.1 200 OK\r\nX-Revision: 7\r\nContent-Length: 2\r\n\r\nok";
        assert_eq!(parse(&text[..20], &mut response).unwrap(), None);
        assert_eq!(parse(text, &mut response).unwrap(), Some((text.len() - 2, 2)));
        assert_eq!((response.status, response.revision), (200, Some(7)));
    }

    #[test]
    fn an_answer_that_says_all_with_its_status_has_no_body() {
        let mut response = Response::default();
        let text = b"HTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(parse(text, &mut response).unwrap(), Some((text.len(), 0)));
    }

    #[test]
    fn what_is_no_answer_of_a_node_is_refused() {
        let mut response = Response::default();
        assert!(parse(b"SSH-2.0-OpenSSH\r\n", &mut response).is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n", &mut response).is_err());
    }

    #[test]
    fn a_request_has_a_length_if_it_has_a_body() {
        let mut bytes = Vec::new();
        render("GET", "/kv/a", "", "", &mut bytes);
        assert_eq!(bytes, b"GET /kv/a HTTP/1.1\r\nhost: archipel\r\n\r\n");
        render("POST", "/kv", "x-serial: 1\r\n", "{}", &mut bytes);
        assert!(bytes.ends_with(b"content-length: 2\r\n\r\n{}"));
    }
}

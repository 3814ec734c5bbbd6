//! A client small enough to send anything, right or wrong.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    /// The value of a header; names in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    /// The error's code for programs.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// Sends a request with extra header lines and a body.
pub(crate) fn send(port: u16, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: \
         {length}\r\n\r\n{body}"
    );
    raw(port, text.as_bytes()).expect("a node that listens gives an answer")
}

/// Sends bytes and reads to the end.
pub(crate) fn raw(port: u16, bytes: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    stream.write_all(bytes).ok()?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let (text, body) = (body.to_owned(), serde_json::from_str(body).unwrap_or_default());
    Some(Answer { status, head: head.to_ascii_lowercase(), text, body })
}

pub(crate) fn get(port: u16, path: &str) -> Answer {
    send(port, "GET", path, "", "")
}

pub(crate) fn post(port: u16, path: &str, body: &str) -> Answer {
    send(port, "POST", path, "", body)
}

pub(crate) fn delete(port: u16, path: &str) -> Answer {
    send(port, "DELETE", path, "", "")
}

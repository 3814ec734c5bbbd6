//! A client in its plainest form: HTTP/1.1 over one connection that is kept alive.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::cluster::SOON;

/// Longer than any node lets a request wait.
const PATIENCE: Duration = Duration::from_secs(12);
const CONNECT: Duration = Duration::from_secs(2);

/// One client of one node.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    patience: Duration,
    /// Asks again what was refused for the moment, which is never done by halves.
    asks_again: bool,
    stream: Option<BufReader<TcpStream>>,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
#[expect(dead_code, reason = "the errors are shown where a test had counted on an answer")]
pub(crate) enum NoAnswer {
    /// The request did not leave.
    NotSent { error: io::Error },
    /// It left, and nothing came back.
    Lost { error: io::Error },
}

/// The result of a request.
pub(crate) type Outcome = Result<Answer, NoAnswer>;

impl Client {
    /// A client of the node at `port`; connects with its first request.
    pub(crate) fn new(port: u16) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self { address, patience: PATIENCE, asks_again: false, stream: None }
    }

    /// Asks again when the node has no leader for the moment: on a loaded machine, an election may come
    /// between any two requests.
    pub(crate) fn that_asks_again(self) -> Self {
        Self { asks_again: true, ..self }
    }

    /// Waits for answers only this long.
    pub(crate) fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    pub(crate) fn get(&mut self, path: &str) -> Outcome {
        self.ask("GET", path, &[], b"")
    }

    pub(crate) fn delete(&mut self, path: &str) -> Outcome {
        self.ask("DELETE", path, &[], b"")
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Outcome {
        self.ask("POST", path, &[], body.to_string().as_bytes())
    }

    pub(crate) fn put(&mut self, key: &str, value: &str) -> Outcome {
        let body = json!({ "key": key, "value": value });
        let outcome = self.post("/kv", &body);
        let is_unknown = matches!(&outcome, Ok(answer) if answer.status == 504);
        // Twice is as good as once.
        if is_unknown && self.asks_again { self.post("/kv", &body) } else { outcome }
    }

    /// As [`Client::put`], in a session.
    pub(crate) fn put_once(&mut self, client: &str, serial: u64, body: &Value) -> Outcome {
        let serial = serial.to_string();
        let headers = [("X-Client-Id", client), ("X-Serial", serial.as_str())];
        self.ask("POST", "/kv", &headers, body.to_string().as_bytes())
    }

    /// All pairs in the node's own copy; nothing if it does not answer.
    pub(crate) fn copy(&mut self) -> Option<BTreeMap<String, String>> {
        let mut pairs = BTreeMap::new();
        let mut after = String::new();
        loop {
            let path = format!("/kv?consistency=stale&limit=1000{after}");
            let answer = self.get(&path).ok().filter(|answer| answer.status == 200)?.json();
            for item in answer["items"].as_array().expect("a page has items") {
                let text = |name: &str| item[name].as_str().map(str::to_owned);
                pairs.insert(text("key")?, text("value")?);
            }
            let Some(last) = answer["after"].as_str() else {
                return Some(pairs);
            };
            after = format!("&after={last}");
        }
    }

    /// A request and its answer.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Outcome {
        let start = Instant::now();
        loop {
            let outcome = self.ask_once(method, path, headers, body);
            let is_refused = matches!(&outcome, Ok(answer) if answer.status == 503);
            if !(is_refused && self.asks_again) || start.elapsed() > SOON {
                return outcome;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn ask_once(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Outcome {
        let mut stream = self.connection().map_err(|error| NoAnswer::NotSent { error })?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: archipel\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let request = [head.as_bytes(), body].concat();
        stream.get_mut().write_all(&request).map_err(lost)?;
        let answer = read_answer(&mut stream, method == "HEAD").map_err(lost)?;
        let closes = answer.headers.get("connection").is_some_and(|value| value == "close");
        self.stream = Some(stream).filter(|_| !closes);
        Ok(answer)
    }

    /// The connection, a new one if the node has closed the last.
    fn connection(&mut self) -> io::Result<BufReader<TcpStream>> {
        if let Some(stream) = self.stream.take().filter(|stream| is_open(stream.get_ref())) {
            return Ok(stream);
        }
        let stream = TcpStream::connect_timeout(&self.address, CONNECT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_write_timeout(Some(self.patience))?;
        Ok(BufReader::new(stream))
    }
}

/// No answer will come.
fn lost(error: io::Error) -> NoAnswer {
    NoAnswer::Lost { error }
}

/// True unless the other side has closed.
fn is_open(stream: &TcpStream) -> bool {
    let silent = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
    let blocks = stream.set_nonblocking(false).is_ok();
    blocks && silent.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Reads one answer.
pub(crate) fn read_answer(stream: &mut impl BufRead, is_head: bool) -> io::Result<Answer> {
    let malformed = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| malformed(&line))?;
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok());
    let length = length.filter(|_| !is_head).unwrap_or_default();
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Answer { status, headers, body })
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let json = serde_json::from_slice(&self.body);
        json.unwrap_or_else(|error| panic!("{error} in the answer {self:?}"))
    }

    /// The status and the body, to compare with what is expected.
    #[track_caller]
    pub(crate) fn parts(&self) -> (u16, Value) {
        (self.status, self.json())
    }

    /// The status and the code of an error.
    #[track_caller]
    pub(crate) fn error(&self) -> (u16, String) {
        let json = self.json();
        let message = json["error"].as_str().unwrap_or_default();
        assert!(message.ends_with(['.', ';', '?']), "an error is a sentence: {json}");
        (self.status, json["code"].as_str().unwrap_or_default().to_owned())
    }

    /// A header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

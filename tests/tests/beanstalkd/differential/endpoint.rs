//! One server as the script sees it: connections, and the numbers that it gave to jobs.

use std::{
    io::{BufReader, Write},
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};

use super::{CONNECTIONS, Step, reply::Reply};

/// Longer than any reply may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a server may take to notice that a client has left.
const SETTLE: Duration = Duration::from_secs(5);

/// A number that no job has.
const NO_JOB: u64 = 999_999;

#[derive(Debug)]
pub(super) struct Endpoint {
    port: u16,
    connections: Vec<BufReader<TcpStream>>,
    /// Another one, to look.
    looker: BufReader<TcpStream>,
    /// The jobs in the order in which they were inserted.
    jobs: Vec<u64>,
}

impl Endpoint {
    pub(super) fn new(port: u16) -> Self {
        let connections = (0..CONNECTIONS).map(|_| connect(port)).collect();
        Self { port, connections, looker: connect(port), jobs: Vec::new() }
    }

    /// Does a step and gives what can be compared.
    pub(super) fn perform(&mut self, step: &Step) -> Vec<String> {
        match step {
            Step::Send { connection, text, replies } => {
                self.begin(*connection, text);
                (0..*replies).map(|_| self.end(*connection)).collect()
            }
            Step::Begin { connection, text } => {
                self.begin(*connection, text);
                Vec::new()
            }
            Step::End { connection } => vec![self.end(*connection)],
            Step::Close { connection } => {
                self.close(*connection);
                Vec::new()
            }
            Step::Wait(_) => Vec::new(),
        }
    }

    fn begin(&mut self, connection: usize, text: &str) {
        let bytes = format!("{}\r\n", self.with_numbers(text));
        self.connections[connection].get_mut().write_all(bytes.as_bytes()).unwrap();
    }

    fn end(&mut self, connection: usize) -> String {
        let reply = match Reply::read(&mut self.connections[connection]) {
            Ok(reply) => reply,
            Err(error) => return format!("no reply: {:?}", error.kind()),
        };
        if reply.line.starts_with("INSERTED") {
            self.jobs.extend(reply.job());
        }
        let job = reply.job().map(|id| {
            let place = self.jobs.iter().position(|job| *job == id);
            place.map_or_else(
                || format!("a job that nobody put, {id}"),
                |place| format!("#{}", place + 1),
            )
        });
        reply.comparable(job)
    }

    /// Closes a connection, and waits until the server has noticed.
    fn close(&mut self, connection: usize) {
        let before = self.count_connections();
        let closed = std::mem::replace(&mut self.connections[connection], connect(self.port));
        let _ = closed.get_ref().shutdown(Shutdown::Both);
        drop(closed);
        // The new one has to be greeted before it is counted.
        self.begin(connection, "list-tube-used");
        self.end(connection);
        let deadline = Instant::now() + SETTLE;
        while self.count_connections() > before {
            assert!(Instant::now() < deadline, "the server notices who leaves");
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn count_connections(&mut self) -> u64 {
        self.looker.get_mut().write_all(b"stats\r\n").unwrap();
        let reply = Reply::read(&mut self.looker).unwrap();
        let page = String::from_utf8(reply.body.unwrap()).unwrap();
        let line = page.lines().find_map(|line| line.strip_prefix("current-connections: "));
        line.unwrap().parse().unwrap()
    }

    /// The text with this server's numbers in place of `#1`, `#2`, ...
    fn with_numbers(&self, text: &str) -> String {
        let mut parts = text.split('#');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let place: Option<usize> = part[..digits].parse().ok();
            let job = place.and_then(|place| self.jobs.get(place.checked_sub(1)?));
            out.push_str(&job.copied().unwrap_or(NO_JOB).to_string());
            out.push_str(&part[digits..]);
        }
        out
    }
}

fn connect(port: u16) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    BufReader::new(stream)
}

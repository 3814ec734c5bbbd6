//! Talking to a cluster over HTTP: the next node is asked when one does not answer, until the time is up.

mod connection;
mod options;

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

pub(crate) use connection::{Connection, Response, render};
pub(crate) use options::ClusterOptions;

use crate::exit::{Exit, Failure, Outcome};

/// How long a node may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(1);
/// How long to wait before asking all nodes again.
const PAUSE: Duration = Duration::from_millis(200);

/// What to ask for.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'static str,
    pub(crate) path: &'a str,
    /// Whole header lines, or nothing.
    pub(crate) headers: &'a str,
    /// The JSON body, or nothing.
    pub(crate) body: &'a str,
}

impl<'a> Request<'a> {
    /// A request for `path` without a body.
    pub(crate) const fn get(path: &'a str) -> Self {
        Self { method: "GET", path, headers: "", body: "" }
    }
}

/// An answer that makes sense: done, or a definite no.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) revision: Option<u64>,
    pub(crate) body: Value,
}

impl Reply {
    /// The reply's own words about what went wrong.
    pub(crate) fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or("The node gave no reason.")
    }

    /// The reply if it says "done", else the failure that it says.
    pub(crate) fn done(self) -> Outcome<Self> {
        let exit = match self.status {
            200..300 => return Ok(self),
            404 => Exit::Missing,
            409 if self.body["code"] == "mismatch" => Exit::Missing,
            400 | 405 | 413 => Exit::Usage,
            429 | 503 => Exit::Unavailable,
            504 => Exit::Unknown,
            500 => Exit::Broken,
            _ => Exit::Refused,
        };
        Err(Failure::new(exit, self.error()))
    }
}

/// The headers of a session of its own for one request, so that it can be sent again to another node and still takes
/// effect once.
pub(crate) fn session_headers() -> String {
    format!("x-client-id: cli-{:032x}\r\nx-serial: 1\r\n", host::draw_client_id().0)
}

/// The nodes of a cluster, by their addresses.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) addresses: Vec<String>,
    /// How long a request may take, over all attempts.
    pub(crate) patience: Duration,
}

impl Cluster {
    /// Asks one node after the other until one gives a definite answer. The request must be one that
    /// may be repeated: a read, a write with a session, a change of members.
    pub(crate) async fn ask(&self, request: &Request<'_>) -> Outcome<Reply> {
        let deadline = Instant::now() + self.patience;
        let mut may_have_happened = false;
        let mut last = String::new();
        for attempt in 0.. {
            let address = &self.addresses[attempt % self.addresses.len()];
            if attempt > 0 && attempt % self.addresses.len() == 0 {
                sleep(PAUSE).await;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match self.ask_one(address, request, left).await {
                Ok(reply) if !matches!(reply.status, 500 | 503 | 504 | 507) => return Ok(reply),
                Ok(reply) => {
                    may_have_happened |= reply.status == 504;
                    last = format!("{address} says: {}", reply.error());
                }
                Err(Attempt::NotSent(error)) if last.is_empty() => {
                    last = format!("{address} cannot be reached ({error}).");
                }
                Err(Attempt::NotSent(_)) => {}
                Err(Attempt::NoAnswer(error)) => {
                    may_have_happened |= request.method != "GET";
                    last = format!("{address} gave no answer ({error}).");
                }
            }
        }
        Err(self.gave_up(may_have_happened, &last))
    }

    /// Asks the node at `address`, once.
    pub(crate) async fn ask_one(
        &self,
        address: &str,
        request: &Request<'_>,
        wait: Duration,
    ) -> Result<Reply, Attempt> {
        let opened = Connection::open(address, wait.min(CONNECT)).await;
        let mut connection = opened.map_err(|error| Attempt::NotSent(error.to_string()))?;
        let mut bytes = Vec::new();
        render(request.method, request.path, request.headers, request.body, &mut bytes);
        let mut response = Response::default();
        let answered = timeout(wait, connection.exchange(&bytes, &mut response)).await;
        answered
            .map_err(|_| Attempt::NoAnswer("it took too long".to_owned()))?
            .map_err(|error| Attempt::NoAnswer(error.to_string()))?;
        Ok(Reply {
            status: response.status,
            revision: response.revision,
            body: serde_json::from_slice(&response.body).unwrap_or_default(),
        })
    }

    fn gave_up(&self, may_have_happened: bool, last: &str) -> Failure {
        if may_have_happened {
            let message = format!(
                "Nobody can say whether it happened: it may have, it may still, or it may never. \
                 Read to find out. {last}"
            );
            return Failure::new(Exit::Unknown, message);
        }
        let message = format!(
            "Not done within {} s. {last} Is the cluster running, and is it at {}? See `archipel \
             up --help` and the option --cluster.",
            self.patience.as_secs(),
            self.addresses.join(", "),
        );
        Failure::new(Exit::Unavailable, message)
    }
}

/// Why one node gave no answer.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// The request did not leave.
    NotSent(String),
    /// It left, and nothing came back.
    NoAnswer(String),
}

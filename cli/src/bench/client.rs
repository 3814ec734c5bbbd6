//! One client of the benchmark: sends a request, waits for the answer, sends the next.

use std::{
    cell::RefCell,
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use kernel::Rng;
use tokio::time::{sleep, timeout};

use super::kv::Operation;
use crate::client::{Connection, Response, render};

/// How long a request may take before its connection is given up.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before connecting again.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest time that is told apart, in microseconds.
const MICROSECONDS_MAX: u64 = 60_000_000;

/// Which keys and values.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub(super) keys: u32,
    pub(super) value: String,
}

/// What a step has measured.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    /// Microseconds per answered request.
    pub(super) times: Histogram<u32>,
    /// Requests that were not answered with success.
    pub(super) failed: u64,
    /// How long was measured.
    pub(super) elapsed: Duration,
}

/// What all clients of a step share; they run on one thread.
pub(super) type Shared = Rc<RefCell<Measured>>;

impl Measured {
    pub(super) fn new() -> Self {
        let times = Histogram::new_with_bounds(1, MICROSECONDS_MAX, 3);
        let times = times.expect("the bounds are right");
        Self { times, failed: 0, elapsed: Duration::ZERO }
    }
}

/// One client.
pub(super) struct Client {
    pub(super) address: String,
    pub(super) operation: Operation,
    pub(super) rng: Rng,
    pub(super) workload: Rc<Workload>,
    pub(super) shared: Shared,
    /// What came before is to warm up.
    pub(super) measure_from: Instant,
    pub(super) end: Instant,
}

impl Client {
    /// Sends requests until the end.
    pub(super) async fn run(mut self) {
        while Instant::now() < self.end {
            if self.converse().await.is_err() && Instant::now() < self.end {
                self.shared.borrow_mut().failed += 1;
                sleep(PAUSE).await;
            }
        }
    }

    /// Sends requests over one connection until it breaks or the end has come.
    async fn converse(&mut self) -> io::Result<()> {
        let mut connection = Connection::open(&self.address, PATIENCE).await?;
        let (mut request, mut response) = (Vec::new(), Response::default());
        loop {
            self.next_request(&mut request);
            let start = Instant::now();
            if start >= self.end {
                return Ok(());
            }
            let exchange = connection.exchange(&request, &mut response);
            timeout(PATIENCE, exchange).await.map_err(|_| io::ErrorKind::TimedOut)??;
            if start < self.measure_from {
                continue;
            }
            let mut shared = self.shared.borrow_mut();
            if response.status == 200 {
                let time = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
                shared.times.saturating_record(time);
            } else {
                shared.failed += 1;
            }
        }
    }

    fn next_request(&mut self, bytes: &mut Vec<u8>) {
        let key = self.rng.below(u64::from(self.workload.keys));
        let is_put = match self.operation {
            Operation::Put => true,
            Operation::Get | Operation::Stale => false,
            Operation::Mixed => self.rng.chance(1, 10),
        };
        if is_put {
            put(key, &self.workload.value, bytes);
            return;
        }
        let stale = if self.operation == Operation::Stale { "?consistency=stale" } else { "" };
        render("GET", &format!("/kv/bench%2F{key:06}{stale}"), "", "", bytes);
    }
}

/// The request that writes key number `key`.
pub(super) fn put(key: u64, value: &str, bytes: &mut Vec<u8>) {
    let body = format!("{{\"key\":\"bench/{key:06}\",\"value\":\"{value}\"}}");
    render("POST", "/kv", "", &body, bytes);
}

//! How many puts or reads a second so many clients get, and how long each waits.

use std::time::{Duration, Instant};

use bytes::Bytes;
use etcd::etcdserverpb::{PutRequest, RangeRequest, kv_client::KvClient};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tonic::{Status, transport::Channel};

use super::{VALUE_BYTES, connect};
use crate::plan::Plan;

/// Keys are written and read by turns among as many.
const KEYS: usize = 10_000;
/// Before the measurement, connections and caches get warm.
const WARM_UP: Duration = Duration::from_secs(1);

/// What clients ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Puts of a key each.
    Puts,
    /// Linearizable ranges of a key each.
    Reads,
}

/// A load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) kind: Kind,
    /// How many clients ask at the same time, each one request after the other.
    pub(crate) clients: usize,
}

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) took: Duration,
    /// Microseconds from question to answer.
    pub(crate) latency_us: Histogram<u64>,
}

impl Measured {
    fn new() -> Self {
        let latency_us = Histogram::new(3).expect("three digits are allowed");
        Self { requests: 0, errors: 0, took: Duration::ZERO, latency_us }
    }

    fn note(&mut self, took: Duration) {
        self.requests += 1;
        let took_us = u64::try_from(took.as_micros()).expect("no request takes thousands of years");
        self.latency_us.record(took_us).expect("a histogram that grows takes every value");
    }

    /// Adds what another client, or another round, measured.
    pub(crate) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.latency_us.add(&other.latency_us).expect("a histogram that grows takes every value");
    }
}

/// Puts the load on a cluster for a while.
///
/// # Errors
/// If a member cannot be reached, or only errors come.
pub(crate) async fn run(addresses: &[String], load: Load, plan: &Plan) -> Result<Measured, String> {
    let members = addresses.len();
    let groups = load.clients.div_ceil(plan.share * members);
    let channels = connect(addresses, groups * members).await?;
    let start = Instant::now() + WARM_UP;
    let mut clients = JoinSet::new();
    for number in 0..load.clients {
        let from = number / plan.share % groups * members;
        let group = &channels[from..from + members];
        let asker = Asker {
            members: group.iter().cloned().map(KvClient::new).collect(),
            kind: load.kind,
            next: number * 7919,
            value: Bytes::from(vec![b'v'; VALUE_BYTES]),
        };
        clients.spawn(asker.ask(start, start + plan.duration));
    }
    let mut all = Measured::new();
    while let Some(one) = clients.join_next().await {
        all.add(&one.map_err(|error| format!("a client ended: {error}"))?);
    }
    all.took = plan.duration;
    if all.requests == 0 {
        return Err(format!(
            "no request of {load:?} was answered, {} ended with errors",
            all.errors
        ));
    }
    Ok(all)
}

/// One client, which asks the members by turns, as etcd's own client does.
struct Asker {
    members: Vec<KvClient<Channel>>,
    kind: Kind,
    next: usize,
    value: Bytes,
}

impl Asker {
    /// Asks from now on; what is answered between the two moments counts.
    async fn ask(mut self, from: Instant, until: Instant) -> Measured {
        let mut measured = Measured::new();
        loop {
            let asked = Instant::now();
            if asked >= until {
                return measured;
            }
            let result = self.once().await;
            if asked < from {
                continue;
            }
            match result {
                Ok(()) => measured.note(asked.elapsed()),
                Err(_) => measured.errors += 1,
            }
        }
    }

    async fn once(&mut self) -> Result<(), Status> {
        self.next = self.next.wrapping_add(1);
        let key = key((self.next % KEYS) as u64);
        let member = self.next % self.members.len();
        let kv = &mut self.members[member];
        match self.kind {
            Kind::Puts => {
                let put = PutRequest { key, value: self.value.clone(), ..PutRequest::default() };
                kv.put(put).await.map(drop)
            }
            Kind::Reads => {
                let range = RangeRequest { key, ..RangeRequest::default() };
                kv.range(range).await.map(drop)
            }
        }
    }
}

/// The key of a number.
pub(super) fn key(number: u64) -> Bytes {
    Bytes::from(format!("key/{number:08}"))
}

//! What was measured of all contestants, and what of it is wrong.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    contestant::Kind,
    load::{Delivered, Load, Measured},
};

/// One load on one contestant, of all rounds together.
#[derive(Clone, Debug)]
pub(crate) struct LoadResult {
    pub(crate) load: Load,
    pub(crate) measured: Measured,
    /// What each member's process has used.
    pub(crate) processor: Vec<Duration>,
    /// What this process has used, for all clients.
    pub(crate) clients: Duration,
}

impl LoadResult {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.measured.requests as f64 / self.measured.took.as_secs_f64()
    }

    /// The latency that this share of all requests stay below, in milliseconds.
    pub(crate) fn latency_ms(&self, quantile: f64) -> f64 {
        self.measured.latency_us.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// Processor time of all members for one request, in microseconds.
    pub(crate) fn processor_us(&self) -> f64 {
        let all: Duration = self.processor.iter().sum();
        self.per_request_us(all)
    }

    /// Processor time of the client for one request, in microseconds.
    pub(crate) fn client_processor_us(&self) -> f64 {
        self.per_request_us(self.clients)
    }

    fn per_request_us(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / self.measured.requests.max(1) as f64
    }

    fn add(&mut self, other: &Self) {
        self.measured.add(&other.measured);
        self.measured.took += other.measured.took;
        self.clients += other.clients;
        for (sum, more) in self.processor.iter_mut().zip(&other.processor) {
            *sum += *more;
        }
    }

    fn json(&self) -> Value {
        json!({
            "kind": format!("{:?}", self.load.kind).to_lowercase(),
            "clients": self.load.clients,
            "rate": self.rate(),
            "errors": self.measured.errors,
            "p50_ms": self.latency_ms(0.5),
            "p99_ms": self.latency_ms(0.99),
            "processor_us": self.processor_us(),
            "client_processor_us": self.client_processor_us(),
            "processor_ms_by_member":
                self.processor.iter().map(|time| time.as_secs_f64() * 1e3).collect::<Vec<f64>>(),
        })
    }
}

/// What was measured of one contestant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Result {
    pub(crate) loads: Vec<LoadResult>,
    /// What watchers were delivered, a round each.
    pub(crate) delivered: Vec<Delivered>,
    /// How long it took to write all keys.
    pub(crate) fill: Option<Duration>,
    /// Memory of each member with all keys.
    pub(crate) resident_bytes: Vec<u64>,
    pub(crate) resident_bytes_after_restart: Vec<u64>,
    pub(crate) restart: Option<Duration>,
    /// Elections under load, which nothing was the reason for.
    pub(crate) elections: Vec<String>,
}

impl Result {
    /// Adds a round's load, the `place`th of all.
    pub(crate) fn add(&mut self, place: usize, more: LoadResult) {
        match self.loads.get_mut(place) {
            Some(sum) => sum.add(&more),
            None => self.loads.push(more),
        }
    }

    /// Events a second that reached watchers.
    pub(crate) fn events_rate(&self) -> Option<f64> {
        let took: Duration = self.delivered.iter().map(|one| one.took).sum();
        let events: u64 = self.delivered.iter().map(|one| one.events).sum();
        (events > 0).then(|| events as f64 / took.as_secs_f64())
    }

    /// The memory of the member that has most in use, in bytes.
    pub(crate) fn resident_bytes_max(&self) -> Option<u64> {
        self.resident_bytes.iter().copied().max()
    }

    fn json(&self) -> Value {
        json!({
            "loads": self.loads.iter().map(LoadResult::json).collect::<Vec<Value>>(),
            "watch_events_rate": self.events_rate(),
            "fill_s": self.fill.map(|time| time.as_secs_f64()),
            "resident_bytes": self.resident_bytes,
            "resident_bytes_after_restart": self.resident_bytes_after_restart,
            "restart_s": self.restart.map(|time| time.as_secs_f64()),
            "elections": self.elections,
        })
    }
}

/// What was measured of all.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) kinds: Vec<Kind>,
    /// In the order of `kinds`.
    pub(crate) results: Vec<Result>,
}

impl Outcome {
    /// Nothing measured yet.
    pub(crate) fn new(kinds: &[Kind]) -> Self {
        Self { kinds: kinds.to_vec(), results: vec![Result::default(); kinds.len()] }
    }

    /// The place of a contestant among the results, if it took part.
    pub(crate) fn place_of(&self, kind: Kind) -> Option<usize> {
        self.kinds.iter().position(|other| *other == kind)
    }

    /// Everything, for programs.
    pub(crate) fn json(&self) -> Value {
        let named = self.kinds.iter().zip(&self.results);
        named.map(|(kind, result)| (kind.name().to_owned(), result.json())).collect()
    }

    /// What spoils the measurement: elections, and requests that failed.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (kind, result) in self.kinds.iter().zip(&self.results) {
            wrong.extend(result.elections.iter().cloned());
            for load in result.loads.iter().filter(|load| load.measured.errors > 0) {
                let errors = load.measured.errors;
                wrong.push(format!("{}: {errors} errors under {:?}", kind.name(), load.load));
            }
        }
        wrong
    }
}

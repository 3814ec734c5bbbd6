//! What each node says of itself, and how its clock stands against ours.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::{client::Cluster, status};

/// One node, asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Visit {
    /// Where it was asked.
    pub(super) address: String,
    /// Its answer to `GET /status`; null if there was none.
    pub(super) status: Value,
    /// How far its time of day is ahead of ours, milliseconds.
    pub(super) ahead_ms: i64,
}

impl Visit {
    /// True if it answered.
    pub(super) fn answers(&self) -> bool {
        !self.status.is_null()
    }

    /// What it is called; its address if it did not say.
    pub(super) fn name(&self) -> &str {
        self.status["node"]["name"].as_str().unwrap_or(&self.address)
    }

    /// A number that it says.
    pub(super) fn number(&self, pointer: &str) -> u64 {
        self.status.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
    }

    /// True if it says that this is so.
    pub(super) fn says(&self, pointer: &str) -> bool {
        self.status.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The members that it knows.
    pub(super) fn members(&self) -> &[Value] {
        self.status["members"].as_array().map_or(&[], Vec::as_slice)
    }
}

/// All nodes that can be heard of.
pub(super) async fn all(cluster: &Cluster) -> Vec<Visit> {
    let mut visits = Vec::new();
    for (address, first) in status::gather(cluster).await {
        let before = now_ms();
        let status = if first.is_null() { first } else { status::of_node(cluster, &address).await };
        let middle = before + (now_ms() - before) / 2;
        let there = status["machine"]["wallMs"].as_i64().unwrap_or(middle);
        visits.push(Visit { address, status, ahead_ms: there - middle });
    }
    visits
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

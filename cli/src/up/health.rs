//! What each node says of itself, asked for now and then.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

use crate::{client::Cluster, status};

/// How long one node may take to answer.
const WAIT: Duration = Duration::from_millis(400);

/// What the table shows of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Health {
    pub(super) role: String,
    pub(super) term: u64,
    pub(super) commit: u64,
    pub(super) applied: u64,
    pub(super) process_id: u64,
    /// True if it has a vote.
    pub(super) is_voter: bool,
}

/// Asks all nodes at once; nothing for one that does not answer.
pub(super) async fn ask(addresses: &[String]) -> Vec<Option<Health>> {
    let asked: Vec<_> = addresses
        .iter()
        .map(|address| {
            let cluster = Cluster { addresses: vec![address.clone()], patience: WAIT };
            let address = address.clone();
            tokio::spawn(async move {
                timeout(WAIT, status::of_node(&cluster, &address)).await.unwrap_or_default()
            })
        })
        .collect();
    let mut healths = Vec::new();
    for answer in asked {
        healths.push(answer.await.ok().as_ref().and_then(of));
    }
    healths
}

fn of(status: &Value) -> Option<Health> {
    Some(Health {
        role: status::role(status),
        term: status["term"].as_u64()?,
        commit: status["commit"].as_u64()?,
        applied: status["applied"].as_u64()?,
        process_id: status["node"]["processId"].as_u64()?,
        is_voter: status::part(status) == Some("voter"),
    })
}

//! `GET /debug`: exactly the fields of the course's chapter 15.

use hyper::header::{HeaderName, HeaderValue};
use kernel::Role;
use kv::PAGE_ITEMS_MAX;
use serde_json::{Map, Value, json};

use crate::{
    answer::Answer,
    error::ApiError,
    front::Front,
    kv::{page_of, shown},
    members::name_of,
    outcome,
};

/// Says that not all pairs are shown: `GET /kv` lists the others.
const TRUNCATED: HeaderName = HeaderName::from_static("x-truncated");

/// This node's own view, which may be behind: its state machine as far as it has applied the log.
pub(crate) async fn debug(front: &Front) -> Result<Answer, ApiError> {
    let reading = front.node.stale().await.map_err(outcome::of_read)?;
    // The status is a moment older than the reading, and must not seem to contradict it.
    let applied = reading.meta().applied;
    let page = page_of(reading, String::new(), None, PAGE_ITEMS_MAX).await?;
    let mut pairs = Map::new();
    for item in &page.items {
        pairs.insert(shown(&item.key), Value::from(shown(&item.value)));
    }
    let status = front.node.status();
    let name = |node| name_of(&status.membership, node);
    let state = match status.role {
        Role::Follower => "follower",
        Role::PreCandidate | Role::Candidate => "candidate",
        Role::Leader => "leader",
    };
    let answer = Answer::ok(&json!({
        "nodeId": front.name,
        "state": state,
        "term": status.term.max(applied.term).0,
        "leaderId": status.leader.map(name),
        "logLength": status.last.max(applied.index).0,
        "commitIndex": status.commit.max(applied.index).0,
        "stateMachine": pairs,
    }));
    if page.more {
        return Ok(answer.header(TRUNCATED, HeaderValue::from_static("true")));
    }
    Ok(answer)
}

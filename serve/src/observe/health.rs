//! `GET /health` and `GET /ready`: for whoever starts, stops and balances processes.

use std::time::Duration;

use kernel::Fault;
use raft::Request;
use serde_json::json;
use tokio::time::timeout;

use crate::{answer::Answer, error::ApiError, front::Front, members::name_of, outcome};

/// How long a probe may take.
const PROBE: Duration = Duration::from_secs(2);

/// The process is alive and its node has not stopped.
pub(crate) fn health(front: &Front) -> Result<Answer, ApiError> {
    if front.node.is_stopped() {
        return Err(outcome::broken(&Fault::Storage("the node has stopped".to_owned())));
    }
    let has_leader = front.node.status().leader.is_some();
    Ok(Answer::ok(&json!({
        "healthy": true,
        // As etcd says it.
        "health": if has_leader { "true" } else { "false" },
        "uptimeSeconds": front.started.elapsed().as_secs(),
    })))
}

/// A leader is known and a linearizable read works from here.
pub(crate) async fn ready(front: &Front) -> Result<Answer, ApiError> {
    let read = timeout(PROBE, front.node.read(Request::Read)).await;
    read.map_err(|_| outcome::out_of_time(false))?.map_err(outcome::of_read)?;
    let status = front.node.status();
    let leader = status.leader.map(|leader| name_of(&status.membership, leader));
    Ok(Answer::ok(&json!({ "ready": true, "leader": leader })))
}

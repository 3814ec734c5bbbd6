//! Leadership handed over, to try a change calmly or before a machine is taken down.

use std::time::Duration;

use raft::Request;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{find, name_of};
use crate::{answer::Answer, call::Call, error::ApiError, front::Front, outcome};

/// How often to look whether this node knows the new leader.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How long to look: some election timeouts.
const LOOKS_MAX: u32 = 100;

/// `POST /leader/transfer {to?}`: to the named voter, or to the one that is furthest.
pub(crate) async fn transfer(front: &Front, call: &Call) -> Result<Answer, ApiError> {
    let object = call.object_or_nothing(&["to"])?;
    let before = front.node.status();
    let to = match object.get("to") {
        None | Some(Value::Null) => None,
        Some(Value::String(who)) => Some(find(&before.membership, who)?),
        Some(_) => {
            return Err(ApiError::bad("bad_member", "The field \"to\" must be a name or an id."));
        }
    };
    front.node.request(Request::Transfer { to }).await.map_err(outcome::of_write)?;
    for _ in 0..LOOKS_MAX {
        let now = front.node.status();
        let is_new = now.term > before.term || to.is_some() && now.leader == to;
        if let Some(leader) = now.leader.filter(|_| is_new) {
            let name = name_of(&now.membership, leader);
            return Ok(Answer::ok(&json!({ "leader": name, "term": now.term.0 })));
        }
        sleep(LOOK_AGAIN).await;
    }
    Err(outcome::out_of_time(true))
}

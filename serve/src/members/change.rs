//! Members come, get a vote, and go.

use kernel::{Member, NodeId};
use raft::{Change, Request};
use serde_json::{Map, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::{find, one_json};
use crate::{answer::Answer, call::Call, error::ApiError, front::Front, outcome};

/// `POST /members {name, peerAddress, clientAddress, id?}`: a learner, which receives the log without
/// a vote. The id of a node that exists already is the one in its data folder.
pub(crate) async fn add(front: &Front, call: &Call) -> Result<Answer, ApiError> {
    let object = call.object(&["id", "name", "peerAddress", "clientAddress"])?;
    let member = Member {
        name: text(&object, "name")?,
        peer_address: address(&object, "peerAddress")?,
        client_address: address(&object, "clientAddress")?,
        ..Member::default()
    };
    let node = match object.get("id") {
        None => NodeId(xxh3_64(format!("{}/{}", front.cluster, member.name).as_bytes())),
        Some(id) => id_of(id)?,
    };
    change(front, Change::AddLearner { node, member: member.clone() }).await?;
    Ok(Answer::ok(&one_json(node, &member, "learner")))
}

/// `POST /members/{who}/promote {replacing?}`: a learner that has caught up gets a vote.
pub(crate) async fn promote(front: &Front, call: &Call, who: &str) -> Result<Answer, ApiError> {
    let object = call.object_or_nothing(&["replacing"])?;
    let status = front.node.status();
    let node = find(&status.membership, who)?;
    let member = status.membership.members.get(&node).cloned().unwrap_or_default();
    let replacing = match object.get("replacing") {
        None | Some(Value::Null) => None,
        Some(_) => Some(find(&status.membership, &text(&object, "replacing")?)?),
    };
    change(front, Change::Promote { node, replacing }).await?;
    Ok(Answer::ok(&one_json(node, &member, "voter")))
}

/// `DELETE /members/{who}`: a member goes.
pub(crate) async fn remove(front: &Front, who: &str) -> Result<Answer, ApiError> {
    let status = front.node.status();
    let node = find(&status.membership, who)?;
    let member = status.membership.members.get(&node).cloned().unwrap_or_default();
    change(front, Change::Remove { node }).await?;
    Ok(Answer::ok(&one_json(node, &member, "none")))
}

async fn change(front: &Front, change: Change) -> Result<(), ApiError> {
    front.node.request(Request::Change(change)).await.map_err(outcome::of_write)?;
    Ok(())
}

fn text(object: &Map<String, Value>, name: &str) -> Result<String, ApiError> {
    let value = object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    value.map(str::to_owned).ok_or_else(|| {
        ApiError::bad("bad_member", format!("The field {name:?} must be a text, not empty."))
    })
}

fn address(object: &Map<String, Value>, name: &str) -> Result<String, ApiError> {
    let address = text(object, name)?;
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    if port.is_some_and(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Ok(address);
    }
    Err(ApiError::bad(
        "bad_member",
        format!("The field {name:?} must be host:port, for example 127.0.0.1:4004."),
    ))
}

fn id_of(value: &Value) -> Result<NodeId, ApiError> {
    let id = value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    id.map(NodeId).ok_or_else(|| {
        ApiError::bad("bad_member", "The field \"id\" must be a whole number, best as a text.")
    })
}

//! Members in JSON.

use kernel::{Member, Membership, NodeId};
use serde_json::{Value, json};

use crate::{answer::Answer, front::Front};

/// What people call `node`: its name, or its id if it is no member.
pub(crate) fn name_of(membership: &Membership, node: NodeId) -> String {
    let name = membership.members.get(&node).map(|member| member.name.clone());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| node.to_string())
}

/// One member: its names, addresses and say.
pub(crate) fn member_json(membership: &Membership, node: NodeId) -> Value {
    let member = membership.members.get(&node).cloned().unwrap_or_default();
    one_json(node, &member, part_of(membership, node))
}

/// One member whose part is known.
pub(crate) fn one_json(node: NodeId, member: &Member, part: &str) -> Value {
    json!({
        "id": node.to_string(),
        "name": member.name,
        "part": part,
        "peerAddress": member.peer_address,
        "clientAddress": member.client_address,
    })
}

/// `GET /members`: the configuration in force on this node.
pub(crate) fn list(front: &Front) -> Answer {
    let status = front.node.status();
    let membership = &status.membership;
    let members: Vec<Value> =
        membership.members.keys().map(|node| member_json(membership, *node)).collect();
    Answer::ok(&json!({
        "system": front.system.name(),
        "cluster": format!("{:032x}", front.cluster.0),
        "joint": membership.is_joint(),
        "leader": status.leader.map(|leader| name_of(membership, leader)),
        "members": members,
    }))
}

fn part_of(membership: &Membership, node: NodeId) -> &'static str {
    if membership.voters.contains(&node) {
        "voter"
    } else if membership.outgoing.contains(&node) {
        "leaving"
    } else if membership.learners.contains(&node) {
        "learner"
    } else {
        "none"
    }
}

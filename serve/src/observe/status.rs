//! `GET /status`: all that a node knows of itself and of its group.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::{
    answer::Answer,
    front::Front,
    members::{member_json, name_of},
};

/// The node, its group, and, on a leader, how far the others are.
pub(crate) fn status(front: &Front) -> Answer {
    let status = front.node.status();
    let membership = &status.membership;
    let leader = status.leader.map(|leader| {
        let address = membership.members.get(&leader).map(|member| &member.client_address);
        json!({
            "id": leader.to_string(),
            "name": name_of(membership, leader),
            "clientAddress": address,
        })
    });
    let members: Vec<Value> = membership
        .members
        .keys()
        .map(|node| {
            let mut member = member_json(membership, *node);
            if let Some(peer) = status.peers.get(node) {
                member["matched"] = Value::from(peer.matched.0);
                member["replication"] = Value::from(peer.state);
                member["active"] = Value::from(peer.recently_active);
            }
            member
        })
        .collect();
    Answer::ok(&json!({
        "node": {
            "id": status.me.node.to_string(),
            "name": front.name,
            "incarnation": status.me.incarnation.0,
            "processId": std::process::id(),
            "uptimeSeconds": front.started.elapsed().as_secs(),
            "version": env!("CARGO_PKG_VERSION"),
        },
        "system": front.system.name(),
        "cluster": format!("{:032x}", front.cluster.0),
        "role": status.role.name(),
        "term": status.term.0,
        "leader": leader,
        "commit": status.commit.0,
        "applied": status.applied.0,
        "log": {
            "base": status.base.0,
            "last": status.last.0,
            "durable": status.durable.0,
        },
        "waiting": status.waiting,
        "uncertain": status.uncertain,
        "diskFull": status.disk_full,
        "joint": membership.is_joint(),
        "members": members,
        "machine": machine(front),
    }))
}

/// What the node meets where it runs: the time of day, the room on its disk, and how long flushes of its log take.
fn machine(front: &Front) -> Value {
    let host = front.node.metrics();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    json!({
        "wallMs": u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        "roomBytes": front.node.room_bytes(),
        "tablesLackRoom": host.tables_lack_room,
        "flushes": host.fsync_us.count,
        "flushMicrosecondsP99": host.fsync_us.p99,
    })
}

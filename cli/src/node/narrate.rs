//! Tells in the log what a person would want to know of a node's life.

use std::time::Duration;

use kernel::{NodeId, Role, Term};
use raft::Status;
use serve::Node;
use tokio::time::sleep;

/// How often to look.
const LOOK: Duration = Duration::from_millis(50);

/// What the last line was about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    leader: Option<NodeId>,
    term: Term,
    is_candidate: bool,
    members: Vec<NodeId>,
    disk_full: bool,
    uncertain: bool,
}

/// Writes a line for each change, for as long as the node runs.
pub(crate) async fn narrate(node: Node) {
    let mut seen = Seen::default();
    while !node.is_stopped() {
        let status = node.status();
        let now = Seen::of(&status);
        tell(&seen, &now, &status);
        seen = now;
        sleep(LOOK).await;
    }
}

impl Seen {
    fn of(status: &Status) -> Self {
        Self {
            leader: status.leader,
            term: status.term,
            is_candidate: matches!(status.role, Role::Candidate | Role::PreCandidate),
            members: status.membership.members.keys().copied().collect(),
            disk_full: status.disk_full,
            uncertain: status.uncertain,
        }
    }
}

fn tell(seen: &Seen, now: &Seen, status: &Status) {
    let term = now.term;
    let name = |node: NodeId| {
        let member = status.membership.members.get(&node);
        member.map_or_else(|| node.to_string(), |member| member.name.clone())
    };
    if now.leader != seen.leader || now.leader.is_some() && now.term != seen.term {
        match now.leader {
            Some(leader) if leader == status.me.node => {
                tracing::info!("This node is now the leader, in term {term}.");
            }
            Some(leader) => tracing::info!("{} is now the leader, in term {term}.", name(leader)),
            None => tracing::info!("There is no leader that this node knows of."),
        }
    }
    if now.is_candidate && !seen.is_candidate {
        tracing::info!("This node has heard from no leader and stands for election.");
    }
    if now.members != seen.members {
        let names: Vec<String> = now.members.iter().map(|node| name(*node)).collect();
        tracing::info!("The members are {}.", names.join(", "));
    }
    match (seen.disk_full, now.disk_full) {
        (false, true) => tracing::warn!(
            "The disk is full. Writes are refused until there is room; reads and elections go on."
        ),
        (true, false) => tracing::info!("There is room on the disk again; writes are taken."),
        _ => {}
    }
    match (seen.uncertain, now.uncertain) {
        (false, true) => tracing::warn!(
            "The end of this node's log is in doubt; it does not vote until it has caught up."
        ),
        (true, false) => tracing::info!("This node has caught up and votes again."),
        _ => {}
    }
}

//! Who belongs to the group, and who leads it: `/members` and `/leader/transfer`.

mod change;
mod describe;
mod transfer;

pub(crate) use change::{add, promote, remove};
pub(crate) use describe::{list, member_json, name_of, one_json};
pub(crate) use transfer::transfer;

use hyper::StatusCode;
use kernel::{Membership, NodeId};

use crate::error::ApiError;

/// The member that `who` means: an id in decimal digits, or a name.
pub(crate) fn find(membership: &Membership, who: &str) -> Result<NodeId, ApiError> {
    let by_id = who.parse().ok().map(NodeId).filter(|node| membership.contains(*node));
    let mut by_name = membership.members.iter().filter(|(_, member)| member.name == who);
    if let Some(node) = by_id.or_else(|| by_name.next().map(|(node, _)| *node)) {
        if by_id.is_none() && by_name.next().is_some() {
            let message = format!("Two members are called {who}; name the one you mean by its id.");
            return Err(ApiError::bad("bad_member", message));
        }
        return Ok(node);
    }
    let names: Vec<&str> = membership.members.values().map(|it| it.name.as_str()).collect();
    let message = format!("There is no member {who:?}; the members are {}.", names.join(", "));
    Err(ApiError::new(StatusCode::NOT_FOUND, "no_such_member", message))
}

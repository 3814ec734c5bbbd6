//! What each connection holds.
//!
//! ```text
//! node u64 | incarnation u64 | connection u64 | task u64 ─▶ nothing     the largest byte first
//! ```

use alloc::vec::Vec;
use core::ops::Range;

use kernel::{Fault, Incarnation, NodeId, TableId};

use super::{View, last_task};
use crate::task::{Holder, TaskId};

/// What each connection holds.
pub(crate) const HELD: TableId = TableId(43);

/// The row that says that a connection holds a task.
pub(crate) fn held_key(holder: Holder, id: TaskId) -> Vec<u8> {
    [&holder_key(holder)[..], &id.to_key()].concat()
}

/// What these connections hold, so many at most.
pub(crate) fn held(
    view: &impl View,
    holders: &Range<Holder>,
    limit: usize,
) -> Result<Vec<TaskId>, Fault> {
    let (from, end) = (holder_key(holders.start), holder_key(holders.end));
    let rows = view.scan(HELD, &from, Some(&end), limit)?;
    rows.iter().map(|(key, _)| last_task(key)).collect()
}

/// This connection alone.
pub(crate) fn only(holder: Holder) -> Range<Holder> {
    // The last connection of a life is none: numbers do not get that far.
    holder..Holder { connection: holder.connection.saturating_add(1), ..holder }
}

/// All connections of the lives of a node before this one.
pub(crate) fn before(node: NodeId, incarnation: Incarnation) -> Range<Holder> {
    let first = |incarnation| Holder { node, incarnation, connection: 0 };
    first(Incarnation(0))..first(incarnation)
}

fn holder_key(holder: Holder) -> Vec<u8> {
    let numbers = [holder.node.0, holder.incarnation.0, holder.connection];
    numbers.map(u64::to_be_bytes).concat()
}

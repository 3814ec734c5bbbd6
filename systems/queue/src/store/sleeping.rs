//! Tasks that wait: the delayed ones of a queue in the order of their times, and its dead letters in the
//! order in which they were buried.
//!
//! ```text
//! queue | until u64 | task u64 ─▶ nothing        numbers with the largest byte first
//! queue | place u64            ─▶ task u64
//! ```

use alloc::vec::Vec;

use kernel::{Fault, Malformed, Stamp, TableId, Tables};

use super::{View, corrupt, last_number, last_task, name_key, prefix_end, queues};
use crate::task::TaskId;

/// The delayed tasks of each queue.
pub(crate) const DELAYED: TableId = TableId(41);
/// The dead letters of each queue.
pub(crate) const BURIED: TableId = TableId(42);

/// The row of a delayed task.
pub(crate) fn delayed_key(queue: &[u8], until: Stamp, id: TaskId) -> Vec<u8> {
    let mut key = name_key(queue);
    key.extend_from_slice(&until.0.to_be_bytes());
    key.extend_from_slice(&id.to_key());
    key
}

/// The row of a dead letter.
pub(crate) fn buried_key(queue: &[u8], place: u64) -> Vec<u8> {
    let mut key = name_key(queue);
    key.extend_from_slice(&place.to_be_bytes());
    key
}

/// The delayed tasks of a queue whose time comes first, so many at most.
pub(crate) fn first_delayed(
    view: &impl View,
    queue: &[u8],
    limit: usize,
) -> Result<Vec<TaskId>, Fault> {
    let prefix = name_key(queue);
    let rows = view.scan(DELAYED, &prefix, prefix_end(&prefix).as_deref(), limit)?;
    rows.iter().map(|(key, _)| last_task(key)).collect()
}

/// The dead letters of a queue from a place on, so many at most, with their places.
pub(crate) fn buried_from(
    view: &impl View,
    queue: &[u8],
    place: u64,
    limit: usize,
) -> Result<Vec<(u64, TaskId)>, Fault> {
    // Before the noted place rows have gone, and there is none.
    let from = place.max(queues::load(view, queue)?.buried_from);
    let end = prefix_end(&name_key(queue));
    let rows = view.scan(BURIED, &buried_key(queue, from), end.as_deref(), limit)?;
    rows.iter().map(|(key, row)| Ok((last_number(key)?, last_task(row)?))).collect()
}

/// Notes that before this place a queue has no dead letters any more.
pub(crate) fn note_buried_from(tables: &mut Tables, name: &[u8], place: u64) -> Result<(), Fault> {
    let mut queue = queues::load(tables, name)?;
    assert!(place <= queue.buried_ever, "only places that were given are passed");
    queue.buried_from = queue.buried_from.max(place);
    queues::save(tables, name, &queue)
}

/// Takes a row away, which must be there.
pub(super) fn remove(tables: &mut Tables, table: TableId, key: &[u8]) -> Result<(), Fault> {
    let was_there = tables.delete(table, key)?;
    if was_there { Ok(()) } else { Err(corrupt(Malformed("a row for each task that waits"))) }
}

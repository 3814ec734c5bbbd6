//! Which tasks are ready: those of a queue, and those of a type in a queue.
//!
//! ```text
//! queue | priority u32 | block u64          both numbers with the largest byte first
//! queue | type | priority u32 | block u64   of tasks that have a type
//!   ─▶ 64 bytes: bit n is set if task 512 * block + n is ready
//! ```
//! The first row of a queue holds what is served next: the lowest priority, then the oldest task. Many tasks
//! share a row, so that a queue through which tasks run quickly leaves few deleted rows at its front.

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, TableId, Tables};

use super::{View, corrupt, name_key, prefix_end};
use crate::task::{Task, TaskId};

/// The ready tasks of each queue.
pub(crate) const READY: TableId = TableId(39);
/// The ready tasks of each type in each queue.
pub(crate) const TYPED: TableId = TableId(40);

/// How many tasks share a row.
const BLOCK: u64 = 512;

const BLOCK_BYTES: usize = 64;

/// From where a task is taken: a queue, or only the tasks of a type in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    table: TableId,
    prefix: Vec<u8>,
    end: Option<Vec<u8>>,
}

impl Source {
    /// All tasks of a queue.
    pub(crate) fn of_queue(queue: &[u8]) -> Self {
        Self::new(READY, name_key(queue))
    }

    /// The tasks of a type in a queue.
    pub(crate) fn of_type(queue: &[u8], kind: &[u8]) -> Self {
        Self::new(TYPED, [name_key(queue), name_key(kind)].concat())
    }

    fn new(table: TableId, prefix: Vec<u8>) -> Self {
        let end = prefix_end(&prefix);
        Self { table, prefix, end }
    }

    /// What is served next from here: its priority, then its number.
    pub(crate) fn first(&self, view: &impl View) -> Result<Option<(u32, TaskId)>, Fault> {
        let rows = view.scan(self.table, &self.prefix, self.end.as_deref(), 1)?;
        let Some((key, row)) = rows.into_iter().next() else {
            return Ok(None);
        };
        let (priority, block) = decode_key(&key)?;
        let lowest = tasks_of(block, &row)?.next();
        let task = lowest.expect("a row of ready tasks has at least one");
        Ok(Some((priority, task)))
    }

    fn row(&self, priority: u32, block: u64) -> Vec<u8> {
        let mut key = self.prefix.clone();
        key.extend_from_slice(&priority.to_be_bytes());
        key.extend_from_slice(&block.to_be_bytes());
        key
    }

    fn add(&self, tables: &mut Tables, priority: u32, id: TaskId) -> Result<(), Fault> {
        let key = self.row(priority, id.0 / BLOCK);
        let mut bits = match tables.get(self.table, &key)? {
            Some(row) => decode_bits(&row)?,
            None => [0; BLOCK_BYTES],
        };
        let (byte, mask) = bit(id);
        assert!(bits[byte] & mask == 0, "a task becomes ready once");
        bits[byte] |= mask;
        tables.put(self.table, &key, &bits)
    }

    fn remove(&self, tables: &mut Tables, priority: u32, id: TaskId) -> Result<(), Fault> {
        let key = self.row(priority, id.0 / BLOCK);
        let row = tables.get(self.table, &key)?.expect("a ready task has a row");
        let mut bits = decode_bits(&row)?;
        let (byte, mask) = bit(id);
        assert!(bits[byte] & mask != 0, "a ready task has a bit");
        bits[byte] &= !mask;
        if bits == [0; BLOCK_BYTES] {
            tables.delete(self.table, &key).map(drop)
        } else {
            tables.put(self.table, &key, &bits)
        }
    }
}

/// Notes that a task is ready.
pub(super) fn add(tables: &mut Tables, id: TaskId, task: &Task) -> Result<(), Fault> {
    sources_of(task).try_for_each(|source| source.add(tables, task.priority, id))
}

/// Notes that a task is not ready any more.
pub(super) fn remove(tables: &mut Tables, id: TaskId, task: &Task) -> Result<(), Fault> {
    sources_of(task).try_for_each(|source| source.remove(tables, task.priority, id))
}

fn sources_of(task: &Task) -> impl Iterator<Item = Source> {
    let typed = (!task.kind.is_empty()).then(|| Source::of_type(&task.queue, &task.kind));
    core::iter::once(Source::of_queue(&task.queue)).chain(typed)
}

/// The priority and the block in a row's key.
pub(crate) fn decode_key(key: &[u8]) -> Result<(u32, u64), Fault> {
    let malformed = || corrupt(Malformed("a priority and a block"));
    let (rest, block) = key.split_last_chunk().ok_or_else(malformed)?;
    let priority = rest.last_chunk().ok_or_else(malformed)?;
    Ok((u32::from_be_bytes(*priority), u64::from_be_bytes(*block)))
}

/// The tasks whose bits are set in a row, ascending.
pub(crate) fn tasks_of(block: u64, row: &Bytes) -> Result<impl Iterator<Item = TaskId>, Fault> {
    let bits = decode_bits(row)?;
    let is_set = move |place: &u64| {
        let (byte, mask) = bit(TaskId(*place));
        bits[byte] & mask != 0
    };
    Ok((0..BLOCK).filter(is_set).map(move |place| TaskId(block * BLOCK + place)))
}

fn decode_bits(row: &Bytes) -> Result<[u8; BLOCK_BYTES], Fault> {
    (**row).try_into().map_err(|_| corrupt(Malformed("the 64 bytes of a block")))
}

/// The byte in a block's row, and the bit in it.
fn bit(id: TaskId) -> (usize, u8) {
    let place = id.0 % BLOCK;
    let byte = usize::try_from(place / 8).expect("a place in a block is small");
    (byte, 1 << (place % 8))
}

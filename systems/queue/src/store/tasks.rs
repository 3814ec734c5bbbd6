//! The tasks: what is known of each, its payload, its result, and the key under which it was put.
//!
//! ```text
//! task u64, the largest byte first ─▶ layout u8 = 1 | task, see task.rs
//! task                             ─▶ payload
//! task                             ─▶ result
//! queue, key                       ─▶ task u64
//! ```
//! A payload is written once, however often what is known of its task changes.

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, TableId, Tables, Wire, Writer};

use super::{View, corrupt, last_task, name_key};
use crate::task::{Task, TaskId};

/// What is known of each task.
pub(crate) const TASKS: TableId = TableId(35);
/// What each task is about.
pub(crate) const PAYLOADS: TableId = TableId(36);
/// What a task came to.
pub(crate) const RESULTS: TableId = TableId(37);
/// Under which keys tasks were put.
pub(crate) const KEYS: TableId = TableId(44);

const LAYOUT: u8 = 1;

impl TaskId {
    pub(crate) const fn to_key(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

/// What is known of a task.
pub(crate) fn find(view: &impl View, id: TaskId) -> Result<Option<Task>, Fault> {
    view.get(TASKS, &id.to_key())?.map(decode).transpose()
}

/// Reads a task's row.
pub(crate) fn decode(row: Bytes) -> Result<Task, Fault> {
    let mut reader = Reader::new(row);
    let read = |reader: &mut Reader| match reader.take_u8()? {
        LAYOUT => Task::decode(reader),
        _ => Err(Malformed("a task of layout 1")),
    };
    read(&mut reader).map_err(corrupt)
}

/// The row of a task.
pub(crate) fn encode(task: &Task) -> Bytes {
    let mut writer = Writer::with_capacity(160);
    writer.put_u8(LAYOUT);
    task.encode(&mut writer);
    writer.into_bytes()
}

/// What a task is about.
pub(crate) fn payload(view: &impl View, id: TaskId) -> Result<Bytes, Fault> {
    Ok(view.get(PAYLOADS, &id.to_key())?.unwrap_or_default())
}

/// What a task came to; empty before it is completed.
pub(crate) fn result(view: &impl View, id: TaskId) -> Result<Bytes, Fault> {
    Ok(view.get(RESULTS, &id.to_key())?.unwrap_or_default())
}

/// Writes what a task came to; what is empty needs no row.
pub(crate) fn set_result(tables: &mut Tables, id: TaskId, result: &[u8]) {
    if !result.is_empty() {
        tables.append(RESULTS, &id.to_key(), result);
    }
}

/// The task that was put into a queue under a key.
pub(crate) fn under_key(
    view: &impl View,
    queue: &[u8],
    key: &[u8],
) -> Result<Option<TaskId>, Fault> {
    view.get(KEYS, &key_key(queue, key))?.map(|row| last_task(&row)).transpose()
}

/// The row of a key.
pub(crate) fn key_key(queue: &[u8], key: &[u8]) -> alloc::vec::Vec<u8> {
    let mut row = name_key(queue);
    row.extend_from_slice(key);
    row
}

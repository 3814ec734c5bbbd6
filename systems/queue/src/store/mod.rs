//! How the queues lie in their tables.
//!
//! ```text
//! table 32 counters   name                              u64
//! table 33 settings   queue                             what holds for its tasks
//! table 34 queues     queue                             what is in it, whether it is paused
//! table 35 tasks      task                              what is known of it
//! table 36 payloads   task                              what it is about
//! table 37 results    task                              what it came to
//! table 38 attempts   task, delivery                    how a delivery ended that did not complete it
//! table 39 ready      queue, priority, block of tasks   which tasks of the block are ready
//! table 40 typed      queue, type, priority, block      the same of one type
//! table 41 delayed    queue, until, task                nothing: the task is ready then
//! table 42 buried     queue, place                      task
//! table 43 held       holder, task                      nothing: the connection holds the task
//! table 44 keys       queue, key                        task
//! table 45 dates      kind, date, what                  nothing: something is due then
//! ```
//! What a task needs in these tables follows from what is known of it alone, and only `shelf.rs` puts it
//! there and takes it away. A queue in a key has its length in front, in one byte, so that the rows of one
//! queue never lie among those of another.
//!
//! A queue is taken from at its front, and a scan passes every row that was deleted there since the last
//! flush. What is scanned from its front is therefore either kept in blocks of many tasks (`ready.rs`), or
//! scanned from a note of where nothing is any more (`dates.rs`, `queues.rs`).

pub(crate) mod attempts;
pub(crate) mod counters;
pub(crate) mod dates;
pub(crate) mod holders;
pub(crate) mod queues;
pub(crate) mod ready;
mod shelf;
pub(crate) mod sleeping;
pub(crate) mod tasks;

use alloc::vec::Vec;

use kernel::{Fault, Malformed};

use crate::task::TaskId;

pub(crate) use kernel::tables::{View, each_row, prefix_end};
pub(crate) use shelf::{Why, forget, insert, replace, retire, watch_idle};

/// A name as the front of a key.
pub(crate) fn name_key(name: &[u8]) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("a name's length was checked");
    let mut key = Vec::with_capacity(48 + name.len());
    key.push(length);
    key.extend_from_slice(name);
    key
}

/// The number at the end of a key.
pub(crate) fn last_number(key: &[u8]) -> Result<u64, Fault> {
    let bytes =
        key.last_chunk().ok_or_else(|| corrupt(Malformed("a key that ends in a number")))?;
    Ok(u64::from_be_bytes(*bytes))
}

/// The task in a key's last bytes.
pub(crate) fn last_task(key: &[u8]) -> Result<TaskId, Fault> {
    last_number(key).map(TaskId)
}

/// A row that nobody wrote so.
pub(crate) fn corrupt(malformed: Malformed) -> Fault {
    Fault::Corrupt(alloc::format!("a row of the queues is malformed: {malformed}"))
}

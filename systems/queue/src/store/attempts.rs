//! How deliveries ended that did not complete their task: the latest of each task.
//!
//! ```text
//! task u64 | delivery u64 ─▶ attempt, see attempt.rs     numbers with the largest byte first
//! ```

use alloc::vec::Vec;

use kernel::{Fault, TableId, Tables, Wire};

use super::{View, corrupt};
use crate::{
    attempt::Attempt,
    task::{State, Task, TaskId},
};

/// How deliveries ended.
pub(crate) const ATTEMPTS: TableId = TableId(38);

/// How many attempts of a task are remembered: the latest.
pub(crate) const REMEMBERED: u64 = 8;

/// Notes how the present delivery of a task ended.
pub(crate) fn add(
    tables: &mut Tables,
    id: TaskId,
    task: &Task,
    attempt: &Attempt,
) -> Result<(), Fault> {
    assert_eq!(attempt.delivery, task.deliveries, "the present delivery ends");
    tables.append(ATTEMPTS, &attempt_key(id, task.deliveries), &attempt.to_bytes());
    if task.deliveries > REMEMBERED {
        let forgotten = task.deliveries - REMEMBERED;
        tables.delete(ATTEMPTS, &attempt_key(id, forgotten))?;
    }
    Ok(())
}

/// What is remembered of a task's attempts, oldest first.
pub(crate) fn of_task(view: &impl View, id: TaskId) -> Result<Vec<Attempt>, Fault> {
    let limit = usize::try_from(REMEMBERED).expect("few are remembered");
    let end = attempt_key(id, u64::MAX);
    let rows = view.scan(ATTEMPTS, &attempt_key(id, 0), Some(&end), limit)?;
    rows.into_iter().map(|(_, row)| Attempt::from_bytes(row).map_err(corrupt)).collect()
}

/// Forgets all attempts of a task.
pub(crate) fn forget(tables: &mut Tables, id: TaskId, task: &Task) -> Result<(), Fault> {
    // What is done at its first delivery has none, and that is nearly everything.
    let has_open = matches!(task.state, State::Reserved { .. } | State::Completed { .. });
    let ended = task.deliveries - u64::from(has_open);
    for delivery in ended.saturating_sub(REMEMBERED) + 1..=ended {
        tables.delete(ATTEMPTS, &attempt_key(id, delivery))?;
    }
    Ok(())
}

fn attempt_key(id: TaskId, delivery: u64) -> Vec<u8> {
    [id.to_key(), delivery.to_be_bytes()].concat()
}

//! Kick and purge: what becomes of tasks that wait.

use bytes::Bytes;
use kernel::{Fault, Stamp, Tables};

use super::time::settled;
use crate::{
    AT_ONCE_MAX,
    answer::Answer,
    command::Sleepers,
    failure::Failure,
    store::{self, Why, sleeping},
    task::{State, Task, TaskId},
};

/// Makes dead letters or delayed tasks of a queue ready.
pub(super) fn kick(
    queue: &Bytes,
    sleepers: Sleepers,
    count: u32,
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let limit = count.min(AT_ONCE_MAX) as usize;
    let buried = match sleepers {
        Sleepers::Any | Sleepers::Buried => sleeping::buried_from(tables, queue, 0, limit.max(1))?,
        Sleepers::Delayed => alloc::vec![],
    };
    let is_of_dead = !buried.is_empty() || sleepers == Sleepers::Buried;
    let mut kicked = 0;
    if is_of_dead {
        for (place, id) in buried.into_iter().take(limit) {
            let task = settled(tables, id, stamp)?.expect("a dead letter is a task");
            wake(tables, id, &task)?;
            sleeping::note_buried_from(tables, queue, place + 1)?;
            kicked += 1;
        }
        return Ok(Answer::Kicked { sleepers: Sleepers::Buried, count: kicked });
    }
    for id in sleeping::first_delayed(tables, queue, limit)? {
        let task = settled(tables, id, stamp)?;
        if let Some(task) = task.filter(|task| matches!(task.state, State::Delayed { .. })) {
            wake(tables, id, &task)?;
            kicked += 1;
        }
    }
    Ok(Answer::Kicked { sleepers: Sleepers::Delayed, count: kicked })
}

/// Makes a dead letter or a delayed task ready.
pub(super) fn kick_one(id: TaskId, stamp: Stamp, tables: &mut Tables) -> Result<Answer, Fault> {
    let Some(task) = settled(tables, id, stamp)? else {
        return Ok(Answer::Failed(Failure::NotFound));
    };
    if !matches!(task.state, State::Buried { .. } | State::Delayed { .. }) {
        return Ok(Answer::Failed(Failure::WrongState));
    }
    wake(tables, id, &task)?;
    Ok(Answer::Now(State::Ready))
}

fn wake(tables: &mut Tables, id: TaskId, task: &Task) -> Result<(), Fault> {
    let mut after = task.clone();
    after.kicks += 1;
    if matches!(task.state, State::Buried { .. }) {
        // Whoever kicks a dead letter wants it tried again, as if it were new.
        after.failures = 0;
        after.expires = None;
    }
    after.state = State::Ready;
    store::replace(tables, id, task, after).map(drop)
}

/// Deletes the oldest dead letters of a queue.
pub(super) fn purge(
    queue: &Bytes,
    count: u32,
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    let limit = count.min(AT_ONCE_MAX) as usize;
    let buried = sleeping::buried_from(tables, queue, 0, limit + 1)?;
    let more = buried.len() > limit;
    let mut deleted = 0;
    for (place, id) in buried.into_iter().take(limit) {
        let task = settled(tables, id, stamp)?.expect("a dead letter is a task");
        store::forget(tables, id, &task, Why::Deleted, stamp)?;
        sleeping::note_buried_from(tables, queue, place + 1)?;
        deleted += 1;
    }
    Ok(Answer::Count { count: deleted, more })
}

//! What the time does: leases end, delays pass, tasks expire and are forgotten, pauses end.
//!
//! Everything happens at the moment at which it is due, also if no entry comes until later: a retry waits
//! from the end of its lease, not from the tick that found it. So it does not matter how ticks fall, and a
//! command that comes before the tick finds the same.

use bytes::Bytes;
use kernel::{Fault, Stamp, Tables};

use super::{holders, queues};
use crate::{
    TERM_GRACE_MS,
    attempt::{Attempt, AttemptEnd},
    store::{
        self, View, Why, attempts,
        counters::{self, TERM_BEGAN},
        dates::{self, DateKind, Due},
        tasks,
    },
    task::{State, Task, TaskId, later},
};

/// How many dates are read at once.
const DATES_AT_ONCE: usize = 64;

/// Does what is due by `stamp`, as much as `work` allows: one for each task. What is left is due at the next
/// tick.
pub(super) fn settle(tables: &mut Tables, stamp: Stamp, work: usize) -> Result<(), Fault> {
    let mut left = work;
    while left > 0 {
        let batch = dates::due(tables, stamp, left.min(DATES_AT_ONCE))?;
        if batch.is_empty() {
            return Ok(());
        }
        for (date, due) in batch {
            let done = come(tables, stamp, date, due, left.max(1))?;
            left = left.saturating_sub(done.max(1));
        }
    }
    Ok(())
}

/// What was due at `date` happens. Gives how much work it was.
fn come(
    tables: &mut Tables,
    stamp: Stamp,
    date: Stamp,
    due: Due,
    work: usize,
) -> Result<usize, Fault> {
    match due {
        Due::Task(id) => {
            settled(tables, id, stamp)?;
            return Ok(1);
        }
        Due::Pause(queue) => queues::end_pause(&queue, stamp, tables)?,
        Due::Idle(ref queue) => {
            dates::remove(tables, DateKind::Comes, date, &due)?;
            store::retire(tables, queue, stamp)?;
        }
        Due::LetGo(ref range) => {
            dates::remove(tables, DateKind::Comes, date, &due)?;
            return holders::release_some(range, stamp, work, tables).map(|(count, _)| count);
        }
    }
    Ok(1)
}

/// A task as it is at `stamp`, once all has happened that was due of it; nothing if it is not there.
pub(super) fn settled(
    tables: &mut Tables,
    id: TaskId,
    stamp: Stamp,
) -> Result<Option<Task>, Fault> {
    let mut found = tasks::find(tables, id)?;
    while let Some(task) = &found
        && let Some((_, date)) = task.date()
        && date <= stamp
    {
        found = step(tables, id, task, date, stamp)?;
    }
    Ok(found)
}

/// The first thing that was due of a task happens.
fn step(
    tables: &mut Tables,
    id: TaskId,
    task: &Task,
    date: Stamp,
    stamp: Stamp,
) -> Result<Option<Task>, Fault> {
    let mut after = task.clone();
    match task.state {
        State::Reserved { since, lease_ms, holder, .. } => {
            let due = lease_end(tables, date, lease_ms)?;
            if due <= stamp {
                return fail(tables, id, task, due, AttemptEnd::TimedOut, &Bytes::new()).map(Some);
            }
            after.state = State::Reserved { since, due, lease_ms, holder };
        }
        State::Ready | State::Delayed { .. } if task.expires == Some(date) => {
            after.state = expired(tables, task, date)?;
        }
        State::Delayed { .. } => after.state = State::Ready,
        State::Completed { .. } | State::Expired { .. } => {
            store::forget(tables, id, task, Why::Old, stamp)?;
            return Ok(None);
        }
        State::Ready | State::Buried { .. } => panic!("a task with a date has something due"),
    }
    store::replace(tables, id, task, after).map(Some)
}

/// When a lease ends that would end at `due`. It is found out only when it comes due, so that a new term
/// costs nothing.
fn lease_end(view: &impl View, due: Stamp, lease_ms: u64) -> Result<Stamp, Fault> {
    let began = Stamp(counters::counter(view, TERM_BEGAN)?);
    Ok(due.max(later(began, lease_ms.min(TERM_GRACE_MS))))
}

/// The present attempt failed at `at`: another one follows, or the task is a dead letter.
pub(super) fn fail(
    tables: &mut Tables,
    id: TaskId,
    task: &Task,
    at: Stamp,
    how: AttemptEnd,
    error: &Bytes,
) -> Result<Task, Fault> {
    assert!(how.is_failure(), "what failed is a failure");
    end_attempt(tables, id, task, at, how, error)?;
    let mut after = task.clone();
    after.failures = after.failures.saturating_add(1);
    after.timeouts += u32::from(how == AttemptEnd::TimedOut);
    if after.retry.is_over(after.failures) {
        after.buries += 1;
        // Its place is given where it is put.
        after.state = State::Buried { place: 0 };
    } else {
        after.delay_ms = after.retry.wait_ms(id, after.failures);
        after.state = waiting(tables, &after, at)?;
    }
    store::replace(tables, id, task, after)
}

/// Notes how the present delivery of a task ended.
pub(super) fn end_attempt(
    tables: &mut Tables,
    id: TaskId,
    task: &Task,
    at: Stamp,
    how: AttemptEnd,
    error: &Bytes,
) -> Result<(), Fault> {
    let State::Reserved { since, .. } = task.state else {
        panic!("only a reserved task has an attempt that ends");
    };
    let (delivery, error) = (task.deliveries, error.clone());
    attempts::add(tables, id, task, &Attempt { delivery, since, ended: at, how, error })
}

/// Where a task stands that waits for its delay from `at` on.
pub(super) fn waiting(view: &impl View, task: &Task, at: Stamp) -> Result<State, Fault> {
    if task.expires.is_some_and(|expires| expires <= at) {
        return expired(view, task, at);
    }
    let until = later(at, task.delay_ms);
    Ok(if until > at { State::Delayed { until } } else { State::Ready })
}

fn expired(view: &impl View, task: &Task, at: Stamp) -> Result<State, Fault> {
    let settings = store::queues::settings(view, &task.queue)?;
    Ok(State::Expired { at, gone: later(at, settings.retention_ms) })
}

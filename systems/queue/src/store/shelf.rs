//! Puts each task where it belongs: what a task needs in the tables follows from what is known of it.

use bytes::Bytes;
use kernel::{Fault, Stamp, Tables};

use super::{
    attempts,
    dates::{self, DateKind, Due},
    holders::{HELD, held_key},
    queues::{self, Queue},
    ready,
    sleeping::{self, BURIED, DELAYED, buried_key, delayed_key},
    tasks::{self, KEYS, PAYLOADS, RESULTS, TASKS},
};
use crate::{
    URGENT_BELOW,
    settings::Counts,
    task::{State, Task, TaskId, later},
};

/// How long a queue is empty before its row goes, in milliseconds.
const IDLE_MS: u64 = 600_000;

/// Puts a task that is new, with what it is about.
pub(crate) fn insert(
    tables: &mut Tables,
    id: TaskId,
    mut task: Task,
    payload: &[u8],
) -> Result<Task, Fault> {
    let mut queue = queues::load(tables, &task.queue)?;
    queue.counts.puts += 1;
    place(tables, id, &mut task, &mut queue)?;
    queues::save(tables, &task.queue, &queue)?;
    tables.append(TASKS, &id.to_key(), &tasks::encode(&task));
    if !payload.is_empty() {
        tables.append(PAYLOADS, &id.to_key(), payload);
    }
    if let Some(key) = &task.key {
        tables.put(KEYS, &tasks::key_key(&task.queue, key), &id.to_key())?;
    }
    Ok(task)
}

/// Lets `after` be known of a task of which `before` was. Gives what is known then: a dead letter has a place.
pub(crate) fn replace(
    tables: &mut Tables,
    id: TaskId,
    before: &Task,
    mut after: Task,
) -> Result<Task, Fault> {
    assert_eq!(before.queue, after.queue, "a task stays in its queue");
    assert_eq!(before.key, after.key, "a task keeps its key");
    let mut queue = queues::load(tables, &after.queue)?;
    displace(tables, id, before, &mut queue)?;
    place(tables, id, &mut after, &mut queue)?;
    tally(before, &after, &mut queue.counts);
    queues::save(tables, &after.queue, &queue)?;
    tables.put(TASKS, &id.to_key(), &tasks::encode(&after))?;
    Ok(after)
}

/// Why a task is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is done, and its queue remembers nothing.
    Completed,
    /// Somebody deleted it.
    Deleted,
    /// It was over for as long as its queue remembers.
    Old,
}

/// Forgets a task.
pub(crate) fn forget(
    tables: &mut Tables,
    id: TaskId,
    task: &Task,
    why: Why,
    stamp: Stamp,
) -> Result<(), Fault> {
    let mut queue = queues::load(tables, &task.queue)?;
    displace(tables, id, task, &mut queue)?;
    match why {
        Why::Completed => queue.counts.completions += 1,
        Why::Deleted => queue.counts.deletions += 1,
        Why::Old => {}
    }
    watch_idle(tables, &task.queue, &mut queue, stamp)?;
    queues::save(tables, &task.queue, &queue)?;
    attempts::forget(tables, id, task)?;
    if let Some(key) = &task.key {
        tables.delete(KEYS, &tasks::key_key(&task.queue, key))?;
    }
    if task.state.is_final() {
        tables.delete(RESULTS, &id.to_key())?;
    }
    tables.delete(PAYLOADS, &id.to_key())?;
    let was_there = tables.delete(TASKS, &id.to_key())?;
    assert!(was_there, "only a task that is there is forgotten");
    Ok(())
}

impl Task {
    /// When something is due of it, and whether that mostly comes.
    pub(crate) fn date(&self) -> Option<(DateKind, Stamp)> {
        let or_expires = |date: Stamp| self.expires.map_or(date, |expires| date.min(expires));
        match self.state {
            State::Ready => self.expires.map(|expires| (DateKind::MayGo, expires)),
            State::Delayed { until } => Some((DateKind::Comes, or_expires(until))),
            State::Reserved { due, .. } => Some((DateKind::MayGo, due)),
            State::Buried { .. } => None,
            State::Completed { gone, .. } | State::Expired { gone, .. } => {
                Some((DateKind::Comes, gone))
            }
        }
    }
}

fn place(tables: &mut Tables, id: TaskId, task: &mut Task, queue: &mut Queue) -> Result<(), Fault> {
    if let State::Buried { place } = &mut task.state {
        *place = queue.buried_ever;
        queue.buried_ever += 1;
        tables.append(BURIED, &buried_key(&task.queue, *place), &id.to_key());
    }
    match task.state {
        State::Ready => ready::add(tables, id, task)?,
        State::Delayed { until } => {
            tables.put(DELAYED, &delayed_key(&task.queue, until, id), &[])?;
        }
        State::Reserved { holder: Some(holder), .. } => {
            tables.put(HELD, &held_key(holder, id), &[])?;
        }
        _ => {}
    }
    if let Some((kind, date)) = task.date() {
        dates::add(tables, kind, date, &Due::Task(id))?;
    }
    each_count(task, queue, |count| *count += 1);
    Ok(())
}

fn displace(tables: &mut Tables, id: TaskId, task: &Task, queue: &mut Queue) -> Result<(), Fault> {
    match task.state {
        State::Ready => ready::remove(tables, id, task)?,
        State::Delayed { until } => {
            sleeping::remove(tables, DELAYED, &delayed_key(&task.queue, until, id))?;
        }
        State::Reserved { holder: Some(holder), .. } => {
            sleeping::remove(tables, HELD, &held_key(holder, id))?;
        }
        State::Buried { place } => {
            sleeping::remove(tables, BURIED, &buried_key(&task.queue, place))?;
        }
        _ => {}
    }
    if let Some((kind, date)) = task.date() {
        dates::remove(tables, kind, date, &Due::Task(id))?;
    }
    each_count(task, queue, |count| *count -= 1);
    Ok(())
}

/// Counts what happened between two states of a task.
fn tally(before: &Task, after: &Task, counts: &mut Counts) {
    counts.deliveries += after.deliveries - before.deliveries;
    counts.failures += u64::from(after.failures > before.failures);
    counts.timeouts += u64::from(after.timeouts - before.timeouts);
    match after.state {
        State::Completed { .. } => counts.completions += 1,
        State::Expired { .. } => counts.expirations += 1,
        _ => {}
    }
}

/// The numbers in which a task counts where it stands.
fn each_count(task: &Task, queue: &mut Queue, change: impl Fn(&mut u64)) {
    let counts = &mut queue.counts;
    match task.state {
        State::Ready => {
            change(&mut counts.ready);
            if task.priority < URGENT_BELOW {
                change(&mut counts.urgent);
            }
        }
        State::Delayed { .. } => change(&mut counts.delayed),
        State::Reserved { .. } => change(&mut counts.reserved),
        State::Buried { .. } => change(&mut counts.buried),
        State::Completed { .. } => change(&mut counts.completed),
        State::Expired { .. } => change(&mut counts.expired),
    }
}

/// Lets somebody look at an empty queue later, so that it goes if it is still empty then.
pub(crate) fn watch_idle(
    tables: &mut Tables,
    name: &Bytes,
    queue: &mut Queue,
    stamp: Stamp,
) -> Result<(), Fault> {
    if queue.counts.known() == 0 && queue.idle_date.is_none() {
        let date = later(stamp, IDLE_MS);
        dates::add(tables, DateKind::Comes, date, &Due::Idle(name.clone()))?;
        queue.idle_date = Some(date);
    }
    Ok(())
}

/// Lets a queue that is empty, has no settings of its own and is not paused go, with its row; what it
/// counted stays in the totals.
pub(crate) fn retire(tables: &mut Tables, name: &[u8], stamp: Stamp) -> Result<(), Fault> {
    let Some(mut queue) = queues::find(tables, name)? else {
        return Ok(());
    };
    queue.idle_date = None;
    let is_kept = queue.counts.known() > 0
        || queue.is_paused(stamp)
        || queues::own_settings(tables, name)?.is_some();
    if is_kept {
        return queues::save(tables, name, &queue);
    }
    let mut gone = queues::load(tables, queues::GONE)?;
    gone.counts.add(&queue.counts.ever());
    queues::save(tables, queues::GONE, &gone)?;
    tables.delete(queues::QUEUES, name).map(drop)
}

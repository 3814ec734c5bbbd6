//! The invariants, over everything.
//!
//! 1. Each task is in one place: ready, delayed, reserved, buried or over; and the rows that this place needs
//!    are there, and no others.
//! 2. A queue's counts agree with its tasks, and so does what waits in it by type.
//! 3. Each task has the one date that its place gives it, or none; each pause and each idle queue has one.
//! 4. No date lies before the note of the first of its kind.
//! 5. A key belongs to one task, which says so. A payload, a result and an attempt belong to a task.
//! 6. A dead letter's place was given once, and lies behind the note of the first.
//! 7. No task is newer than the last one.

use alloc::{collections::BTreeMap, vec::Vec};

use bytes::Bytes;
use kernel::{Fault, Reading, TableId};

use crate::{
    settings::Counts,
    store::{
        self, View,
        attempts::ATTEMPTS,
        counters::{self, LAST_TASK},
        dates::{self, DATES, DateKind, Due},
        each_row,
        holders::{HELD, held_key},
        last_task, name_key,
        queues::{self, GONE, QUEUES, Queue},
        ready::{self, READY, TYPED},
        sleeping::{BURIED, DELAYED, buried_key, delayed_key},
        tasks::{self, KEYS, PAYLOADS, RESULTS, TASKS},
    },
    task::{State, Task, TaskId},
};

/// At one of so many moments everything is checked.
const WHOLE_ONE_IN: u64 = 16;

type Tasks = BTreeMap<TaskId, Task>;

/// Rows that must be there, in any order.
type Rows = Vec<Vec<u8>>;

pub(super) fn check(reading: &Reading) -> Result<(), Fault> {
    if reading.meta().applied.index.0.is_multiple_of(WHOLE_ONE_IN) {
        check_all(reading)
    } else {
        Ok(())
    }
}

/// All invariants, of everything.
pub(super) fn check_all(reading: &Reading) -> Result<(), Fault> {
    let mut tasks = Tasks::new();
    each_row(reading, TASKS, (&[], None), |key, row| {
        tasks.insert(last_task(&key)?, tasks::decode(row)?);
        Ok(())
    })?;
    let mut queues = BTreeMap::new();
    each_row(reading, QUEUES, (&[], None), |name, row| {
        queues.insert(name, queues::decode(row)?);
        Ok(())
    })?;
    let last = counters::counter(reading, LAST_TASK)?;
    assert!(tasks.keys().all(|id| id.0 <= last), "no task is newer than the last one");
    check_places(reading, &tasks)?;
    check_ready(reading, &tasks)?;
    check_counts(&tasks, &queues);
    check_dates(reading, &tasks, &queues)?;
    check_belongings(reading, &tasks)
}

/// Invariant 1 of tasks that are not ready.
fn check_places(reading: &Reading, tasks: &Tasks) -> Result<(), Fault> {
    let (mut delayed, mut buried, mut held) = (Rows::new(), Rows::new(), Rows::new());
    for (id, task) in tasks {
        match task.state {
            State::Delayed { until } => delayed.push(delayed_key(&task.queue, until, *id)),
            State::Buried { place } => buried.push(buried_key(&task.queue, place)),
            State::Reserved { holder: Some(holder), .. } => held.push(held_key(holder, *id)),
            _ => {}
        }
        assert!(task.deliveries > 0 || !task.state.is_reserved(), "what is held was handed out");
    }
    check_keys(reading, DELAYED, delayed, "delayed tasks are among the delayed")?;
    check_keys(reading, BURIED, buried, "dead letters are among the buried")?;
    check_keys(reading, HELD, held, "connections hold what they hold")
}

/// Invariants 1 and 2 of ready tasks.
fn check_ready(reading: &Reading, tasks: &Tasks) -> Result<(), Fault> {
    for (table, is_typed) in [(READY, false), (TYPED, true)] {
        let mut expected = Vec::new();
        for (id, task) in tasks {
            if task.state == State::Ready && !(is_typed && task.kind.is_empty()) {
                let mut source = name_key(&task.queue);
                if is_typed {
                    source.extend(name_key(&task.kind));
                }
                expected.push((source, task.priority, *id));
            }
        }
        let mut found = Vec::new();
        each_row(reading, table, (&[], None), |key, row| {
            let (priority, block) = ready::decode_key(&key)?;
            let before = found.len();
            let source = &key[..key.len() - 12];
            found.extend(ready::tasks_of(block, &row)?.map(|id| (source.to_vec(), priority, id)));
            assert!(found.len() > before, "a row of ready tasks has at least one");
            Ok(())
        })?;
        expected.sort();
        assert_eq!(found, expected, "ready tasks are among the ready, in order");
    }
    Ok(())
}

/// Invariants 2 and 6.
fn check_counts(tasks: &Tasks, queues: &BTreeMap<Bytes, Queue>) {
    let mut now: BTreeMap<&Bytes, Counts> = BTreeMap::new();
    for task in tasks.values() {
        let counts = now.entry(&task.queue).or_default();
        match task.state {
            State::Ready => {
                counts.ready += 1;
                counts.urgent += u64::from(task.priority < crate::URGENT_BELOW);
            }
            State::Delayed { .. } => counts.delayed += 1,
            State::Reserved { .. } => counts.reserved += 1,
            State::Buried { place } => {
                counts.buried += 1;
                let queue = queues.get(&task.queue).expect("a queue with tasks has a row");
                let given = queue.buried_from..queue.buried_ever;
                assert!(given.contains(&place), "a dead letter's place was given");
            }
            State::Completed { .. } => counts.completed += 1,
            State::Expired { .. } => counts.expired += 1,
        }
    }
    for (name, queue) in queues {
        let ever = queue.counts.ever();
        let mut all = now.remove(name).unwrap_or_default();
        all.add(&ever);
        assert_eq!(all, queue.counts, "the counts of {name:?} agree with its tasks");
    }
    assert!(now.is_empty(), "a queue with tasks has a row");
}

/// Invariants 3 and 4.
fn check_dates(
    reading: &Reading,
    tasks: &Tasks,
    queues: &BTreeMap<Bytes, Queue>,
) -> Result<(), Fault> {
    let mut expected: Vec<_> = tasks
        .iter()
        .filter_map(|(id, task)| task.date().map(|(kind, date)| (kind, date, Due::Task(*id))))
        .collect();
    for (name, queue) in queues {
        let pause = queue.paused_until.filter(|until| until.0 < u64::MAX);
        expected.extend(pause.map(|date| (DateKind::Comes, date, Due::Pause(name.clone()))));
        let idle = queue.idle_date;
        expected.extend(idle.map(|date| (DateKind::Comes, date, Due::Idle(name.clone()))));
        let may_stay = idle.is_some()
            || queue.paused_until.is_some()
            || queue.counts.known() > 0
            || queues::own_settings(reading, name)?.is_some()
            || name == GONE;
        assert!(may_stay, "{name:?} is looked at when it is empty");
    }
    let none_before = dates::none_before(reading)?;
    each_row(reading, DATES, (&[], None), |key, _| {
        let date = dates::decode(&key)?;
        assert!(none_before.is_some_and(|first| first <= date.1), "no date before the first");
        if !matches!(date.2, Due::LetGo(_)) {
            let place = expected.iter().position(|other| *other == date);
            expected.swap_remove(place.unwrap_or_else(|| panic!("nothing is due at {date:?}")));
        }
        Ok(())
    })?;
    assert_eq!(expected, [], "what is due has a date");
    Ok(())
}

/// Invariant 5.
fn check_belongings(reading: &Reading, tasks: &Tasks) -> Result<(), Fault> {
    let keys = tasks
        .values()
        .filter_map(|task| task.key.as_ref().map(|key| tasks::key_key(&task.queue, key)));
    check_keys(reading, KEYS, keys.collect(), "keys belong to tasks")?;
    for (id, task) in tasks {
        if let Some(key) = &task.key {
            let owner = tasks::under_key(reading, &task.queue, key)?;
            assert_eq!(owner, Some(*id), "a key belongs to one task");
        }
    }
    for (table, what) in [(PAYLOADS, "payload"), (RESULTS, "result")] {
        each_row(reading, table, (&[], None), |key, _| {
            assert!(tasks.contains_key(&last_task(&key)?), "a {what} belongs to a task");
            Ok(())
        })?;
    }
    each_row(reading, ATTEMPTS, (&[], None), |key, _| {
        let task = tasks.get(&last_task(&key[..8])?).expect("an attempt belongs to a task");
        assert!(store::last_number(&key)? <= task.deliveries, "an attempt was a delivery");
        Ok(())
    })
}

fn check_keys(
    view: &impl View,
    table: TableId,
    mut expected: Rows,
    rule: &str,
) -> Result<(), Fault> {
    expected.sort();
    let mut found = Rows::new();
    each_row(view, table, (&[], None), |key, _| {
        found.push(key.to_vec());
        Ok(())
    })?;
    assert_eq!(found, expected, "{rule}");
    Ok(())
}

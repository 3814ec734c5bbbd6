//! What the time does in the model, and how tasks move.

use alloc::{collections::BTreeMap, vec::Vec};

use bytes::Bytes;
use kernel::Stamp;

use super::{Model, Queue};
use crate::{
    attempt::{Attempt, AttemptEnd},
    settings::{Counts, Settings},
    task::{State, Task, TaskId, later},
};

/// How long a queue is empty before it goes, in milliseconds.
const IDLE_MS: u64 = 600_000;

/// What is due, in the order in which things of one moment happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A delay passes, or what is over is forgotten.
    Passes(TaskId),
    Pause(Bytes),
    Idle(Bytes),
    /// A lease ends, or a task that is ready expires.
    Ends(TaskId),
}

impl Model {
    /// Somebody new leads.
    pub const fn begin_term(&mut self) {
        self.term_began = self.now;
    }

    /// Everything happens that is due by now, in order.
    pub fn tick(&mut self) {
        while let Some((date, due)) = self.first_due().filter(|(date, _)| *date <= self.now) {
            match due {
                Due::Passes(id) | Due::Ends(id) => self.come(id, date),
                Due::Pause(name) => {
                    self.queue(&name).paused_until = None;
                    self.watch_idle(&name);
                }
                Due::Idle(name) => self.retire(&name),
            }
        }
    }

    fn first_due(&self) -> Option<(Stamp, Due)> {
        let of_task = |(id, task): (TaskId, &Task)| {
            let expires = task.expires.unwrap_or(Stamp(u64::MAX));
            match task.state {
                State::Ready => task.expires.map(|expires| (expires, Due::Ends(id))),
                State::Delayed { until } => Some((until.min(expires), Due::Passes(id))),
                State::Reserved { due, .. } => Some((due, Due::Ends(id))),
                State::Buried { .. } => None,
                State::Completed { gone, .. } | State::Expired { gone, .. } => {
                    Some((gone, Due::Passes(id)))
                }
            }
        };
        let tasks = self.tasks.iter().filter_map(|(id, item)| of_task((*id, &item.task)));
        let of_queue = |(name, queue): (&Bytes, &Queue)| {
            let pause = queue.paused_until.map(|date| (date, Due::Pause(name.clone())));
            let idle = queue.idle_date.map(|date| (date, Due::Idle(name.clone())));
            [pause, idle].into_iter().flatten().min()
        };
        tasks.chain(self.queues.iter().filter_map(of_queue)).min()
    }

    fn come(&mut self, id: TaskId, date: Stamp) {
        let (now, began) = (self.now, self.term_began);
        let task = self.task(id);
        match &mut task.state {
            State::Reserved { due, lease_ms, .. } => {
                let end = later(began, (*lease_ms).min(crate::TERM_GRACE_MS)).max(date);
                if end > now {
                    *due = end;
                } else {
                    self.fail(id, end, AttemptEnd::TimedOut, &Bytes::new());
                }
            }
            State::Completed { .. } | State::Expired { .. } => self.forget(id),
            _ if task.expires == Some(date) => self.expire(id, date),
            state => *state = State::Ready,
        }
    }

    fn expire(&mut self, id: TaskId, at: Stamp) {
        let queue = self.task(id).queue.clone();
        let gone = later(at, self.settings(&queue).retention_ms);
        self.task(id).state = State::Expired { at, gone };
        self.ever(&queue).expirations += 1;
    }

    /// The present attempt of a task failed.
    pub(super) fn fail(&mut self, id: TaskId, at: Stamp, how: AttemptEnd, error: &Bytes) {
        self.note(id, at, how, error);
        let task = self.task(id);
        task.failures += 1;
        let is_late = how == AttemptEnd::TimedOut;
        task.timeouts += u32::from(is_late);
        let (queue, retry, failures) = (task.queue.clone(), task.retry, task.failures);
        let ever = self.ever(&queue);
        ever.failures += 1;
        ever.timeouts += u64::from(is_late);
        if retry.attempts_max > 0 && failures >= retry.attempts_max {
            self.bury(id);
        } else {
            self.task(id).delay_ms = retry.wait_ms(id, failures);
            self.wait(id, at);
        }
    }

    /// A task waits for its delay.
    pub(super) fn wait(&mut self, id: TaskId, at: Stamp) {
        let task = self.task(id);
        if task.expires.is_some_and(|expires| expires <= at) {
            self.expire(id, at);
        } else if task.delay_ms == 0 {
            task.state = State::Ready;
        } else {
            task.state = State::Delayed { until: later(at, task.delay_ms) };
        }
    }

    pub(super) fn bury(&mut self, id: TaskId) {
        let name = self.task(id).queue.clone();
        let queue = self.queue(&name);
        let place = queue.buried_ever;
        queue.buried_ever += 1;
        let task = self.task(id);
        task.buries += 1;
        task.state = State::Buried { place };
    }

    /// Notes how the present delivery of a task ended.
    pub(super) fn note(&mut self, id: TaskId, ended: Stamp, how: AttemptEnd, error: &Bytes) {
        let item = self.tasks.get_mut(&id).expect("a task that is there");
        let State::Reserved { since, .. } = item.task.state else {
            panic!("only a reserved task has an attempt that ends");
        };
        let (delivery, error) = (item.task.deliveries, error.clone());
        item.attempts.push(Attempt { delivery, since, ended, how, error });
    }

    pub(super) fn forget(&mut self, id: TaskId) {
        let item = self.tasks.remove(&id).expect("a task that is there");
        self.watch_idle(&item.task.queue);
    }

    pub(super) fn watch_idle(&mut self, name: &Bytes) {
        let is_empty = self.tasks.values().all(|item| item.task.queue != *name);
        let date = later(self.now, IDLE_MS);
        if let Some(queue) = self.queues.get_mut(name).filter(|_| is_empty) {
            queue.idle_date.get_or_insert(date);
        }
    }

    fn retire(&mut self, name: &Bytes) {
        let is_empty = self.tasks.values().all(|item| item.task.queue != *name);
        let queue = self.queue(name);
        queue.idle_date = None;
        if is_empty && queue.settings.is_none() && queue.paused_until.is_none() {
            let ever = queue.ever;
            self.queues.remove(name);
            self.gone.add(&ever);
        }
    }

    /// The counts of a queue, counted.
    pub(super) fn counts(&self, name: &Bytes) -> Counts {
        let mut counts = self.queues.get(name).map_or_else(Counts::default, |queue| queue.ever);
        for task in self.tasks.values().map(|item| &item.task).filter(|task| task.queue == *name) {
            match task.state {
                State::Ready => {
                    counts.ready += 1;
                    counts.urgent += u64::from(task.priority < crate::URGENT_BELOW);
                }
                State::Delayed { .. } => counts.delayed += 1,
                State::Reserved { .. } => counts.reserved += 1,
                State::Buried { .. } => counts.buried += 1,
                State::Completed { .. } => counts.completed += 1,
                State::Expired { .. } => counts.expired += 1,
            }
        }
        counts
    }

    /// The dead letters of a queue, in the order in which they were buried.
    pub(super) fn buried(&self, name: &Bytes) -> Vec<TaskId> {
        self.ordered(name, |state| match state {
            State::Buried { place } => Some(place),
            _ => None,
        })
    }

    /// The delayed tasks of a queue, the one whose time comes first in front.
    pub(super) fn delayed(&self, name: &Bytes) -> Vec<TaskId> {
        self.ordered(name, |state| match state {
            State::Delayed { until } => Some(until.0),
            _ => None,
        })
    }

    fn ordered(&self, name: &Bytes, rank: impl Fn(State) -> Option<u64>) -> Vec<TaskId> {
        let of_queue = self.tasks.iter().filter(|(_, item)| item.task.queue == *name);
        let ranked: BTreeMap<(u64, TaskId), ()> =
            of_queue.filter_map(|(id, item)| Some(((rank(item.task.state)?, *id), ()))).collect();
        ranked.into_keys().map(|(_, id)| id).collect()
    }

    pub(super) fn settings(&self, name: &Bytes) -> Settings {
        self.queues.get(name).and_then(|queue| queue.settings).unwrap_or_default()
    }

    pub(super) fn task(&mut self, id: TaskId) -> &mut Task {
        &mut self.tasks.get_mut(&id).expect("a task that is there").task
    }

    pub(super) fn ever(&mut self, name: &Bytes) -> &mut Counts {
        &mut self.queue(name).ever
    }

    fn queue(&mut self, name: &Bytes) -> &mut Queue {
        self.queues.get_mut(name).expect("a queue that was used is there")
    }
}

//! The dumb version: what the queues do, without tables, bytes or replicas. For the checker, and for
//! whoever wants to know what is right. It looks at every task for everything.

mod read;
mod time;

use alloc::{collections::BTreeMap, vec::Vec};

use bytes::Bytes;
use kernel::Stamp;

use crate::{
    answer::{Answer, Taken},
    attempt::{Attempt, AttemptEnd},
    command::{Command, Put, Sleepers, Start, Take},
    failure::Failure,
    settings::{Counts, Settings},
    task::{Claim, Holder, State, Task, TaskId, later},
};

/// All queues.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Cluster time.
    pub now: Stamp,
    /// The time of day, in milliseconds since 1970.
    pub wall_ms: u64,
    /// When the present term began.
    pub term_began: Stamp,
    /// The task that was put last.
    pub last: TaskId,
    /// The tasks.
    pub tasks: BTreeMap<TaskId, Item>,
    /// The queues.
    pub queues: BTreeMap<Bytes, Queue>,
    /// What queues that have gone had counted.
    pub gone: Counts,
}

/// A task and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is known of it.
    pub task: Task,
    /// What it is about.
    pub payload: Bytes,
    /// What it came to.
    pub result: Bytes,
    /// How its deliveries ended that did not complete it: all.
    pub attempts: Vec<Attempt>,
}

/// A queue without its tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// What holds for its tasks, if it has settings of its own.
    pub settings: Option<Settings>,
    /// Until when nothing is taken from it.
    pub paused_until: Option<Stamp>,
    /// When it goes if it is empty.
    pub idle_date: Option<Stamp>,
    /// How many places among the dead letters have been given.
    pub buried_ever: u64,
    /// What has ever happened; the counts of what is there are not kept.
    pub ever: Counts,
}

impl Model {
    /// Carries out a command.
    pub fn apply(&mut self, command: &Command) -> Answer {
        if let Err(invalid) = command.check() {
            return Answer::Invalid(invalid);
        }
        self.tick();
        let done = match command {
            Command::Put(put) => Ok(self.put(put)),
            Command::Take(take) => Ok(self.take(take)),
            Command::TakeOne { task, lease_ms, holder } => {
                self.take_one(*task, (*lease_ms, *holder))
            }
            Command::Delete { task, claim } => self.delete(*task, *claim),
            Command::KickOne { task } => self.kick_one(*task),
            Command::Kick { queue, sleepers, count } => Ok(self.kick(queue, *sleepers, *count)),
            Command::Purge { queue, count } => Ok(self.purge(queue, *count)),
            Command::LetGo { holder } => Ok(self.let_go(|other| other == *holder)),
            Command::LetGoBefore { node, incarnation } => {
                Ok(self.let_go(|other| other.node == *node && other.incarnation < *incarnation))
            }
            Command::Configure { queue, settings } => {
                self.queues.entry(queue.clone()).or_default().settings = *settings;
                self.watch_idle(queue);
                Ok(Answer::Done)
            }
            Command::Pause { queue, for_ms } => {
                let until = for_ms.map_or(Stamp(u64::MAX), |for_ms| later(self.now, for_ms));
                let paused = self.queues.entry(queue.clone()).or_default();
                paused.paused_until = Some(until).filter(|until| *until > self.now);
                paused.ever.pauses += 1;
                self.watch_idle(queue);
                Ok(Answer::Done)
            }
            Command::Resume { queue } => {
                if let Some(paused) = self.queues.get_mut(queue) {
                    paused.paused_until = None;
                }
                self.watch_idle(queue);
                Ok(Answer::Done)
            }
            held => self.apply_held(held),
        };
        done.unwrap_or_else(Answer::Failed)
    }

    /// The commands of whoever holds a task.
    fn apply_held(&mut self, command: &Command) -> Result<Answer, Failure> {
        let (id, claim) = match command {
            Command::Complete { task, claim, .. }
            | Command::Fail { task, claim, .. }
            | Command::Extend { task, claim, .. }
            | Command::Release { task, claim, .. }
            | Command::Bury { task, claim, .. } => (*task, *claim),
            other => panic!("a command of whoever holds a task: {other:?}"),
        };
        let now = self.now;
        let item = self.tasks.get(&id).ok_or(Failure::NotFound)?;
        if !holds(&item.task, claim) {
            return Err(Failure::NotHeld);
        }
        match command {
            Command::Complete { result, .. } => return Ok(self.complete(id, result)),
            Command::Fail { error, .. } => self.fail(id, now, AttemptEnd::Failed, error),
            Command::Extend { lease_ms: wanted_ms, .. } => {
                let task = self.task(id);
                if let State::Reserved { due, lease_ms, .. } = &mut task.state {
                    *lease_ms = wanted_ms.unwrap_or(*lease_ms).max(1);
                    *due = later(now, *lease_ms);
                }
            }
            Command::Release { priority, delay_ms, .. } => {
                self.note(id, now, AttemptEnd::Released, &Bytes::new());
                let task = self.task(id);
                task.releases += 1;
                task.priority = priority.unwrap_or(task.priority);
                task.delay_ms = *delay_ms;
                self.wait(id, now);
            }
            Command::Bury { priority, error, .. } => {
                self.note(id, now, AttemptEnd::Buried, error);
                let task = self.task(id);
                task.priority = priority.unwrap_or(task.priority);
                self.bury(id);
            }
            other => panic!("a command of whoever holds a task: {other:?}"),
        }
        Ok(Answer::Now(self.task(id).state))
    }

    fn put(&mut self, put: &Put) -> Answer {
        let same = |item: &Item| item.task.queue == put.queue && item.task.key == put.key;
        if put.key.is_some()
            && let Some((task, _)) = self.tasks.iter().find(|(_, item)| same(item))
        {
            return Answer::Put { task: *task, is_duplicate: true };
        }
        let settings = self.settings(&put.queue);
        let length = self.counts(&put.queue).length();
        if settings.length_max > 0 && length >= settings.length_max {
            return Answer::Failed(Failure::Full);
        }
        let delay_ms = match put.start {
            Start::AtOnce => 0,
            Start::AfterMs(wait_ms) => wait_ms,
            Start::At(at) => at.0.saturating_sub(self.now.0).div_ceil(1_000_000),
        };
        let task = Task {
            queue: put.queue.clone(),
            kind: put.kind.clone(),
            key: put.key.clone(),
            priority: put.priority,
            created: self.now,
            created_wall_ms: self.wall_ms,
            delay_ms,
            lease_ms: put.lease_ms.unwrap_or(settings.lease_ms).max(1),
            retry: put.retry.unwrap_or(settings.retry),
            expires: put.live_ms.map(|live_ms| later(self.now, live_ms.max(1))),
            deliveries: 0,
            failures: 0,
            timeouts: 0,
            releases: 0,
            buries: 0,
            kicks: 0,
            state: State::Ready,
        };
        self.last.0 += 1;
        self.queues.entry(put.queue.clone()).or_default().ever.puts += 1;
        let payload = put.payload.clone();
        let item = Item { task, payload, result: Bytes::new(), attempts: Vec::new() };
        self.tasks.insert(self.last, item);
        self.wait(self.last, self.now);
        Answer::Put { task: self.last, is_duplicate: false }
    }

    fn take(&mut self, take: &Take) -> Answer {
        let (mut tasks, mut bytes) = (Vec::new(), 0);
        while tasks.len() < take.count.min(crate::AT_ONCE_MAX) as usize {
            let Some(id) = self.next_ready(&take.queues, &take.kinds) else {
                break;
            };
            bytes += self.tasks[&id].payload.len();
            if !tasks.is_empty() && bytes > crate::TAKE_BYTES_MAX {
                break;
            }
            tasks.push(self.hand_out(id, (take.lease_ms, take.holder)));
        }
        Answer::Taken { stamp: self.now, tasks }
    }

    fn next_ready(&self, queues: &[Bytes], kinds: &[Bytes]) -> Option<TaskId> {
        let is_open = |queue: &Bytes| {
            let paused = self.queues.get(queue).and_then(|queue| queue.paused_until);
            queues.contains(queue) && paused.is_none_or(|until| until <= self.now)
        };
        let is_wanted = |task: &Task| {
            let is_kind = kinds.is_empty() || kinds.contains(&task.kind);
            task.state == State::Ready && is_kind && is_open(&task.queue)
        };
        let ready = self.tasks.iter().filter(|(_, item)| is_wanted(&item.task));
        ready.min_by_key(|(id, item)| (item.task.priority, **id)).map(|(id, _)| *id)
    }

    fn take_one(
        &mut self,
        id: TaskId,
        lease: (Option<u64>, Option<Holder>),
    ) -> Result<Answer, Failure> {
        let item = self.tasks.get(&id).ok_or(Failure::NotFound)?;
        if item.task.state.is_reserved() {
            return Err(Failure::Reserved);
        }
        if item.task.state.is_final() {
            return Err(Failure::WrongState);
        }
        let taken = self.hand_out(id, lease);
        Ok(Answer::Taken { stamp: self.now, tasks: Vec::from([taken]) })
    }

    fn hand_out(&mut self, id: TaskId, (lease_ms, holder): (Option<u64>, Option<Holder>)) -> Taken {
        let since = self.now;
        let item = self.tasks.get_mut(&id).expect("a task that is there");
        let (task, payload) = (&mut item.task, item.payload.clone());
        let lease_ms = lease_ms.unwrap_or(task.lease_ms).max(1);
        let due = later(since, lease_ms);
        task.deliveries += 1;
        task.state = State::Reserved { since, due, lease_ms, holder };
        let task = task.clone();
        self.ever(&task.queue).deliveries += 1;
        Taken {
            task: id,
            token: task.deliveries,
            due,
            queue: task.queue,
            kind: task.kind,
            priority: task.priority,
            failures: task.failures,
            payload,
        }
    }

    fn complete(&mut self, id: TaskId, result: &Bytes) -> Answer {
        let queue = self.task(id).queue.clone();
        let retention_ms = self.settings(&queue).retention_ms;
        let state = State::Completed { at: self.now, gone: later(self.now, retention_ms) };
        self.ever(&queue).completions += 1;
        let item = self.tasks.get_mut(&id).expect("a task that is there");
        item.task.state = state;
        item.result = result.clone();
        if retention_ms == 0 {
            self.forget(id);
        }
        Answer::Now(state)
    }

    fn delete(&mut self, id: TaskId, claim: Option<Claim>) -> Result<Answer, Failure> {
        let task = &self.tasks.get(&id).ok_or(Failure::NotFound)?.task;
        match claim {
            None if task.state.is_reserved() => return Err(Failure::Reserved),
            Some(Claim::Token(_)) if !task.state.is_reserved() => return Err(Failure::NotHeld),
            Some(Claim::Holder(_)) if task.state.is_final() => return Err(Failure::NotFound),
            Some(claim) if task.state.is_reserved() && !holds(task, claim) => {
                return Err(Failure::NotHeld);
            }
            _ => {}
        }
        let queue = task.queue.clone();
        self.ever(&queue).deletions += 1;
        self.forget(id);
        Ok(Answer::Done)
    }

    fn kick_one(&mut self, id: TaskId) -> Result<Answer, Failure> {
        let task = &self.tasks.get(&id).ok_or(Failure::NotFound)?.task;
        match task.state {
            State::Buried { .. } | State::Delayed { .. } => self.wake(id),
            _ => return Err(Failure::WrongState),
        }
        Ok(Answer::Now(State::Ready))
    }

    fn kick(&mut self, queue: &Bytes, sleepers: Sleepers, count: u32) -> Answer {
        let count = count.min(crate::AT_ONCE_MAX) as usize;
        let (buried, delayed) = (self.buried(queue), self.delayed(queue));
        let is_of_dead = match sleepers {
            Sleepers::Any => !buried.is_empty(),
            Sleepers::Buried => true,
            Sleepers::Delayed => false,
        };
        let (sleepers, ids) =
            if is_of_dead { (Sleepers::Buried, buried) } else { (Sleepers::Delayed, delayed) };
        let mut kicked = 0;
        for id in ids.into_iter().take(count) {
            self.wake(id);
            kicked += 1;
        }
        Answer::Kicked { sleepers, count: kicked }
    }

    fn wake(&mut self, id: TaskId) {
        let task = self.task(id);
        task.kicks += 1;
        if matches!(task.state, State::Buried { .. }) {
            task.failures = 0;
            task.expires = None;
        }
        task.state = State::Ready;
    }

    fn purge(&mut self, queue: &Bytes, count: u32) -> Answer {
        let count = count.min(crate::AT_ONCE_MAX) as usize;
        let buried = self.buried(queue);
        let more = buried.len() > count;
        let mut deleted = 0;
        for id in buried.into_iter().take(count) {
            self.ever(queue).deletions += 1;
            self.forget(id);
            deleted += 1;
        }
        Answer::Count { count: deleted, more }
    }

    /// As many as there are: the state machine does that over several entries.
    fn let_go(&mut self, is_gone: impl Fn(Holder) -> bool) -> Answer {
        let now = self.now;
        let held = |item: &Item| match item.task.state {
            State::Reserved { holder: Some(holder), .. } => Some(holder),
            _ => None,
        };
        let held = self.tasks.iter().filter_map(|(id, item)| Some((held(item)?, *id)));
        let mut lost: Vec<_> = held.filter(|(holder, _)| is_gone(*holder)).collect();
        lost.sort_unstable();
        for (_, id) in &lost {
            self.fail(*id, now, AttemptEnd::Lost, &Bytes::new());
        }
        let count = u32::try_from(lost.len()).expect("a model holds few tasks");
        Answer::Count { count, more: false }
    }
}

/// True if who claims a task holds it.
fn holds(task: &Task, claim: Claim) -> bool {
    let State::Reserved { holder, .. } = task.state else {
        return false;
    };
    match claim {
        Claim::Token(token) => token == task.deliveries,
        Claim::Holder(claimant) => Some(claimant) == holder,
    }
}

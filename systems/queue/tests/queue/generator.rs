//! Random commands and queries, about few things so that they meet.

use bytes::Bytes;
use kernel::{Incarnation, NodeId, Rng, Stamp};
use queue::{
    Claim, Command, Holder, Model, Put, Query, Retry, Settings, Sleepers, Standing, Start, State,
    Take, TaskId,
};

pub(crate) struct Generator {
    pub(crate) rng: Rng,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed) }
    }

    pub(crate) fn command(&mut self, model: &Model) -> Command {
        match self.rng.below(30) {
            0..=7 => Command::Put(self.put(model)),
            8..=12 => Command::Take(self.take()),
            13 => Command::TakeOne {
                task: self.task(model),
                lease_ms: self.optional_ms(),
                holder: self.optional_holder(),
            },
            14..=19 => self.command_of_holder(model),
            20 => {
                let claim = self.rng.chance(2, 3).then(|| self.claim(model).1);
                Command::Delete { task: self.task(model), claim }
            }
            21 | 22 => self.kick(model),
            23 => Command::Purge { queue: self.queue(), count: self.count() },
            24 => Command::LetGo { holder: self.holder() },
            25 => Command::LetGoBefore {
                node: NodeId(self.rng.between(1, 2)),
                incarnation: Incarnation(self.rng.between(0, 3)),
            },
            26 => {
                let settings = self.rng.chance(2, 3).then(|| self.settings());
                Command::Configure { queue: self.queue(), settings }
            }
            27 => Command::Pause { queue: self.queue(), for_ms: self.optional_ms() },
            _ => Command::Resume { queue: self.queue() },
        }
    }

    /// A command of somebody who mostly holds the task.
    fn command_of_holder(&mut self, model: &Model) -> Command {
        let (task, claim) = self.claim(model);
        let priority = self.rng.chance(1, 3).then(|| self.priority());
        match self.rng.below(6) {
            0 | 1 => Command::Complete { task, claim, result: self.text() },
            2 => Command::Fail { task, claim, error: self.text() },
            3 => Command::Extend { task, claim, lease_ms: self.optional_ms() },
            4 => Command::Release { task, claim, priority, delay_ms: self.wait_ms() },
            _ => Command::Bury { task, claim, priority, error: self.text() },
        }
    }

    fn kick(&mut self, model: &Model) -> Command {
        let kinds = [Sleepers::Any, Sleepers::Buried, Sleepers::Delayed];
        match self.rng.pick(&kinds) {
            Some(sleepers) if self.rng.chance(2, 3) => {
                Command::Kick { queue: self.queue(), sleepers: *sleepers, count: self.count() }
            }
            _ => Command::KickOne { task: self.task(model) },
        }
    }

    pub(crate) fn query(&mut self, model: &Model) -> Query {
        match self.rng.below(8) {
            0 => Query::Get { task: self.task(model) },
            1 => {
                let standings = [Standing::Ready, Standing::Delayed, Standing::Buried];
                let standing = *self.rng.pick(&standings).expect("some");
                Query::First { queue: self.queue(), standing }
            }
            2 => Query::Dead { queue: self.queue(), from: self.rng.below(3), limit: self.count() },
            3 => Query::Queue { queue: self.queue() },
            4 => Query::Queues {
                after: self.rng.chance(1, 2).then(|| self.queue()),
                limit: self.count(),
            },
            5 => Query::Totals,
            6 => Query::Held { holder: self.holder() },
            _ => {
                let take = self.take();
                Query::Ready { queues: take.queues, kinds: take.kinds }
            }
        }
    }

    fn put(&mut self, model: &Model) -> Put {
        let start = match self.rng.below(4) {
            0 | 1 => Start::AtOnce,
            2 => Start::AfterMs(self.wait_ms()),
            _ => Start::At(Stamp(
                model.now.0.saturating_sub(500_000_000) + self.rng.below(3_000_000_000),
            )),
        };
        Put {
            queue: self.queue(),
            kind: if self.rng.chance(1, 2) { Bytes::new() } else { self.kind() },
            key: self.rng.chance(1, 5).then(|| self.kind()),
            payload: self.text(),
            priority: self.priority(),
            start,
            lease_ms: self.optional_ms(),
            retry: self.rng.chance(1, 2).then(|| self.retry()),
            live_ms: self.rng.chance(1, 5).then(|| self.rng.below(8000)),
        }
    }

    fn take(&mut self) -> Take {
        let (queues, kinds) = (self.rng.between(1, 3), self.rng.below(3));
        Take {
            queues: (0..queues).map(|_| self.queue()).collect(),
            kinds: if self.rng.chance(1, 2) {
                vec![]
            } else {
                (0..kinds).map(|_| self.kind()).collect()
            },
            count: self.count(),
            lease_ms: self.optional_ms(),
            holder: self.optional_holder(),
        }
    }

    /// A task and a claim: mostly of somebody who holds it.
    fn claim(&mut self, model: &Model) -> (TaskId, Claim) {
        let held: Vec<TaskId> = model
            .tasks
            .iter()
            .filter(|(_, item)| item.task.state.is_reserved())
            .map(|(id, _)| *id)
            .collect();
        let Some(id) = self.rng.pick(&held).copied().filter(|_| self.rng.chance(9, 10)) else {
            let task = self.task(model);
            return (task, Claim::Token(self.rng.below(3)));
        };
        let task = &model.tasks[&id].task;
        match task.state {
            State::Reserved { holder: Some(holder), .. } if self.rng.chance(2, 3) => {
                (id, Claim::Holder(holder))
            }
            _ if self.rng.chance(1, 8) => (id, Claim::Holder(self.holder())),
            _ => (id, Claim::Token(task.deliveries - self.rng.below(8) / 7)),
        }
    }

    fn task(&mut self, model: &Model) -> TaskId {
        TaskId(self.rng.below(model.last.0 + 2))
    }

    fn holder(&mut self) -> Holder {
        Holder {
            node: NodeId(self.rng.between(1, 2)),
            incarnation: Incarnation(self.rng.between(1, 2)),
            connection: self.rng.below(2),
        }
    }

    fn optional_holder(&mut self) -> Option<Holder> {
        self.rng.chance(1, 2).then(|| self.holder())
    }

    fn settings(&mut self) -> Settings {
        Settings {
            length_max: self.rng.below(2) * 6,
            lease_ms: self.wait_ms(),
            retry: self.retry(),
            retention_ms: self.rng.below(3) * 2000,
        }
    }

    fn retry(&mut self) -> Retry {
        let attempts_max = u32::try_from(self.rng.below(4)).expect("small");
        let jitter_percent = u8::try_from(self.rng.below(3) * 50).expect("small");
        Retry { attempts_max, first_ms: self.rng.below(2) * 300, limit_ms: 1000, jitter_percent }
    }

    fn queue(&mut self) -> Bytes {
        self.pick(["a", "b", "c"])
    }

    fn kind(&mut self) -> Bytes {
        self.pick(["email", "image", "report"])
    }

    fn text(&mut self) -> Bytes {
        self.pick(["", "x", "yy"])
    }

    fn pick(&mut self, words: [&'static str; 3]) -> Bytes {
        Bytes::from(*self.rng.pick(&words).expect("there are words"))
    }

    fn priority(&mut self) -> u32 {
        *self.rng.pick(&[0, 1000, 70_000]).expect("there are priorities")
    }

    fn count(&mut self) -> u32 {
        u32::try_from(self.rng.below(4)).expect("small")
    }

    /// Sometimes nothing at all.
    fn wait_ms(&mut self) -> u64 {
        self.rng.below(4) * 700
    }

    fn optional_ms(&mut self) -> Option<u64> {
        self.rng.chance(1, 2).then(|| self.wait_ms())
    }
}

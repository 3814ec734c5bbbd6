//! What producers put and workers do next, by chance.

use check::queue::{Call, Retry, Task};
use kernel::Rng;
use queue::{PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_NORMAL, Settings};
use sim::ClientSettings;

use super::{
    ask::MILLISECOND,
    workers::{Asking, Held, Workers},
};

/// The longest lease. Whoever waits for the end of one must not outlast a world's patience.
pub(super) const LEASE_MS_MAX: u64 = 2_000;

/// With so many tasks still to be done producers put no more.
const OPEN_MAX: u64 = 25;

/// How many keys there are in each queue.
const KEYS: u64 = 3;

/// What a world has in common.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    /// What queues are given that are configured.
    pub(super) settings: Settings,
    /// How long leases last, in milliseconds.
    leases_ms: Vec<u64>,
    /// How many of a hundred tasks have a delay, a time to live, a key.
    delayed_percent: u64,
    lives_percent: u64,
    keyed_percent: u64,
    /// How many of a hundred deliveries are ended well.
    completed_percent: u64,
    /// One in so many calls does something that is seldom done.
    seldom_one_in: u64,
}

impl Habits {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let retention_ms = *rng.pick(&[0, 200, 2_000]).expect("some times");
        let length_max = *rng.pick(&[0, 0, 15]).expect("some lengths");
        let leases_ms = match rng.below(3) {
            0 => vec![LEASE_MS_MAX],
            1 => vec![100, 400],
            _ => vec![50, 300, LEASE_MS_MAX],
        };
        Self {
            settings: Settings { length_max, retention_ms, ..Settings::default() },
            leases_ms,
            delayed_percent: *rng.pick(&[10, 50]).expect("some shares"),
            lives_percent: *rng.pick(&[0, 30]).expect("some shares"),
            keyed_percent: *rng.pick(&[0, 20, 60]).expect("some shares"),
            completed_percent: *rng.pick(&[30, 60]).expect("some shares"),
            seldom_one_in: *rng.pick(&[12, 40, 200]).expect("some rates"),
        }
    }

    fn lease_ms(&self, rng: &mut Rng) -> u64 {
        *rng.pick(&self.leases_ms).expect("some leases")
    }
}

impl Workers {
    /// What a client does next.
    pub(super) fn draw_call(
        &mut self,
        client: usize,
        settings: &ClientSettings,
        rng: &mut Rng,
    ) -> Asking {
        if rng.chance(settings.reads_percent, 400) {
            let queue = self.draw_queue(rng);
            return Asking::of(if rng.chance(1, 2) { Call::Look } else { Call::Dead(queue) });
        }
        if rng.chance(1, self.habits.seldom_one_in)
            && let Some(asking) = self.draw_seldom(client, rng)
        {
            return asking;
        }
        if rng.chance(1, 10)
            && let Some(stale) = rng.pick(&self.clients[client].stale).cloned()
        {
            return self.draw_end(&stale, settings.value_bytes_max, rng);
        }
        if rng.chance(7, 8)
            && let Some(held) = rng.pick(&self.clients[client].held).cloned()
        {
            return self.draw_end(&held, settings.value_bytes_max, rng);
        }
        let is_full = self.open() >= OPEN_MAX;
        if is_full || rng.chance(1, 2) {
            self.draw_take(client, rng)
        } else {
            let queue = self.draw_queue(rng);
            self.draw_put(queue, settings.value_bytes_max, rng)
        }
    }

    fn draw_queue(&self, rng: &mut Rng) -> Vec<u8> {
        rng.pick(&self.queues).expect("some queues").clone()
    }

    /// A task that is new.
    pub(super) fn draw_put(&mut self, queue: Vec<u8>, bytes_max: u64, rng: &mut Rng) -> Asking {
        let habits = self.habits.clone();
        let priorities = [0, PRIORITY_HIGH, PRIORITY_NORMAL, PRIORITY_NORMAL, PRIORITY_LOW];
        let ms = |rng: &mut Rng, least: u64, most: u64| rng.between(least, most) * MILLISECOND;
        let is_delayed = rng.chance(habits.delayed_percent, 100);
        let has_end = rng.chance(habits.lives_percent, 100);
        let key = rng.chance(habits.keyed_percent, 100).then(|| rng.below(KEYS));
        let task = Task {
            name: self.new_name(),
            queue,
            priority: *rng.pick(&priorities).expect("some priorities"),
            key: key.map(|key| format!("k{key}").into_bytes()),
            delay_ns: if is_delayed { ms(rng, 1, 1_500) } else { 0 },
            live_ns: has_end.then(|| ms(rng, 50, 3_000)),
            retry: draw_retry(rng),
            retention_ns: habits.settings.retention_ms * MILLISECOND,
        };
        let (padding, lease_ms) = (draw_padding(bytes_max, rng), Some(habits.lease_ms(rng)));
        Asking { lease_ms, padding, ..Asking::of(Call::Put(task)) }
    }

    /// Takes from one queue or from all of them.
    fn draw_take(&mut self, client: usize, rng: &mut Rng) -> Asking {
        let queues =
            if rng.chance(1, 2) { self.queues.clone() } else { vec![self.draw_queue(rng)] };
        let count = if rng.chance(2, 3) { 1 } else { rng.between(2, 5) };
        let holder = rng.chance(1, 2).then(|| self.clients[client].connect(client));
        let lease_ms = rng.chance(1, 2).then(|| self.habits.lease_ms(rng));
        Asking { lease_ms, ..Asking::of(Call::Take { queues, count, holder }) }
    }

    /// What the holder of a delivery, or a former one, asks for it.
    fn draw_end(&self, held: &Held, bytes_max: u64, rng: &mut Rng) -> Asking {
        let delivery = held.delivery.clone();
        let call = if rng.chance(self.habits.completed_percent, 100) {
            Call::Complete(delivery)
        } else {
            match rng.below(10) {
                0..=4 => Call::Fail(delivery),
                5 | 6 => Call::Extend(delivery),
                7 | 8 => {
                    let delay_ms = if rng.chance(1, 2) { 0 } else { rng.between(1, 500) };
                    Call::Release { delivery, delay_ns: delay_ms * MILLISECOND }
                }
                _ => Call::Bury(delivery),
            }
        };
        let priority = rng.chance(1, 3).then_some(PRIORITY_HIGH);
        // A connection and a token are the same right to what was taken with both.
        let holder = held.holder.filter(|_| rng.chance(1, 2));
        let (task, padding) = (held.task, draw_padding(bytes_max, rng));
        Asking { task, holder, priority, padding, ..Asking::of(call) }
    }

    fn draw_seldom(&mut self, client: usize, rng: &mut Rng) -> Option<Asking> {
        let queue = self.draw_queue(rng);
        Some(match rng.below(12) {
            0..=3 => return self.draw_death(client, rng),
            4 => {
                let for_ms = rng.chance(2, 3).then(|| rng.between(10, 800));
                let for_ns = for_ms.map(|for_ms| for_ms * MILLISECOND);
                Asking::of(Call::Pause { queue, for_ns })
            }
            5 | 6 => Asking::of(Call::Resume(queue)),
            7 => Asking::of(Call::Configure(queue)),
            8 => Asking::of(Call::Kick(queue)),
            9 | 10 => {
                let (name, task) = rng.pick(&self.dead)?.clone();
                Asking { task, ..Asking::of(Call::KickOne(name)) }
            }
            _ => {
                let (name, task) = rng.pick(&self.recent)?.clone();
                Asking { task, ..Asking::of(Call::Delete(name)) }
            }
        })
    }

    /// A worker dies with all that it holds, and comes back. Somebody may notice, or its leases run out.
    fn draw_death(&mut self, client: usize, rng: &mut Rng) -> Option<Asking> {
        let worker = &mut self.clients[client];
        let last = worker.held.iter().rev().find_map(|held| held.holder);
        let node = worker.node(client);
        if rng.chance(1, 4) {
            // A node that repeats itself: its present life must not suffer.
            return Some(Asking::of(Call::LetGoBefore { node, life: worker.life }));
        }
        worker.die();
        self.deaths += 1;
        match rng.below(3) {
            0 => last.map(|holder| Asking::of(Call::LetGo(holder))),
            1 => Some(Asking::of(Call::LetGoBefore { node, life: self.clients[client].life })),
            _ => None,
        }
    }
}

/// What makes a payload, a result or an error heavy.
fn draw_padding(bytes_max: u64, rng: &mut Rng) -> Vec<u8> {
    vec![b'x'; usize::try_from(rng.between(0, bytes_max)).expect("some kilobytes at most")]
}

fn draw_retry(rng: &mut Rng) -> Retry {
    Retry {
        attempts_max: *rng.pick(&[0, 1, 2, 3, 5]).expect("some numbers"),
        first_ns: *rng.pick(&[0, 50, 300]).expect("some times") * MILLISECOND,
        limit_ns: *rng.pick(&[200, 1_000]).expect("some times") * MILLISECOND,
        jitter_percent: *rng.pick(&[0, 25, 100]).expect("some shares"),
    }
}

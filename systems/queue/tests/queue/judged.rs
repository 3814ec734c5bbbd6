//! Workers at the state machine, and the judge of what they were told. The judge shares nothing with the model.

use std::collections::BTreeMap;

use check::{
    Process,
    queue::{
        Answer as Told, Call, Delivery, Event, Promise, QueueHistory, Retry as Wait, Taken, Task,
        judge,
    },
};
use kernel::{EntryKind, Rng};
use queue::{Answer, Claim, Command, PRIORITY_HIGH, PRIORITY_NORMAL, Put, Retry, State, TaskId};

use crate::{
    store::Store,
    words::{connection, put, take},
};

const SEEDS: u64 = 200;
const STEPS: u64 = 400;

const MILLISECOND: u64 = 1_000_000;

/// What follows a failed attempt, three of them for each task.
const RETRY: Retry = Retry { attempts_max: 3, first_ms: 30, limit_ms: 100, jitter_percent: 50 };

/// A worker or a producer: what it has asked and been told.
struct Client {
    process: Process,
    held: Option<Delivery>,
    open: Option<(Call, Option<Told>)>,
}

struct Run {
    rng: Rng,
    store: Store,
    history: QueueHistory,
    /// The numbers of tasks, by their names.
    ids: BTreeMap<Vec<u8>, TaskId>,
    next_process: u64,
    /// When terms began.
    terms_ns: Vec<u64>,
}

/// Answers get lost and come late, leases run out, somebody new leads, ticks are late.
#[test]
fn nothing_is_lost_or_held_twice() {
    for seed in 0..SEEDS {
        let (rng, history) = (Rng::new(seed), QueueHistory::default());
        let (store, ids) = (Store::new(), BTreeMap::new());
        let mut run = Run { rng, store, history, ids, next_process: 100, terms_ns: Vec::new() };
        let client = |number| Client { process: Process(number), held: None, open: None };
        let mut clients: Vec<Client> = (0..5).map(client).collect();
        for step in 0..STEPS {
            run.pass_time();
            let place = run.rng.below(clients.len() as u64);
            let client = &mut clients[usize::try_from(place).expect("few clients")];
            run.step(client, step);
        }
        for client in &clients {
            if client.open.is_some() {
                run.push(client.process, Event::Info);
            }
        }
        run.drain();
        let promise = Promise {
            is_drained: true,
            terms_ns: Some(run.terms_ns),
            grace_ns: queue::TERM_GRACE_MS * MILLISECOND,
            settles_ns: 0,
        };
        assert_eq!(judge(&run.history, &promise), None, "seed {seed}");
    }
}

impl Run {
    fn pass_time(&mut self) {
        let wait_ms = self.rng.below(40);
        self.store.wait_ms(wait_ms);
        if self.rng.chance(1, 60) {
            self.store.apply_entry(EntryKind::Noop, &[]).expect("a new term is no fault");
            self.terms_ns.push(self.store.now.0);
        }
        if self.rng.chance(1, 5) {
            self.store.tick();
        }
        if self.rng.chance(1, 40) {
            self.store.flush();
        }
    }

    /// A client asks, or what it asked takes effect, or it is told or will never know.
    fn step(&mut self, client: &mut Client, step: u64) {
        match client.open.take() {
            None => {
                let call = self.next_call(client.held.as_ref(), step);
                self.push(client.process, Event::Invoke(call.clone()));
                client.open = Some((call, None));
            }
            Some((call, None)) => {
                let told = self.perform(&call);
                client.open = Some((call, Some(told)));
            }
            Some((_, Some(_))) if self.rng.chance(1, 15) => {
                self.push(client.process, Event::Info);
                *client = Client { process: Process(self.next_process), held: None, open: None };
                self.next_process += 1;
            }
            Some((call, Some(told))) => {
                client.held = match (&call, &told) {
                    (Call::Extend(delivery), Told::Extended { .. }) => Some(delivery.clone()),
                    (_, Told::Taken { tasks, .. }) => {
                        tasks.first().map(|taken| taken.delivery.clone())
                    }
                    _ => None,
                };
                self.push(client.process, Event::Ok(told));
            }
        }
    }

    fn next_call(&mut self, held: Option<&Delivery>, step: u64) -> Call {
        match (held, self.rng.below(6)) {
            (None, 0..=2) => Call::Put(self.task(step)),
            (None, _) => take_one(),
            (Some(held), 0..=2) => Call::Complete(held.clone()),
            (Some(held), 3 | 4) => Call::Fail(held.clone()),
            (Some(held), _) => Call::Extend(held.clone()),
        }
    }

    fn perform(&mut self, call: &Call) -> Told {
        let command = match call {
            Call::Put(task) => put_of(task),
            Call::Take { .. } => {
                let holder = self.rng.chance(1, 2).then(|| connection(1));
                Command::Take(queue::Take { holder, ..take("q", 1) })
            }
            Call::Complete(of) => {
                let (task, claim) = self.claim(of);
                Command::Complete { task, claim, result: "done".into() }
            }
            Call::Fail(of) => {
                let (task, claim) = self.claim(of);
                Command::Fail { task, claim, error: "oh".into() }
            }
            Call::Extend(of) => {
                let (task, claim) = self.claim(of);
                Command::Extend { task, claim, lease_ms: None }
            }
            other => panic!("the test asks for nothing else: {other:?}"),
        };
        let answer = self.store.apply(&command);
        if let (Call::Put(put), Answer::Put { task, .. }) = (call, &answer) {
            self.ids.insert(put.name.clone(), *task);
        }
        told(answer)
    }

    fn task(&mut self, step: u64) -> Task {
        Task {
            name: format!("task {step}").into_bytes(),
            queue: b"q".to_vec(),
            priority: if self.rng.chance(1, 4) { PRIORITY_HIGH } else { PRIORITY_NORMAL },
            retry: Wait {
                attempts_max: RETRY.attempts_max.into(),
                first_ns: RETRY.first_ms * MILLISECOND,
                limit_ns: RETRY.limit_ms * MILLISECOND,
                jitter_percent: RETRY.jitter_percent.into(),
            },
            ..Task::default()
        }
    }

    fn claim(&self, of: &Delivery) -> (TaskId, Claim) {
        (self.ids[&of.task], Claim::Token(of.token))
    }

    fn push(&mut self, process: Process, event: Event) {
        self.history.push(process, event).expect("the test makes well-formed histories");
    }

    /// Takes and completes until nothing is left to wait for.
    fn drain(&mut self) {
        let process = Process(99);
        let mut held = None;
        loop {
            self.store.tick();
            let call = held.take().map_or_else(take_one, Call::Complete);
            self.push(process, Event::Invoke(call.clone()));
            let told = self.perform(&call);
            if let Told::Taken { tasks, .. } = &told {
                held = tasks.first().map(|taken| taken.delivery.clone());
            }
            let is_empty = call == take_one() && held.is_none();
            self.push(process, Event::Ok(told));
            if is_empty {
                // What is over is forgotten after an hour; before that something may come back.
                match self.store.deadline() {
                    Some(deadline) if deadline.0 < self.store.now.0 + 600_000_000_000 => {
                        self.store.now = deadline.max(self.store.now);
                    }
                    _ => return,
                }
            }
        }
    }
}

fn take_one() -> Call {
    Call::Take { queues: vec![b"q".to_vec()], count: 1, holder: None }
}

fn put_of(task: &Task) -> Command {
    Command::Put(Put {
        payload: task.name.clone().into(),
        lease_ms: Some(300),
        retry: Some(RETRY),
        priority: task.priority,
        ..put("q")
    })
}

fn told(answer: Answer) -> Told {
    match answer {
        Answer::Put { task, is_duplicate } => Told::Accepted { number: task.0, is_duplicate },
        Answer::Taken { stamp, tasks } => {
            Told::Taken { stamp_ns: stamp.0, tasks: tasks.into_iter().map(taken).collect() }
        }
        Answer::Now(State::Completed { at, .. }) => Told::Completed { stamp_ns: at.0 },
        Answer::Now(State::Reserved { due, .. }) => Told::Extended { due_ns: due.0 },
        Answer::Now(State::Buried { .. }) => Told::Buried,
        Answer::Now(State::Delayed { until }) => Told::Waits { until_ns: Some(until.0) },
        Answer::Failed(_) => Told::NotHeld,
        other => panic!("no answer of these commands: {other:?}"),
    }
}

fn taken(task: queue::Taken) -> Taken {
    Taken {
        delivery: Delivery { task: task.payload.to_vec(), token: task.token },
        number: task.task.0,
        priority: task.priority,
        failures: task.failures.into(),
        due_ns: task.due.0,
    }
}

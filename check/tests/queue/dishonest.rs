//! A queue in a few lines that is honest or not, among clients whose answers come late or get lost.

use std::collections::BTreeMap;

use archipel_check::queue::{
    Answer, Call, Delivery, Event, Promise, QueueHistory, Retry, Rule, Taken, Task, judge,
};

use crate::{script::push, support::Chance};

const LEASE_NS: u64 = 50;

/// How long a task waits for its next attempt.
const WAIT_NS: u64 = 20;

const ATTEMPTS_MAX: u64 = 4;

/// What a queue may do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    ForgetsPuts,
    IgnoresLeases,
    AcceptsStaleTokens,
    ForgetsCompletions,
    NeverGivesUp,
    RetriesAtOnce,
    IgnoresDelays,
    ServesTheNewest,
    ForgetsTheDead,
}

/// A task that the queue holds.
#[derive(Clone)]
struct Row {
    task: Task,
    number: u64,
    deliveries: u64,
    /// From when on it may be handed out: when its lease ends, or when it has waited long enough.
    ready_ns: u64,
    is_held: bool,
}

/// A queue in a few lines.
struct Queue {
    bug: Bug,
    now_ns: u64,
    numbers: u64,
    tasks: BTreeMap<Vec<u8>, Row>,
    dead: Vec<Vec<u8>>,
}

impl Queue {
    fn perform(&mut self, call: &Call, chance: &mut Chance) -> Answer {
        self.now_ns += chance.next() % 30;
        self.end_leases();
        match call {
            Call::Put(task) => self.put(task, chance),
            Call::Take { count, .. } => self.take(*count, chance),
            Call::Dead(_) => Answer::Dead(self.dead.clone()),
            call => {
                let of = call.delivery().expect("the test asks for nothing else");
                self.end(call, of, chance).unwrap_or(Answer::NotHeld)
            }
        }
    }

    fn put(&mut self, task: &Task, chance: &mut Chance) -> Answer {
        self.numbers += 1;
        let delay_ns = if self.bug == Bug::IgnoresDelays { 0 } else { task.delay_ns };
        let ready_ns = self.now_ns + delay_ns;
        let (task, number) = (task.clone(), self.numbers);
        let row = Row { task, number, deliveries: 0, ready_ns, is_held: false };
        if self.bug != Bug::ForgetsPuts || !chance.one_in(5) {
            self.tasks.insert(row.task.name.clone(), row);
        }
        Answer::Accepted { number, is_duplicate: false }
    }

    /// What holders let run out has failed.
    fn end_leases(&mut self) {
        let late = self.tasks.values().filter(|row| row.is_held && row.ready_ns <= self.now_ns);
        for name in late.map(|row| row.task.name.clone()).collect::<Vec<_>>() {
            let ended_ns = self.tasks[&name].ready_ns;
            self.fail(&name, ended_ns);
        }
    }

    /// The present attempt has failed; until when the task waits, unless it is dead.
    fn fail(&mut self, name: &[u8], at_ns: u64) -> Option<u64> {
        let wait_ns = if self.bug == Bug::RetriesAtOnce { 0 } else { WAIT_NS };
        let row = self.tasks.get_mut(name).expect("what fails is there");
        row.is_held = false;
        row.ready_ns = at_ns + wait_ns;
        let until_ns = row.ready_ns;
        if row.deliveries < ATTEMPTS_MAX || self.bug == Bug::NeverGivesUp {
            return Some(until_ns);
        }
        self.tasks.remove(name);
        if self.bug != Bug::ForgetsTheDead {
            self.dead.push(name.to_vec());
        }
        None
    }

    fn take(&mut self, count: u64, chance: &mut Chance) -> Answer {
        let now_ns = self.now_ns;
        let mut tasks = Vec::new();
        for _ in 0..count {
            let ignores_leases = self.bug == Bug::IgnoresLeases && chance.one_in(5);
            let is_free = |row: &&mut Row| {
                (row.is_held && ignores_leases) || (!row.is_held && row.ready_ns <= now_ns)
            };
            let free = self.tasks.values_mut().filter(is_free);
            let order = |row: &&mut Row| match self.bug {
                Bug::ServesTheNewest => (0, u64::MAX - row.number),
                _ => (row.task.priority, row.number),
            };
            let Some(row) = free.min_by_key(order) else {
                break;
            };
            row.deliveries += 1;
            row.is_held = true;
            row.ready_ns = now_ns + LEASE_NS;
            tasks.push(Taken {
                delivery: Delivery { task: row.task.name.clone(), token: row.deliveries },
                number: row.number,
                priority: row.task.priority,
                failures: row.deliveries - 1,
                due_ns: row.ready_ns,
            });
        }
        Answer::Taken { stamp_ns: now_ns, tasks }
    }

    fn end(&mut self, call: &Call, of: &Delivery, chance: &mut Chance) -> Option<Answer> {
        let row = self.tasks.get_mut(&of.task)?;
        let is_theirs = row.is_held && row.deliveries == of.token;
        if !is_theirs && self.bug != Bug::AcceptsStaleTokens {
            return None;
        }
        match call {
            Call::Complete(_) => {
                if self.bug != Bug::ForgetsCompletions || !chance.one_in(5) {
                    self.tasks.remove(&of.task);
                }
                Some(Answer::Completed { stamp_ns: self.now_ns })
            }
            Call::Fail(_) => {
                let until_ns = self.fail(&of.task, self.now_ns);
                Some(
                    until_ns.map_or(Answer::Buried, |until_ns| Answer::Waits {
                        until_ns: Some(until_ns),
                    }),
                )
            }
            _ => {
                row.ready_ns = self.now_ns + LEASE_NS;
                Some(Answer::Extended { due_ns: row.ready_ns })
            }
        }
    }
}

/// A few workers and producers at a queue. Each call takes effect somewhere between its invocation and its
/// answer; some answers are lost. In the end what is left is drained.
fn run(seed: u64, bug: Bug) -> QueueHistory {
    let mut chance = Chance(seed);
    let (tasks, dead) = (BTreeMap::new(), Vec::new());
    let mut queue = Queue { bug, now_ns: 0, numbers: 0, tasks, dead };
    let mut history = QueueHistory::default();
    let mut workers: Vec<(u64, Option<Delivery>)> = (0..4).map(|worker| (worker, None)).collect();
    let mut open: BTreeMap<u64, (Call, Option<Answer>)> = BTreeMap::new();
    let mut next_process = 10;
    for step in 0..120_u64 {
        let place = chance.below(workers.len());
        let (process, held) = &mut workers[place];
        match open.remove(process) {
            None => {
                let call = next_call(held.as_ref(), step, &mut chance);
                push(&mut history, *process, Event::Invoke(call.clone()));
                open.insert(*process, (call, None));
            }
            Some((call, None)) => {
                let answer = queue.perform(&call, &mut chance);
                open.insert(*process, (call, Some(answer)));
            }
            Some((_, Some(_))) if chance.one_in(12) => {
                push(&mut history, *process, Event::Info);
                (*process, *held) = (next_process, None);
                next_process += 1;
            }
            Some((call, Some(answer))) => {
                *held = still_held(held.take(), &call, &answer);
                push(&mut history, *process, Event::Ok(answer));
            }
        }
    }
    for (process, _) in &workers {
        if open.contains_key(process) {
            push(&mut history, *process, Event::Info);
        }
    }
    drain(&mut history, &mut queue, &mut chance);
    history
}

fn next_call(held: Option<&Delivery>, step: u64, chance: &mut Chance) -> Call {
    match (held, chance.below(6)) {
        (None, 0..=2) => Call::Put(task(step, chance)),
        (None, _) => take(1 + chance.below(2) as u64),
        (Some(held), 0..=2) => Call::Complete(held.clone()),
        (Some(held), 3 | 4) => Call::Fail(held.clone()),
        (Some(held), _) => Call::Extend(held.clone()),
    }
}

fn task(step: u64, chance: &mut Chance) -> Task {
    Task {
        name: format!("task {step}").into_bytes(),
        queue: b"q".to_vec(),
        priority: if chance.one_in(4) { 1 } else { 2 },
        delay_ns: if chance.one_in(3) { 60 } else { 0 },
        retry: Retry {
            attempts_max: ATTEMPTS_MAX,
            first_ns: WAIT_NS,
            limit_ns: WAIT_NS,
            jitter_percent: 0,
        },
        ..Task::default()
    }
}

fn take(count: u64) -> Call {
    Call::Take { queues: vec![b"q".to_vec()], count, holder: None }
}

fn still_held(held: Option<Delivery>, call: &Call, answer: &Answer) -> Option<Delivery> {
    match (call, answer) {
        (_, Answer::Taken { tasks, .. }) => tasks.first().map(|taken| taken.delivery.clone()),
        (Call::Extend(_), Answer::Extended { .. }) => held,
        _ => None,
    }
}

/// Takes and completes until nothing is left to wait for, and reads the dead letters.
fn drain(history: &mut QueueHistory, queue: &mut Queue, chance: &mut Chance) {
    let mut ask = |queue: &mut Queue, call: Call| {
        push(history, 999, Event::Invoke(call.clone()));
        let answer = queue.perform(&call, chance);
        push(history, 999, Event::Ok(answer.clone()));
        answer
    };
    queue.now_ns += 2 * LEASE_NS;
    while !queue.tasks.is_empty() {
        let call = take(1);
        let answer = ask(queue, call.clone());
        if let Some(delivery) = still_held(None, &call, &answer) {
            // A forgotten completion must not make the drain endless.
            let bug = std::mem::replace(&mut queue.bug, Bug::None);
            ask(queue, Call::Complete(delivery));
            queue.bug = bug;
        }
    }
    ask(queue, Call::Dead(b"q".to_vec()));
}

fn promise() -> Promise {
    Promise { is_drained: true, terms_ns: Some(vec![0]), ..Promise::default() }
}

#[test]
fn an_honest_queue_is_never_accused() {
    for seed in 0..3000 {
        assert_eq!(judge(&run(seed, Bug::None), &promise()), None, "seed {seed}");
    }
}

#[test]
fn each_dishonest_queue_is_found_out() {
    let bugs = [
        (Bug::ForgetsPuts, Rule::Lost),
        (Bug::IgnoresLeases, Rule::TwoHolders),
        (Bug::AcceptsStaleTokens, Rule::StaleAccepted),
        (Bug::ForgetsCompletions, Rule::AfterDone),
        (Bug::NeverGivesUp, Rule::TooManyAttempts),
        (Bug::RetriesAtOnce, Rule::WrongWait),
        (Bug::IgnoresDelays, Rule::ReadyEarly),
        (Bug::ServesTheNewest, Rule::OutOfOrder),
        (Bug::ForgetsTheDead, Rule::DeadLetterLost),
    ];
    for (bug, rule) in bugs {
        let rules = (0..300).filter_map(|seed| judge(&run(seed, bug), &promise()));
        let found = rules.filter(|breach| breach.rule == rule).count();
        assert!(found > 10, "{bug:?} is found as {rule:?} in {found} of 300 runs");
    }
}

//! The judge of work queues: what an honest queue does is never a breach, and each kind of dishonesty is found.

mod support;

use std::collections::BTreeMap;

use archipel_check::{
    HistoryError, Process,
    queue::{Answer, Call, Delivery, Event, Promise, QueueHistory, Rule, judge},
};
use support::Chance;

const LEASE_NS: u64 = 50;

/// A history, a line for each operation, one after the other unless marked: `(` in front begins an operation
/// that ends where `)` and the process stand; `?` behind leaves its outcome unknown.
///
/// ```text
/// put TASK | take STAMP DUE TASK.TOKEN | done TASK.TOKEN STAMP | fail TASK.TOKEN dead|again
/// extend TASK.TOKEN DUE | late TASK.TOKEN (a completion that is refused)
/// ```
fn history(script: &str) -> QueueHistory {
    let mut history = QueueHistory::default();
    let mut open: BTreeMap<u64, Answer> = BTreeMap::new();
    let mut next_process = 100;
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [")", process] = words[..] {
            let process = process.parse().expect("a process is a number");
            let answer = open.remove(&process).expect("it is open");
            push(&mut history, process, Event::Ok(answer));
            continue;
        }
        let (is_left_open, process, words) = match words[..] {
            ["(", process, ..] => {
                (true, process.parse().expect("a process is a number"), &words[2..])
            }
            _ => {
                next_process += 1;
                (false, next_process, &words[..])
            }
        };
        let (call, answer) = operation(words);
        push(&mut history, process, Event::Invoke(call));
        match words.last() {
            Some(&"?") => push(&mut history, process, Event::Info),
            _ if is_left_open => drop(open.insert(process, answer)),
            _ => push(&mut history, process, Event::Ok(answer)),
        }
    }
    history
}

fn operation(words: &[&str]) -> (Call, Answer) {
    let number = |word: &str| word.parse().expect("a number");
    let delivery = |word: &str| {
        let (task, token) = word.split_once('.').expect("a task and a token");
        Delivery { task: task.into(), token: number(token) }
    };
    match words {
        ["put", task, ..] => (Call::Put((*task).into()), Answer::Accepted),
        ["take", stamp, due, taken, ..] => {
            let deliveries = vec![(delivery(taken), number(due))];
            (Call::Take, Answer::Taken { stamp_ns: number(stamp), deliveries })
        }
        ["take", "?"] => (Call::Take, Answer::Taken { stamp_ns: 0, deliveries: vec![] }),
        ["done", of, stamp, ..] => {
            (Call::Complete(delivery(of)), Answer::Completed { stamp_ns: number(stamp) })
        }
        ["fail", of, next] => {
            (Call::Fail(delivery(of)), Answer::Failed { is_dead: *next == "dead" })
        }
        ["extend", of, due] => {
            (Call::Extend(delivery(of)), Answer::Extended { due_ns: number(due) })
        }
        ["late", of] => (Call::Complete(delivery(of)), Answer::NotHeld),
        other => panic!("{other:?} is no operation"),
    }
}

fn push(history: &mut QueueHistory, process: u64, event: Event) {
    history.push(Process(process), event).expect("the test makes well-formed histories");
}

const DRAINED: Promise = Promise { attempts_max: 0, is_drained: true };

fn broken(script: &str, promise: Promise) -> Option<(Rule, Vec<usize>)> {
    judge(&history(script), promise).map(|breach| (breach.rule, breach.operations))
}

#[test]
fn what_can_be_explained_is_no_breach() {
    let sound = [
        "put a\n take 1 50 a.1\n done a.1 10",
        // A lease that ran out, and a late completion that was refused.
        "put a\n take 1 50 a.1\n take 50 99 a.2\n late a.1\n done a.2 60",
        // Given back in time.
        "put a\n take 1 50 a.1\n fail a.1 again\n take 20 70 a.2\n done a.2 30",
        // It may have been given back.
        "put a\n take 1 50 a.1\n ( 1 fail a.1 again\n take 20 70 a.2\n done a.2 30\n ) 1",
        // A put whose outcome is unknown may have been done, and need not.
        "put a ?\n take 1 50 a.1\n done a.1 10",
        "put a ?",
        // A take whose answer was lost delivered the first time.
        "put a\n take ?\n take 60 99 a.2\n done a.2 70",
        // An unknown completion may have happened.
        "put a\n take 1 50 a.1\n done a.1 0 ?",
        "put a\n take 1 50 a.1\n fail a.1 dead",
    ];
    for script in sound {
        assert_eq!(broken(script, DRAINED), None, "{script}");
    }
}

#[test]
fn each_rule_has_a_history_that_breaks_it() {
    let three = Promise { attempts_max: 2, is_drained: true };
    let cases = [
        (Rule::FromNowhere, vec![0], "take 1 50 a.1\n put a", DRAINED),
        (Rule::TokenReused, vec![1, 2], "put a\n take 1 50 a.1\n take 60 99 a.1", DRAINED),
        (Rule::TokenReused, vec![1, 2], "put a\n take 60 99 a.1\n take 1 50 a.2", DRAINED),
        (Rule::TwoHolders, vec![1, 2], "put a\n take 1 50 a.1\n take 49 99 a.2", DRAINED),
        (
            Rule::TwoHolders,
            vec![1, 2, 3],
            "put a\n take 1 50 a.1\n extend a.1 80\n take 60 99 a.2",
            DRAINED,
        ),
        (
            Rule::StaleAccepted,
            vec![1, 2, 3],
            "put a\n take 1 50 a.1\n take 50 99 a.2\n done a.1 60",
            DRAINED,
        ),
        (
            Rule::StaleAccepted,
            vec![1, 2, 3],
            "put a\n take 1 50 a.1\n take 50 99 a.2\n extend a.1 99",
            DRAINED,
        ),
        (
            Rule::AfterDone,
            vec![2, 3],
            "put a\n take 1 50 a.1\n done a.1 10\n take 60 99 a.2",
            DRAINED,
        ),
        (
            Rule::TooManyAttempts,
            vec![1, 2, 3],
            "put a\n take 1 50 a.1\n take 50 99 a.2\n take 100 150 a.3\n done a.3 120",
            three,
        ),
        (Rule::Lost, vec![0], "put a", DRAINED),
        (Rule::Unfinished, vec![0, 1], "put a\n take 1 50 a.1", DRAINED),
        (Rule::Unfinished, vec![0, 1], "put a\n take 1 50 a.1\n fail a.1 again", three),
    ];
    for (rule, operations, script, promise) in cases {
        assert_eq!(broken(script, promise), Some((rule, operations)), "{script}");
    }
}

/// A run that was not drained, or whose attempts may have been used up unseen, may leave something.
#[test]
fn what_is_left_is_a_breach_only_if_it_cannot_be_explained() {
    assert_eq!(broken("put a", Promise::default()), None);
    let once = Promise { attempts_max: 1, is_drained: true };
    assert_eq!(broken("put a\n take ?", once), None);
    assert_eq!(broken("put a\n take ?", DRAINED), Some((Rule::Lost, vec![0])));
}

#[test]
fn a_history_is_well_formed() {
    let mut history = QueueHistory::default();
    let take = || Event::Invoke(Call::Take);
    assert_eq!(history.push(Process(1), take()), Ok(()));
    assert_eq!(history.push(Process(1), take()), Err(HistoryError::StillOpen(Process(1))));
    let accepted = Event::Ok(Answer::Accepted);
    assert_eq!(history.push(Process(1), accepted), Err(HistoryError::WrongAnswer(Process(1))));
    assert_eq!(history.push(Process(1), Event::Info), Ok(()));
    assert_eq!(history.push(Process(1), take()), Err(HistoryError::ProcessEnded(Process(1))));
    assert_eq!(history.operations().len(), 1);
}

/// What a queue may do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    ForgetsPuts,
    IgnoresLeases,
    AcceptsStaleTokens,
    ForgetsCompletions,
    NeverGivesUp,
}

/// A queue in a few lines.
struct Queue {
    bug: Bug,
    now_ns: u64,
    attempts_max: u64,
    /// Each task's deliveries, and when the lease of the last one ends, if somebody holds it.
    tasks: BTreeMap<Vec<u8>, (u64, Option<u64>)>,
}

impl Queue {
    fn perform(&mut self, call: &Call, chance: &mut Chance) -> Answer {
        self.now_ns += chance.next() % 30;
        match call {
            Call::Put(task) => {
                if self.bug != Bug::ForgetsPuts || !chance.one_in(5) {
                    self.tasks.insert(task.clone(), (0, None));
                }
                Answer::Accepted
            }
            Call::Take => self.take(chance),
            Call::Complete(of) | Call::Fail(of) | Call::Extend(of) => {
                self.end(call, of, chance).unwrap_or(Answer::NotHeld)
            }
        }
    }

    fn take(&mut self, chance: &mut Chance) -> Answer {
        let (now_ns, attempts_max) = (self.now_ns, self.attempts_max);
        // Whose last lease has run out is dead.
        if self.bug != Bug::NeverGivesUp {
            self.tasks.retain(|_, (token, due)| {
                *token < attempts_max || due.is_some_and(|due_ns| due_ns > now_ns)
            });
        }
        let ignores_leases = self.bug == Bug::IgnoresLeases && chance.one_in(5);
        let free = self
            .tasks
            .iter_mut()
            .find(|(_, (_, due))| ignores_leases || due.is_none_or(|due_ns| due_ns <= now_ns));
        let deliveries = free.map(|(task, (token, due))| {
            *token += 1;
            *due = Some(now_ns + LEASE_NS);
            (Delivery { task: task.clone(), token: *token }, now_ns + LEASE_NS)
        });
        Answer::Taken { stamp_ns: now_ns, deliveries: deliveries.into_iter().collect() }
    }

    fn end(&mut self, call: &Call, of: &Delivery, chance: &mut Chance) -> Option<Answer> {
        let (token, due) = self.tasks.get_mut(&of.task)?;
        let is_held = *token == of.token && due.is_some_and(|due_ns| due_ns > self.now_ns);
        if !is_held && self.bug != Bug::AcceptsStaleTokens {
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
                *due = None;
                let is_dead = *token >= self.attempts_max && self.bug != Bug::NeverGivesUp;
                if is_dead {
                    self.tasks.remove(&of.task);
                }
                Some(Answer::Failed { is_dead })
            }
            _ => {
                *due = Some(self.now_ns + LEASE_NS);
                Some(Answer::Extended { due_ns: self.now_ns + LEASE_NS })
            }
        }
    }
}

/// A few workers and producers at a queue. Each call takes effect somewhere between its invocation and its
/// answer; some answers are lost. In the end what is left is drained.
fn run(seed: u64, bug: Bug) -> QueueHistory {
    let mut chance = Chance(seed);
    let mut queue = Queue { bug, now_ns: 0, attempts_max: 4, tasks: BTreeMap::new() };
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
        (None, 0..=2) => Call::Put(format!("task {step}").into_bytes()),
        (None, _) => Call::Take,
        (Some(held), 0..=2) => Call::Complete(held.clone()),
        (Some(held), 3 | 4) => Call::Fail(held.clone()),
        (Some(held), _) => Call::Extend(held.clone()),
    }
}

fn still_held(held: Option<Delivery>, call: &Call, answer: &Answer) -> Option<Delivery> {
    match (call, answer) {
        (_, Answer::Taken { deliveries, .. }) => {
            deliveries.first().map(|(delivery, _)| delivery.clone())
        }
        (Call::Extend(_), Answer::Extended { .. }) => held,
        _ => None,
    }
}

fn drain(history: &mut QueueHistory, queue: &mut Queue, chance: &mut Chance) {
    queue.now_ns += 2 * LEASE_NS;
    loop {
        push(history, 999, Event::Invoke(Call::Take));
        let answer = queue.take(chance);
        push(history, 999, Event::Ok(answer.clone()));
        let Some(delivery) = still_held(None, &Call::Take, &answer) else {
            return;
        };
        let call = Call::Complete(delivery);
        push(history, 999, Event::Invoke(call.clone()));
        // A forgotten completion must not make the drain endless.
        let bug = std::mem::replace(&mut queue.bug, Bug::None);
        let answer = queue.perform(&call, chance);
        queue.bug = bug;
        push(history, 999, Event::Ok(answer));
    }
}

const FOUR: Promise = Promise { attempts_max: 4, is_drained: true };

#[test]
fn an_honest_queue_is_never_accused() {
    for seed in 0..3000 {
        assert_eq!(judge(&run(seed, Bug::None), FOUR), None, "seed {seed}");
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
    ];
    for (bug, rule) in bugs {
        let rules = (0..300).filter_map(|seed| judge(&run(seed, bug), FOUR));
        let found = rules.filter(|breach| breach.rule == rule).count();
        assert!(found > 10, "{bug:?} is found as {rule:?} in {found} of 300 runs");
    }
}

//! Histories as a few words a line.
//!
//! ```text
//! put TASK [q=QUEUE] [p=PRIORITY] [key=KEY] [delay=N] [live=N] [tries=N] [wait=N] [keep=N]
//! dup TASK NUMBER key=KEY                        a put that is answered with a task that was there
//! take STAMP [q=QUEUE+QUEUE] [count=N] [as=NODE.LIFE.CONNECTION] [TASK.TOKEN@DUE[/FAILURES] ...]
//! done TASK.TOKEN STAMP | extend TASK.TOKEN DUE | late TASK.TOKEN (a completion that is refused)
//! fail TASK.TOKEN ready|dead|expired|UNTIL | release TASK.TOKEN DELAY UNTIL|ready | bury TASK.TOKEN
//! delete TASK | kick TASK | kickall QUEUE COUNT | letgo NODE.LIFE.CONNECTION COUNT | letgobefore NODE.LIFE COUNT
//! pause QUEUE [for=N] | resume QUEUE | dead QUEUE [TASK ...] | look STAMP
//! ```
//! One operation comes after the other, unless marked: `(` and a process in front begin one that ends where `)`
//! and the process stand; `?` behind leaves its outcome unknown.

use std::collections::BTreeMap;

use archipel_check::{
    Process,
    queue::{Answer, Call, Delivery, Event, Holder, QueueHistory, Retry, Taken, Task},
};

/// Reads a history.
pub(crate) fn history(script: &str) -> QueueHistory {
    let mut reader = Script::default();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        reader.line(&line.split_whitespace().collect::<Vec<_>>());
    }
    reader.history
}

/// Adds an event that makes sense.
pub(crate) fn push(history: &mut QueueHistory, process: u64, event: Event) {
    history.push(Process(process), event).expect("the test makes well-formed histories");
}

#[derive(Default)]
struct Script {
    history: QueueHistory,
    open: BTreeMap<u64, Answer>,
    processes: u64,
    /// Each task's number and priority.
    tasks: BTreeMap<String, (u64, u32)>,
}

impl Script {
    fn line(&mut self, words: &[&str]) {
        if let [")", process] = words {
            let answer = self.open.remove(&number(process)).expect("it is open");
            push(&mut self.history, number(process), Event::Ok(answer));
            return;
        }
        self.processes += 1;
        let (is_left_open, process, words) = match words {
            ["(", process, rest @ ..] => (true, number(process), rest),
            _ => (false, 100 + self.processes, words),
        };
        let is_unknown = words.last() == Some(&"?");
        let words = if is_unknown { &words[..words.len() - 1] } else { words };
        let (call, answer) = self.operation(words);
        push(&mut self.history, process, Event::Invoke(call));
        if is_unknown {
            push(&mut self.history, process, Event::Info);
        } else if is_left_open {
            self.open.insert(process, answer);
        } else {
            push(&mut self.history, process, Event::Ok(answer));
        }
    }

    fn operation(&mut self, words: &[&str]) -> (Call, Answer) {
        let (plain, options): (Vec<&str>, Vec<&str>) =
            words.iter().partition(|word| !word.contains('='));
        let option =
            |name: &str| options.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        match plain[..] {
            ["put", name] => {
                let task = task(name, &option);
                self.tasks.insert(name.into(), (self.tasks.len() as u64 + 1, task.priority));
                let answer =
                    Answer::Accepted { number: self.tasks.len() as u64, is_duplicate: false };
                (Call::Put(task), answer)
            }
            ["dup", name, other] => {
                let answer = Answer::Accepted { number: number(other), is_duplicate: true };
                (Call::Put(task(name, &option)), answer)
            }
            ["take", stamp, ref taken @ ..] => {
                let tasks: Vec<Taken> = taken.iter().map(|word| self.taken(word)).collect();
                let queues = option("q").unwrap_or("q").split('+').map(Into::into).collect();
                let count = option("count").map_or(tasks.len() as u64, number);
                let holder = option("as").map(holder);
                let answer = Answer::Taken { stamp_ns: number(stamp), tasks };
                (Call::Take { queues, count, holder }, answer)
            }
            ["dead", queue, ref names @ ..] => {
                let names = names.iter().map(|name| (*name).into()).collect();
                (Call::Dead(queue.into()), Answer::Dead(names))
            }
            ["pause", queue] => {
                let for_ns = option("for").map(number);
                (Call::Pause { queue: queue.into(), for_ns }, Answer::Done)
            }
            _ => of_delivery(&plain).or_else(|| of_task(&plain)).expect("a known operation"),
        }
    }

    /// `TASK.TOKEN@DUE/FAILURES`
    fn taken(&self, word: &str) -> Taken {
        let (of, rest) = word.split_once('@').expect("a delivery and its due");
        let (due, failures) = rest.split_once('/').unwrap_or((rest, ""));
        let delivery = delivery(of);
        let name = String::from_utf8_lossy(&delivery.task).into_owned();
        let (number_of, priority) = self.tasks.get(&name).copied().unwrap_or((1, 0));
        let failures =
            if failures.is_empty() { delivery.token.saturating_sub(1) } else { number(failures) };
        Taken { delivery, number: number_of, priority, failures, due_ns: number(due) }
    }
}

fn of_delivery(words: &[&str]) -> Option<(Call, Answer)> {
    Some(match *words {
        ["done", of, stamp] => {
            (Call::Complete(delivery(of)), Answer::Completed { stamp_ns: number(stamp) })
        }
        ["late", of] => (Call::Complete(delivery(of)), Answer::NotHeld),
        ["extend", of, due] => {
            (Call::Extend(delivery(of)), Answer::Extended { due_ns: number(due) })
        }
        ["fail", of, next] => (Call::Fail(delivery(of)), then(next)),
        ["release", of, delay, next] => {
            let (delivery, delay_ns) = (delivery(of), number(delay));
            (Call::Release { delivery, delay_ns }, then(next))
        }
        ["bury", of] => (Call::Bury(delivery(of)), Answer::Buried),
        _ => return None,
    })
}

fn of_task(words: &[&str]) -> Option<(Call, Answer)> {
    Some(match *words {
        ["delete", task] => (Call::Delete(task.into()), Answer::Done),
        ["kick", task] => (Call::KickOne(task.into()), Answer::Done),
        ["kickall", queue, count] => (Call::Kick(queue.into()), Answer::Count(number(count))),
        ["letgo", of, count] => (Call::LetGo(holder(of)), Answer::Count(number(count))),
        ["letgobefore", of, count] => {
            let (node, life) = of.split_once('.').expect("a node and a life");
            let call = Call::LetGoBefore { node: number(node), life: number(life) };
            (call, Answer::Count(number(count)))
        }
        ["resume", queue] => (Call::Resume(queue.into()), Answer::Done),
        ["look", stamp] => {
            let answer = Answer::Looked {
                stamp_ns: number(stamp),
                ready: 0,
                open: 0,
                timeouts: 0,
                expired: 0,
            };
            (Call::Look, answer)
        }
        _ => return None,
    })
}

fn task<'a>(name: &str, option: &impl Fn(&str) -> Option<&'a str>) -> Task {
    let numbered = |name: &str| option(name).map_or(0, number);
    Task {
        name: name.into(),
        queue: option("q").unwrap_or("q").into(),
        priority: u32::try_from(numbered("p")).expect("a small priority"),
        key: option("key").map(Into::into),
        delay_ns: numbered("delay"),
        live_ns: option("live").map(number),
        retry: Retry {
            attempts_max: numbered("tries"),
            first_ns: numbered("wait"),
            limit_ns: 1_000,
            jitter_percent: 50,
        },
        retention_ns: numbered("keep"),
    }
}

fn then(word: &str) -> Answer {
    match word {
        "ready" => Answer::Waits { until_ns: None },
        "dead" => Answer::Buried,
        "expired" => Answer::Expired,
        until => Answer::Waits { until_ns: Some(number(until)) },
    }
}

fn delivery(word: &str) -> Delivery {
    let (task, token) = word.split_once('.').expect("a task and a token");
    Delivery { task: task.into(), token: number(token) }
}

fn holder(word: &str) -> Holder {
    let numbers: Vec<u64> = word.split('.').map(number).collect();
    let &[node, life, connection] = &numbers[..] else {
        panic!("a node, a life and a connection: {word}");
    };
    Holder { node, life, connection }
}

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("a number: {word}"))
}

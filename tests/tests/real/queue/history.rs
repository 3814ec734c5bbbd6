//! What producers and workers asked and were told, for the judge.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use check::{
    Process,
    queue::{Answer, Call, Delivery, Event, Promise, QueueHistory, Retry, Taken, Task, judge},
};
use serde_json::{Value, json};

use crate::client::{Client, NoAnswer, Outcome};

const MILLISECOND: u64 = 1_000_000;

/// The queue and the priority of a task that names none.
const QUEUE: &[u8] = b"default";
const PRIORITY: u32 = 65_536;

/// A history in the making, shared by all.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    processes: AtomicU64,
    accepted: AtomicU64,
    history: Mutex<QueueHistory>,
}

/// Somebody who asks one thing at a time.
pub(super) struct Asker<'a> {
    recorder: &'a Recorder,
    process: Process,
    pub(super) client: Client,
}

impl Recorder {
    pub(super) fn asker(&self, client: Client) -> Asker<'_> {
        Asker { recorder: self, process: self.process(), client }
    }

    /// How many tasks were accepted so far.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Nothing was lost, held twice, or delivered after it was done.
    #[track_caller]
    pub(super) fn judge(&self) -> usize {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        let promise = Promise { is_drained: true, ..Promise::default() };
        if let Some(breach) = judge(&history, &promise) {
            let operations = history.operations();
            let shown: Vec<String> = breach
                .operations
                .iter()
                .map(|place| format!("{place}: {:?}", operations[*place]))
                .collect();
            panic!("{breach:?}\n{}", shown.join("\n"));
        }
        history.operations().len()
    }

    fn process(&self) -> Process {
        Process(self.processes.fetch_add(1, Ordering::Relaxed))
    }

    fn push(&self, process: Process, event: Event) {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.push(process, event).expect("a client asks one thing at a time");
    }
}

impl Asker<'_> {
    /// Puts a task of this name, which is tried without end.
    pub(super) fn put(&mut self, name: &str) {
        let task = json!({
            "type": "t", "payload": name, "leaseMs": 1500, "maxRetries": null, "backoffMs": 10,
            "backoffLimitMs": 1000, "jitterPercent": 20,
        });
        let retry = Retry {
            attempts_max: 0,
            first_ns: 10 * MILLISECOND,
            limit_ns: 1000 * MILLISECOND,
            jitter_percent: 20,
        };
        let (name, queue) = (name.as_bytes().to_vec(), QUEUE.to_vec());
        let call = Call::Put(Task { name, queue, priority: PRIORITY, retry, ..Task::default() });
        let told = self.ask(call, "POST", "/task", &task, |told| Answer::Accepted {
            number: number(told, "taskId"),
            is_duplicate: false,
        });
        if told.is_some() {
            self.recorder.accepted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes a task, within a second.
    pub(super) fn take(&mut self) -> Option<(String, Delivery)> {
        let call = Call::Take { queues: vec![QUEUE.to_vec()], count: 1, holder: None };
        let taken = self.ask(call, "GET", "/dequeue?wait=1", &Value::Null, |task| {
            let stamp_ns = number(task, "clusterTimeNs");
            Answer::Taken { stamp_ns, tasks: vec![taken(task)] }
        })?;
        taken.is_object().then(|| (taken["id"].as_str().unwrap().to_owned(), delivery(&taken)))
    }

    /// True if the task is done now.
    pub(super) fn complete(&mut self, id: &str, delivery: &Delivery) -> bool {
        let call = Call::Complete(delivery.clone());
        self.end("complete", id, call, delivery, |told| Answer::Completed {
            stamp_ns: number(told, "clusterTimeNs"),
        })
    }

    pub(super) fn fail(&mut self, id: &str, delivery: &Delivery) -> bool {
        let call = Call::Fail(delivery.clone());
        self.end("fail", id, call, delivery, |told| match told["status"].as_str() {
            Some("failed") => Answer::Buried,
            _ => Answer::Waits { until_ns: Some(number(told, "readyNs")) },
        })
    }

    pub(super) fn extend(&mut self, id: &str, delivery: &Delivery) -> bool {
        let call = Call::Extend(delivery.clone());
        self.end("extend", id, call, delivery, |told| Answer::Extended {
            due_ns: number(told, "dueNs"),
        })
    }

    fn end(
        &mut self,
        how: &str,
        id: &str,
        call: Call,
        delivery: &Delivery,
        answer: impl Fn(&Value) -> Answer,
    ) -> bool {
        let body = json!({ "lease": delivery.token.to_string() });
        let told = self.ask(call, "POST", &format!("/{how}/{id}"), &body, |told| {
            if told["code"] == "not_held" { Answer::NotHeld } else { answer(told) }
        });
        told.is_some_and(|told| told["code"].is_null())
    }

    /// Asks, and notes what was told; nothing if it was not done, or nobody can say.
    fn ask(
        &mut self,
        call: Call,
        method: &str,
        path: &str,
        body: &Value,
        answer: impl Fn(&Value) -> Answer,
    ) -> Option<Value> {
        self.recorder.push(self.process, Event::Invoke(call));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let outcome = self.client.ask(method, path, &[], body.as_bytes());
        let told = told(outcome);
        let event = match &told {
            // That nothing came while the client waited says of no moment that nothing was there.
            Ok(Value::Null) => Event::Fail,
            Ok(told) => Event::Ok(answer(told)),
            Err(Untold::NotDone) => Event::Fail,
            Err(Untold::Unknown) => Event::Info,
        };
        let is_over = event == Event::Info;
        self.recorder.push(self.process, event);
        if is_over {
            self.process = self.recorder.process();
        }
        told.ok()
    }
}

/// Why there is nothing to tell.
enum Untold {
    NotDone,
    Unknown,
}

/// What was told; null for nothing to take.
fn told(outcome: Outcome) -> Result<Value, Untold> {
    match outcome {
        Ok(answer) => match answer.status {
            200 | 202 | 409 => Ok(answer.json()),
            204 => Ok(Value::Null),
            503 => Err(Untold::NotDone),
            504 => Err(Untold::Unknown),
            _ => panic!("an answer that makes no sense here: {}", answer.text()),
        },
        Err(NoAnswer::NotSent { .. }) => Err(Untold::NotDone),
        Err(NoAnswer::Lost { .. }) => Err(Untold::Unknown),
    }
}

fn delivery(task: &Value) -> Delivery {
    let token = task["lease"].as_str().and_then(|token| token.parse().ok()).unwrap();
    Delivery { task: task["payload"].as_str().unwrap().as_bytes().to_vec(), token }
}

fn taken(task: &Value) -> Taken {
    Taken {
        delivery: delivery(task),
        number: number(task, "id"),
        priority: task["priority"].as_u64().unwrap().try_into().unwrap(),
        failures: task["retries"].as_u64().unwrap(),
        due_ns: number(task, "dueNs"),
    }
}

/// A number that came as a text.
fn number(told: &Value, name: &str) -> u64 {
    told[name].as_str().and_then(|text| text.parse().ok()).unwrap()
}

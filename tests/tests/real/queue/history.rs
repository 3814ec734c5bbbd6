//! What producers and workers asked and were told, for the judge.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use check::{
    Process,
    queue::{Answer, Call, Delivery, Event, Promise, QueueHistory, judge},
};
use serde_json::{Value, json};

use crate::client::{Client, NoAnswer, Outcome};

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
        let promise = Promise { attempts_max: 0, is_drained: true };
        if let Some(breach) = judge(&history, promise) {
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
        });
        let call = Call::Put(name.as_bytes().to_vec());
        let told = self.ask(call, "POST", "/task", &task, |_| Answer::Accepted);
        if told.is_some() {
            self.recorder.accepted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes a task, within a second.
    pub(super) fn take(&mut self) -> Option<(String, Delivery)> {
        let taken = self.ask(Call::Take, "GET", "/dequeue?wait=1", &Value::Null, |task| {
            let deliveries = task.is_object().then(|| (delivery(task), stamp(task, "dueNs")));
            let stamp_ns = if task.is_object() { stamp(task, "clusterTimeNs") } else { 0 };
            Answer::Taken { stamp_ns, deliveries: deliveries.into_iter().collect() }
        })?;
        taken.is_object().then(|| (taken["id"].as_str().unwrap().to_owned(), delivery(&taken)))
    }

    /// True if the task is done now.
    pub(super) fn complete(&mut self, id: &str, delivery: &Delivery) -> bool {
        let call = Call::Complete(delivery.clone());
        self.end("complete", id, call, delivery, |told| Answer::Completed {
            stamp_ns: stamp(told, "clusterTimeNs"),
        })
    }

    pub(super) fn fail(&mut self, id: &str, delivery: &Delivery) -> bool {
        let call = Call::Fail(delivery.clone());
        self.end("fail", id, call, delivery, |told| Answer::Failed {
            is_dead: told["status"] == "failed",
        })
    }

    pub(super) fn extend(&mut self, id: &str, delivery: &Delivery) -> bool {
        let call = Call::Extend(delivery.clone());
        self.end("extend", id, call, delivery, |told| Answer::Extended {
            due_ns: stamp(told, "dueNs"),
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
            Ok(told) => Event::Ok(answer(told)),
            Err(event) => event.clone(),
        };
        let is_over = event == Event::Info;
        self.recorder.push(self.process, event);
        if is_over {
            self.process = self.recorder.process();
        }
        told.ok()
    }
}

/// What was told; null for nothing to take.
fn told(outcome: Outcome) -> Result<Value, Event> {
    match outcome {
        Ok(answer) => match answer.status {
            200 | 202 | 409 => Ok(answer.json()),
            204 => Ok(Value::Null),
            503 => Err(Event::Fail),
            504 => Err(Event::Info),
            _ => panic!("an answer that makes no sense here: {}", answer.text()),
        },
        Err(NoAnswer::NotSent { .. }) => Err(Event::Fail),
        Err(NoAnswer::Lost { .. }) => Err(Event::Info),
    }
}

fn delivery(task: &Value) -> Delivery {
    let token = task["lease"].as_str().and_then(|token| token.parse().ok()).unwrap();
    Delivery { task: task["payload"].as_str().unwrap().as_bytes().to_vec(), token }
}

fn stamp(told: &Value, name: &str) -> u64 {
    told[name].as_str().and_then(|text| text.parse().ok()).unwrap()
}

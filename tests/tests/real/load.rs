//! Clients that write and read through all nodes at once, and record all of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use check::{Answer, Call, EventKind, Process};
use kernel::Rng;
use serde_json::{Value, json};

use crate::{
    client::{self, Client, NoAnswer},
    cluster::wait_for,
    recorder::Recorder,
};

/// How long a client rests after an answer: enough load to be caught in the middle of something, and
/// histories that can be judged.
const REST: Duration = Duration::from_millis(3);
/// Keys are used for this long: a history of one key stays short.
const EPOCH: Duration = Duration::from_millis(1500);
/// How many keys are in use at once.
const KEYS: u64 = 5;
/// Keys that are in use all the time.
const LASTING_KEYS: u64 = 2;

/// Clients at work, until they are stopped.
#[derive(Debug)]
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Puts `count` clients to work on the nodes at `ports`.
    pub(crate) fn start(recorder: &Arc<Recorder>, ports: &[u16], count: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..count).map(|number| {
            let mut worker = Worker::new(recorder, ports, number);
            let stop = Arc::clone(&stop);
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    worker.work();
                    thread::sleep(REST);
                }
            })
        });
        Self { threads: threads.collect(), stop }
    }

    /// Waits until the clients have ended.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a client does not panic");
        }
    }
}

/// Waits until `count` more writes were acknowledged: the cluster is at work.
pub(crate) fn wait_for_writes(recorder: &Recorder, count: u64) {
    let wanted = recorder.writes() + count;
    wait_for("more acknowledged writes", || (recorder.writes() >= wanted).then_some(()));
}

/// Reads every key that the history knows, by a node each in turn, as part of the history: a write
/// that was lost is missed here.
pub(crate) fn read_everything(recorder: &Recorder, ports: &[u16]) {
    let mut clients: Vec<Client> = ports.iter().map(|port| Client::new(*port)).collect();
    let mut process = recorder.process();
    for (place, key) in recorder.keys().into_iter().enumerate() {
        let client = &mut clients[place % ports.len()];
        wait_for("an answer to a read", || {
            recorder.asks(process, &key, Call::Read);
            let told = told(&Call::Read, client.get(&format!("/kv/{key}")));
            let is_answered = matches!(told, EventKind::Ok(_));
            process = recorder.told(process, told);
            is_answered.then_some(())
        });
    }
}

/// One client, with a connection to each node.
struct Worker {
    recorder: Arc<Recorder>,
    clients: Vec<Client>,
    random: Rng,
    process: Process,
    start: Instant,
}

impl Worker {
    fn new(recorder: &Arc<Recorder>, ports: &[u16], number: u64) -> Self {
        let clients = ports.iter().map(|port| Client::new(*port).with_patience(PATIENCE));
        Self {
            clients: clients.collect(),
            random: Rng::new(number),
            process: recorder.process(),
            recorder: Arc::clone(recorder),
            start: Instant::now(),
        }
    }

    /// Asks one thing of one node.
    fn work(&mut self) {
        let key = self.key();
        let call = self.call();
        let place = usize::try_from(self.random.below(self.clients.len() as u64));
        let client = &mut self.clients[place.expect("there are few nodes")];
        self.recorder.asks(self.process, &key, call.clone());
        let outcome = match &call {
            Call::Read => client.get(&format!("/kv/{key}")),
            Call::Write(value) => client.post("/kv", &json!({ "key": key, "value": text(value) })),
            Call::CompareAndSet { expected, new } => {
                let expected = expected.as_deref().map(text);
                let body = json!({ "key": key, "value": text(new), "expect": expected });
                client.post("/kv", &body)
            }
            Call::Delete => client.delete(&format!("/kv/{key}")),
        };
        self.process = self.recorder.told(self.process, told(&call, outcome));
    }

    fn key(&mut self) -> String {
        let number = self.random.below(KEYS);
        if number < LASTING_KEYS {
            return format!("lasting-{number}");
        }
        let epoch = self.start.elapsed().as_millis() / EPOCH.as_millis();
        format!("epoch{epoch}-{number}")
    }

    fn call(&mut self) -> Call {
        match self.random.below(10) {
            0..4 => Call::Write(fresh_value()),
            4..5 => Call::CompareAndSet { expected: None, new: fresh_value() },
            5..6 => Call::Delete,
            _ => Call::Read,
        }
    }
}

/// Longer than a node lets a request wait.
const PATIENCE: Duration = Duration::from_secs(6);

/// A value that was never written before, by anybody.
fn fresh_value() -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("v{}", NEXT.fetch_add(1, Ordering::Relaxed)).into_bytes()
}

/// What an answer, or its absence, says about what happened.
fn told(call: &Call, outcome: client::Outcome) -> EventKind {
    let answer = match outcome {
        Ok(answer) => answer,
        // A read that got lost has done nothing.
        Err(NoAnswer::Lost { .. }) if *call != Call::Read => return EventKind::Info,
        Err(NoAnswer::Lost { .. } | NoAnswer::NotSent { .. }) => return EventKind::Fail,
    };
    match (call, answer.status) {
        (Call::Read, 200) => EventKind::Ok(Answer::Found(field(&answer.json(), "value"))),
        (Call::Read, 404) => EventKind::Ok(Answer::Found(None)),
        (Call::Write(_) | Call::CompareAndSet { .. }, 200) => EventKind::Ok(Answer::Written),
        (Call::Delete, 200) => {
            EventKind::Ok(Answer::Deleted(answer.json()["deleted"] == Value::Bool(true)))
        }
        // A mismatch tells the revision that was found and not the value, which the checker wants.
        (Call::CompareAndSet { .. }, 409) | (_, 503 | 507) => EventKind::Fail,
        (_, 504) if *call != Call::Read => EventKind::Info,
        _ => panic!("an answer that no client should get to {call:?}: {}", answer.text()),
    }
}

fn field(body: &Value, name: &str) -> Option<Vec<u8>> {
    body[name].as_str().map(|value| value.as_bytes().to_vec())
}

fn text(value: &[u8]) -> &str {
    std::str::from_utf8(value).expect("values are made here, of letters and digits")
}

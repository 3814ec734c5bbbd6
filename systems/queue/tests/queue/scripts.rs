//! Runs the scripts in `scripts/`. Each line goes to the state machine and to the model, and both must
//! answer the same; what they answer is the golden part. After a deliberate change run the test with
//! `UPDATE_GOLDENFILES=1` and read the difference.

use std::{error::Error, path::Path};

use bytes::Bytes;
use kernel::{EntryKind, Incarnation, NodeId};
use queue::{
    Claim, Command, Model, PRIORITY_HIGH, PRIORITY_LOW, PRIORITY_NORMAL, Put, Query, Retry,
    Settings, Sleepers, Standing, Start, Take, TaskId,
};

use crate::{shown::show, store::Store, words::connection};

/// Times are milliseconds. A claim is a token, or `c7` for connection 7. Several queues or types are joined
/// by commas.
#[derive(Debug, goldenscript::Command)]
enum Line {
    /// put QUEUE PAYLOAD, with what is special about it
    Put {
        queue: String,
        payload: String,
        #[arg(key)]
        kind: Option<String>,
        #[arg(key)]
        key: Option<String>,
        /// high, normal, low or a number
        #[arg(key)]
        priority: Option<String>,
        #[arg(key)]
        delay: Option<u64>,
        /// in cluster time
        #[arg(key)]
        at: Option<u64>,
        #[arg(key)]
        lease: Option<u64>,
        #[arg(key)]
        attempts: Option<u32>,
        #[arg(key, optional)]
        first: u64,
        #[arg(key, optional)]
        jitter: u8,
        #[arg(key)]
        live: Option<u64>,
    },
    /// take QUEUES [kinds=KINDS] [count=N] [lease=MS] [connection=N]
    Take {
        queues: String,
        #[arg(key)]
        kinds: Option<String>,
        #[arg(key)]
        count: Option<u32>,
        #[arg(key)]
        lease: Option<u64>,
        #[arg(key)]
        connection: Option<u64>,
    },
    /// take_one TASK [connection=N]
    TakeOne {
        task: u64,
        #[arg(key)]
        connection: Option<u64>,
    },
    /// complete TASK CLAIM [RESULT]
    Complete { task: u64, claim: String, result: Option<String> },
    /// fail TASK CLAIM [ERROR]
    Fail { task: u64, claim: String, error: Option<String> },
    /// extend TASK CLAIM [MS]
    Extend { task: u64, claim: String, lease: Option<u64> },
    /// release TASK CLAIM [priority=N] [delay=MS]
    Release {
        task: u64,
        claim: String,
        #[arg(key)]
        priority: Option<u32>,
        #[arg(key, optional)]
        delay: u64,
    },
    /// bury TASK CLAIM [priority=N] [error=TEXT]
    Bury {
        task: u64,
        claim: String,
        #[arg(key)]
        priority: Option<u32>,
        #[arg(key)]
        error: Option<String>,
    },
    /// delete TASK [CLAIM]
    Delete { task: u64, claim: Option<String> },
    /// kick QUEUE COUNT [buried|delayed]
    Kick { queue: String, count: u32, sleepers: Option<String> },
    /// kick_one TASK
    KickOne { task: u64 },
    /// purge QUEUE COUNT
    Purge { queue: String, count: u32 },
    /// let_go CONNECTION
    LetGo { connection: u64 },
    /// let_go_before INCARNATION, of node 1
    LetGoBefore { incarnation: u64 },
    /// configure QUEUE, with what is special about it; usual=true for nothing
    Configure {
        queue: String,
        #[arg(key, optional)]
        usual: bool,
        #[arg(key, optional)]
        length: u64,
        #[arg(key)]
        lease: Option<u64>,
        #[arg(key)]
        attempts: Option<u32>,
        #[arg(key, optional)]
        first: u64,
        #[arg(key)]
        retention: Option<u64>,
    },
    /// pause QUEUE [MS]
    Pause { queue: String, wait: Option<u64> },
    /// resume QUEUE
    Resume { queue: String },
    /// Shows a task.
    Task { task: u64 },
    /// first QUEUE ready|delayed|buried
    First { queue: String, standing: String },
    /// dead QUEUE [from=PLACE] [limit=N]
    Dead {
        queue: String,
        #[arg(key, optional)]
        from: u64,
        #[arg(key, optional)]
        limit: u32,
    },
    /// Shows a queue.
    Queue { queue: String },
    /// Shows the names of all queues.
    Queues,
    /// Shows what all queues count.
    Totals,
    /// held CONNECTION
    Held { connection: u64 },
    /// ready QUEUES [kinds=KINDS]
    Ready {
        queues: String,
        #[arg(key)]
        kinds: Option<String>,
    },
    /// wait MILLISECONDS; what is due by then happens at the next entry
    Pass { milliseconds: u64 },
    /// wait MILLISECONDS, then ticks: what is due by then happens
    Wait { milliseconds: u64 },
    /// Somebody new leads.
    Term,
    /// When the state machine wants a tick.
    Deadline,
    /// Carries all writes into the base.
    Flush,
}

struct Script {
    store: Store,
    model: Model,
}

type Parsed<T> = Result<T, Box<dyn Error>>;

impl goldenscript::Runner for Script {
    type Command = Line;

    fn run(&mut self, line: &Line, _context: &goldenscript::Context) -> Parsed<String> {
        let shown = match line {
            Line::Pass { milliseconds } => {
                self.store.wait_ms(*milliseconds);
                (self.model.now, self.model.wall_ms) = (self.store.now, self.store.wall_ms());
                return Ok(String::new());
            }
            Line::Wait { milliseconds } => {
                self.store.wait_ms(*milliseconds);
                (self.model.now, self.model.wall_ms) = (self.store.now, self.store.wall_ms());
                self.store.apply_entry(EntryKind::Tick, &[])?;
                self.store.tick();
                self.model.tick();
                return Ok(String::new());
            }
            Line::Term => {
                self.store.apply_entry(EntryKind::Noop, &[])?;
                self.model.begin_term();
                return Ok(String::new());
            }
            Line::Flush => {
                self.store.flush();
                return Ok(String::new());
            }
            Line::Deadline => match self.store.deadline() {
                Some(deadline) => format!("tick at {deadline}"),
                None => "no tick".to_owned(),
            },
            line => match query(line)? {
                Some(query) => self.query(&query),
                None => self.apply(&command(line)?),
            },
        };
        self.store.check();
        Ok(shown + "\n")
    }
}

impl Script {
    fn apply(&mut self, command: &Command) -> String {
        let answer = self.store.apply(command);
        assert_eq!(answer, self.model.apply(command), "the model agrees");
        show(&answer)
    }

    fn query(&self, query: &Query) -> String {
        let answer = self.store.query(query);
        assert_eq!(answer, self.model.query(query), "the model agrees");
        show(&answer)
    }
}

fn query(line: &Line) -> Parsed<Option<Query>> {
    Ok(Some(match line {
        Line::Task { task } => Query::Get { task: TaskId(*task) },
        Line::First { queue, standing } => {
            let standing = match standing.as_str() {
                "ready" => Standing::Ready,
                "delayed" => Standing::Delayed,
                "buried" => Standing::Buried,
                _ => return Err("a task is ready, delayed or buried".into()),
            };
            Query::First { queue: text(queue), standing }
        }
        Line::Dead { queue, from, limit } => {
            Query::Dead { queue: text(queue), from: *from, limit: *limit }
        }
        Line::Queue { queue } => Query::Queue { queue: text(queue) },
        Line::Queues => Query::Queues { after: None, limit: 0 },
        Line::Totals => Query::Totals,
        Line::Held { connection: number } => Query::Held { holder: connection(*number) },
        Line::Ready { queues, kinds } => {
            Query::Ready { queues: names(Some(queues)), kinds: names(kinds.as_ref()) }
        }
        _ => return Ok(None),
    }))
}

fn command(line: &Line) -> Parsed<Command> {
    Ok(match line {
        Line::Put { .. } => Command::Put(put(line)?),
        Line::Take { queues, kinds, count, lease, connection: number } => Command::Take(Take {
            queues: names(Some(queues)),
            kinds: names(kinds.as_ref()),
            count: count.unwrap_or(1),
            lease_ms: *lease,
            holder: number.map(connection),
        }),
        Line::TakeOne { task, connection: number } => {
            Command::TakeOne { task: TaskId(*task), lease_ms: None, holder: number.map(connection) }
        }
        Line::Delete { task, claim: by } => {
            let claim = by.as_deref().map(claim).transpose()?;
            Command::Delete { task: TaskId(*task), claim }
        }
        Line::Kick { queue, count, sleepers } => {
            let sleepers = match sleepers.as_deref() {
                None => Sleepers::Any,
                Some("buried") => Sleepers::Buried,
                Some("delayed") => Sleepers::Delayed,
                Some(_) => return Err("sleepers are buried or delayed".into()),
            };
            Command::Kick { queue: text(queue), sleepers, count: *count }
        }
        Line::KickOne { task } => Command::KickOne { task: TaskId(*task) },
        Line::Purge { queue, count } => Command::Purge { queue: text(queue), count: *count },
        Line::LetGo { connection: number } => Command::LetGo { holder: connection(*number) },
        Line::LetGoBefore { incarnation } => {
            Command::LetGoBefore { node: NodeId(1), incarnation: Incarnation(*incarnation) }
        }
        Line::Configure { queue, .. } => {
            Command::Configure { queue: text(queue), settings: settings(line) }
        }
        Line::Pause { queue, wait } => Command::Pause { queue: text(queue), for_ms: *wait },
        Line::Resume { queue } => Command::Resume { queue: text(queue) },
        held => command_of_holder(held)?,
    })
}

fn command_of_holder(line: &Line) -> Parsed<Command> {
    let said = |word: &Option<String>| text(word.as_deref().unwrap_or_default());
    Ok(match line {
        Line::Complete { task, claim: by, result } => {
            Command::Complete { task: TaskId(*task), claim: claim(by)?, result: said(result) }
        }
        Line::Fail { task, claim: by, error } => {
            Command::Fail { task: TaskId(*task), claim: claim(by)?, error: said(error) }
        }
        Line::Extend { task, claim: by, lease } => {
            Command::Extend { task: TaskId(*task), claim: claim(by)?, lease_ms: *lease }
        }
        Line::Release { task, claim: by, priority, delay } => Command::Release {
            task: TaskId(*task),
            claim: claim(by)?,
            priority: *priority,
            delay_ms: *delay,
        },
        Line::Bury { task, claim: by, priority, error } => Command::Bury {
            task: TaskId(*task),
            claim: claim(by)?,
            priority: *priority,
            error: said(error),
        },
        other => panic!("a line of whoever holds a task: {other:?}"),
    })
}

fn put(line: &Line) -> Parsed<Put> {
    let Line::Put {
        queue,
        payload,
        kind,
        key,
        priority,
        delay,
        at,
        lease,
        attempts,
        first,
        jitter,
        live,
    } = line
    else {
        panic!("a put: {line:?}");
    };
    let start = match (delay, at) {
        (None, None) => Start::AtOnce,
        (Some(delay_ms), None) => Start::AfterMs(*delay_ms),
        (None, Some(at)) => Start::At(kernel::Stamp(at * 1_000_000)),
        _ => return Err("a task starts after a delay or at a moment".into()),
    };
    let priority = match priority.as_deref() {
        None | Some("normal") => PRIORITY_NORMAL,
        Some("high") => PRIORITY_HIGH,
        Some("low") => PRIORITY_LOW,
        Some(number) => number.parse()?,
    };
    Ok(Put {
        queue: text(queue),
        kind: text(kind.as_deref().unwrap_or_default()),
        key: key.as_deref().map(text),
        payload: text(payload),
        priority,
        start,
        lease_ms: *lease,
        retry: attempts.map(|attempts| retry(attempts, *first, *jitter)),
        live_ms: *live,
    })
}

fn settings(line: &Line) -> Option<Settings> {
    let Line::Configure { usual, length, lease, attempts, first, retention, .. } = line else {
        panic!("settings: {line:?}");
    };
    let default = Settings::default();
    (!usual).then(|| Settings {
        length_max: *length,
        lease_ms: lease.unwrap_or(default.lease_ms),
        retry: attempts.map_or(default.retry, |attempts| retry(attempts, *first, 0)),
        retention_ms: retention.unwrap_or(default.retention_ms),
    })
}

const fn retry(attempts_max: u32, first_ms: u64, jitter_percent: u8) -> Retry {
    Retry { attempts_max, first_ms, limit_ms: 1000, jitter_percent }
}

fn claim(word: &str) -> Parsed<Claim> {
    match word.strip_prefix('c') {
        Some(number) => Ok(Claim::Holder(connection(number.parse()?))),
        None => Ok(Claim::Token(word.parse()?)),
    }
}

fn names(words: Option<&String>) -> Vec<Bytes> {
    words.map_or_else(Vec::new, |words| words.split(',').map(text).collect())
}

fn text(word: &str) -> Bytes {
    Bytes::copy_from_slice(word.as_bytes())
}

#[test]
fn every_script_says_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let mut scripts: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of scripts")
        .map(|file| file.expect("a script").path())
        .collect();
    scripts.sort();
    assert!(!scripts.is_empty(), "there are scripts");
    for script in scripts {
        println!("{}", script.display());
        let store = Store::new();
        let model = Model { wall_ms: store.wall_ms(), ..Model::default() };
        let mut runner = Script { store, model };
        goldenscript::run(&mut runner, &script).expect("a script can be run");
    }
}

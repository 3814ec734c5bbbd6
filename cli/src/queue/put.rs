//! `archipel queue put`.

use std::io::{BufRead, Read};

use clap::Args;
use serde_json::{Map, Value};

use crate::{
    client::{Cluster, ClusterOptions, Request, session_headers},
    exit::{Exit, Failure, Outcome},
};

/// Puts a task, and says under which number.
///
/// The payload is JSON if it reads as JSON, and else a text.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel queue put '{\"to\": \"ada@example.org\"}' --type email
  archipel queue put report.pdf --queue print --priority high --max-retries 5
  archipel queue put backup --delay-ms 3600000 --key nightly
  ls *.png | archipel queue put --lines - --queue thumbnails")]
pub(crate) struct PutOptions {
    /// The payload; - reads it from standard input.
    payload: String,
    /// With - as payload: each line is a task of its own.
    #[arg(long)]
    lines: bool,
    /// The queue.
    #[arg(long, value_name = "NAME", default_value = "default")]
    queue: String,
    /// The type, for workers that take only some.
    #[arg(long = "type", value_name = "TYPE", default_value = "task")]
    kind: String,
    /// high, normal, low, or a number, of which the lowest is served first.
    #[arg(long, value_name = "PRIORITY")]
    priority: Option<String>,
    /// Wait so many milliseconds before it is ready.
    #[arg(long, value_name = "MS", conflicts_with = "execute_at")]
    delay_ms: Option<u64>,
    /// Wait until this time of day, in milliseconds since 1970.
    #[arg(long, value_name = "MS")]
    execute_at: Option<u64>,
    /// How long a worker may take before somebody else gets the task, unless it says that it goes on.
    #[arg(long, value_name = "MS")]
    lease_ms: Option<u64>,
    /// After how long it is of no use any more.
    #[arg(long, value_name = "MS")]
    ttl_ms: Option<u64>,
    /// How many attempts there are.
    #[arg(long, value_name = "COUNT")]
    max_retries: Option<u64>,
    /// A name: while a task of this name is known in the queue, no other is put.
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    #[command(flatten)]
    cluster: ClusterOptions,
}

pub(super) async fn run(options: &PutOptions) -> Outcome {
    let cluster = options.cluster.cluster()?;
    if !options.lines {
        let payload = if options.payload == "-" { from_stdin()? } else { options.payload.clone() };
        return put(options, &cluster, &payload).await;
    }
    if options.payload != "-" {
        return Err(Failure::usage(
            "With --lines the payload is -: the lines come from standard input.",
        ));
    }
    for line in std::io::stdin().lock().lines() {
        put(options, &cluster, &line.map_err(|error| unreadable(&error))?).await?;
    }
    Ok(Exit::Done)
}

async fn put(options: &PutOptions, cluster: &Cluster, payload: &str) -> Outcome {
    let (headers, body) = (session_headers(), task(options, payload).to_string());
    let request = Request { method: "POST", path: "/task", headers: &headers, body: &body };
    let reply = cluster.ask(&request).await?.done()?;
    let id = reply.body["taskId"].as_str().unwrap_or_default();
    if options.cluster.json {
        println!("{}", reply.body);
    } else if reply.body["duplicate"] == true {
        println!("Task {id} was put before under this key; there is no new one.");
    } else {
        println!("Task {id} is in the queue {}.", options.queue);
    }
    Ok(Exit::Done)
}

/// The task in JSON, with no more than was said.
fn task(options: &PutOptions, payload: &str) -> Value {
    let mut task = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            task.insert(name.to_owned(), value);
        }
    };
    set("queue", Some(options.queue.as_str().into()));
    set("type", Some(options.kind.as_str().into()));
    set("payload", Some(serde_json::from_str(payload).unwrap_or_else(|_| payload.into())));
    set("priority", options.priority.as_deref().map(priority));
    set("delayMs", options.delay_ms.map(Value::from));
    set("executeAt", options.execute_at.map(Value::from));
    set("leaseMs", options.lease_ms.map(Value::from));
    set("ttlMs", options.ttl_ms.map(Value::from));
    set("maxRetries", options.max_retries.map(Value::from));
    set("key", options.key.as_deref().map(Value::from));
    Value::Object(task)
}

fn priority(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| text.into(), Value::from)
}

fn from_stdin() -> Outcome<String> {
    let mut payload = String::new();
    std::io::stdin().read_to_string(&mut payload).map_err(|error| unreadable(&error))?;
    Ok(payload)
}

fn unreadable(error: &std::io::Error) -> Failure {
    Failure::usage(format!("The payload cannot be read from standard input: {error}."))
}

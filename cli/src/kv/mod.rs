//! `archipel kv`: read and write keys from a shell.

mod delete;
mod get;
mod list;
mod put;

use clap::Subcommand;
use serde_json::Value;

use crate::{
    client::Reply,
    exit::{Exit, Outcome},
};

/// Read and write keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KvCommand {
    /// Write a key.
    Put(put::PutOptions),
    /// Read a key.
    Get(get::GetOptions),
    /// Remove a key.
    Delete(delete::DeleteOptions),
    /// List keys and values.
    List(list::ListOptions),
}

/// Carries out a command on keys.
pub(crate) async fn run(command: &KvCommand) -> Outcome {
    match command {
        KvCommand::Put(options) => put::run(options).await,
        KvCommand::Get(options) => get::run(options).await,
        KvCommand::Delete(options) => delete::run(options).await,
        KvCommand::List(options) => list::run(options).await,
    }
}

/// `expect` in JSON from the options of a careful write.
fn expectation(absent: bool, value: Option<&String>, revision: Option<u64>) -> Option<Value> {
    if absent {
        return Some(Value::Null);
    }
    if let Some(value) = value {
        return Some(Value::from(value.as_str()));
    }
    revision.map(|revision| serde_json::json!({ "revision": revision }))
}

/// Prints the reply's body, its status aside, as JSON.
fn print_json(reply: &Reply) -> Exit {
    let mut body = reply.body.clone();
    if let (Some(object), Some(revision)) = (body.as_object_mut(), reply.revision) {
        object.insert("revision".to_owned(), Value::from(revision));
    }
    println!("{body}");
    match reply.status {
        200 => Exit::Done,
        _ => Exit::Missing,
    }
}

/// True if the reply says that a key is missing or not as expected: an answer, not an accident.
fn is_answer(reply: &Reply) -> bool {
    reply.status == 200 || reply.status == 404 || reply.body["code"] == "mismatch"
}

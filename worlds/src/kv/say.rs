//! Commands of the store, for people.

use kernel::{Bytes, Wire};
use kv::{Command, Expect, Keys, Operation, Transaction};
use raft::print;

use crate::trace::without_padding;

/// `key1=17.`, `key1=17.(if 12.)`, `delete(key1)`
pub(super) fn say_command(data: &[u8]) -> String {
    let command = Command::from_bytes(Bytes::copy_from_slice(data));
    command.map_or_else(|_| print::label(data), |command| say_known_command(&command))
}

fn say_known_command(command: &Command) -> String {
    match command {
        Command::Put { key, value, expect } => {
            format!("{}={}{}", shorten(key), shorten(value), say_expectation(expect))
        }
        Command::Delete { key, expect } => {
            format!("delete({}){}", shorten(key), say_expectation(expect))
        }
        Command::Do(transaction) => say_transaction(transaction),
        Command::Compact { revision } => format!("compact({revision})"),
        Command::Grant { lease, seconds } => format!("grant({} {seconds}s)", lease.0),
        Command::Revoke { lease } => format!("revoke({})", lease.0),
        Command::KeepAlive { lease } => format!("keep_alive({})", lease.0),
        Command::TimeLeft { lease, .. } => format!("time_left({})", lease.0),
        Command::As { caller, command } => {
            format!("{}: {}", caller.user, say_known_command(command))
        }
        Command::Auth(change) => format!("{change:?}"),
        Command::Raise(alarm) => format!("raise({:?} of {})", alarm.kind, alarm.member),
        Command::Disarm(alarm) => format!("disarm({:?} of {})", alarm.kind, alarm.member),
    }
}

/// `[key1=17. delete(key2..) get(key3) if 2]`
fn say_transaction(transaction: &Transaction) -> String {
    let say = |operation: &Operation| match operation {
        Operation::Range(range) => format!("get({})", say_keys(&range.keys)),
        Operation::Put(put) => format!("{}={}", shorten(&put.key), shorten(&put.value)),
        Operation::Delete(delete) => format!("delete({})", say_keys(&delete.keys)),
        Operation::Transaction(inner) => say_transaction(inner),
    };
    let operations: Vec<String> = transaction.success.iter().map(say).collect();
    let conditions = match transaction.comparisons.len() {
        0 => String::new(),
        count => format!(" if {count}"),
    };
    format!("[{}{conditions}]", operations.join(" "))
}

fn say_keys(keys: &Keys) -> String {
    let rest = if matches!(keys, Keys::One(_)) { "" } else { ".." };
    shorten(keys.first()) + rest
}

fn say_expectation(expect: &Expect) -> String {
    match expect {
        Expect::Any => String::new(),
        Expect::Absent => "(if absent)".into(),
        Expect::Value(value) => format!("(if {})", shorten(value)),
        Expect::Revision(revision) => format!("(if revision {revision})"),
    }
}

/// Bytes as text; of a heavy value, what it begins with and how heavy it is.
fn shorten(bytes: &[u8]) -> String {
    let text = without_padding(&String::from_utf8_lossy(bytes));
    if bytes.len() < 64 { text } else { format!("{text}({} bytes)", bytes.len()) }
}

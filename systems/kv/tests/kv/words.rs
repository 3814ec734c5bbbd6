//! The small language in which scripts say keys and transactions.
//!
//! ```text
//! comparison   version|created|modified|lease|value  KEY[..END]  =|!=|<|>  WORD
//! operation    put KEY VALUE [LEASE] | keep KEY (its value) | get KEY[..END] | delete KEY[..END]
//! ```

use std::error::Error;

use bytes::Bytes;
use kv::{Comparison, Delete, Keys, LeaseId, Operation, Put, Range, Relation, Target, Transaction};

type Parsed<T> = Result<T, Box<dyn Error>>;

/// The bytes of a word; `x*5` is five times x.
pub(crate) fn text(word: &str) -> Parsed<Bytes> {
    match word.split_once('*') {
        Some((piece, count)) if !count.is_empty() => Ok(piece.repeat(count.parse()?).into()),
        _ => Ok(Bytes::copy_from_slice(word.as_bytes())),
    }
}

/// A key, or those from the first to before the end; `rest` is no end.
pub(crate) fn keys(first: &str, end: Option<&str>) -> Parsed<Keys> {
    Ok(match end {
        None => Keys::One(text(first)?),
        Some("rest") => Keys::From(text(first)?),
        Some(end) => Keys::Range(text(first)?, text(end)?),
    })
}

/// A transaction: comparisons, operations if they hold, operations if they do not.
pub(crate) fn transaction([comparisons, success, failure]: [&str; 3]) -> Parsed<Transaction> {
    Ok(Transaction {
        comparisons: parts(comparisons).map(comparison).collect::<Parsed<_>>()?,
        success: parts(success).map(operation).collect::<Parsed<_>>()?,
        failure: parts(failure).map(operation).collect::<Parsed<_>>()?,
    })
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty())
}

fn some_keys(word: &str) -> Parsed<Keys> {
    match word.split_once("..") {
        Some((first, end)) => keys(first, Some(end)),
        None => keys(word, None),
    }
}

fn comparison(part: &str) -> Parsed<Comparison> {
    let words: Vec<&str> = part.split_whitespace().collect();
    let [target, keys, relation, said] = words[..] else {
        return Err(format!("a comparison is target, keys, relation and word: {part:?}").into());
    };
    let target = match target {
        "version" => Target::Version(said.parse()?),
        "created" => Target::Created(said.parse()?),
        "modified" => Target::Modified(said.parse()?),
        "lease" => Target::Lease(said.parse()?),
        "value" => Target::Value(text(said)?),
        _ => return Err(format!("nothing to compare: {target:?}").into()),
    };
    let relation = match relation {
        "=" => Relation::Equal,
        "!=" => Relation::NotEqual,
        "<" => Relation::Less,
        ">" => Relation::Greater,
        _ => return Err(format!("no relation: {relation:?}").into()),
    };
    Ok(Comparison { keys: some_keys(keys)?, relation, target })
}

fn operation(part: &str) -> Parsed<Operation> {
    let words: Vec<&str> = part.split_whitespace().collect();
    Ok(match words[..] {
        ["put", key, value] => put(key, value, LeaseId::NONE, false)?,
        ["put", key, value, lease] => put(key, value, LeaseId(lease.parse()?), false)?,
        ["keep", key] => put(key, "", LeaseId::NONE, true)?,
        ["get", keys] => Operation::Range(Range::of(some_keys(keys)?)),
        ["delete", keys] => Operation::Delete(Delete { keys: some_keys(keys)?, previous: true }),
        _ => return Err(format!("no operation: {part:?}").into()),
    })
}

fn put(key: &str, value: &str, lease: LeaseId, keep_value: bool) -> Parsed<Operation> {
    let (key, value) = (text(key)?, text(value)?);
    Ok(Operation::Put(Put { key, value, lease, previous: true, keep_value, keep_lease: false }))
}

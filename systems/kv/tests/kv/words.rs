//! The small language in which scripts say keys, transactions, and changes of users and roles.
//!
//! ```text
//! comparison   version|created|modified|lease|value  KEY[..END]  =|!=|<|>  WORD
//! operation    put KEY VALUE [LEASE] | keep KEY (its value) | get KEY[..END] | delete KEY[..END]
//! change       enable | disable | add_user NAME [none] (no password) | delete_user NAME | set_password NAME
//!              grant USER ROLE | revoke USER ROLE | add_role NAME | delete_role NAME
//!              permit ROLE read|write|both KEY[..END] | forbid ROLE KEY[..END]
//! ```

use std::error::Error;

use bytes::Bytes;
use kv::{
    Access, Alarm, AlarmKind, Command, Comparison, Delete, Keys, LeaseId, Operation, Permission,
    Put, Query, Range, Relation, Target, Transaction, User, auth::Change,
};

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
        ["keep", key, lease] => put(key, "", LeaseId(lease.parse()?), true)?,
        ["get", keys] => Operation::Range(Range::of(some_keys(keys)?)),
        ["delete", keys] => Operation::Delete(Delete { keys: some_keys(keys)?, previous: true }),
        _ => return Err(format!("no operation: {part:?}").into()),
    })
}

fn put(key: &str, value: &str, lease: LeaseId, keep_value: bool) -> Parsed<Operation> {
    let (key, value) = (text(key)?, text(value)?);
    Ok(Operation::Put(Put { key, value, lease, previous: true, keep_value, keep_lease: false }))
}

/// A change of users and roles.
pub(crate) fn change(words: &[String]) -> Parsed<Change> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Ok(match words[..] {
        ["enable"] => Change::Enable { key: Bytes::from("key") },
        ["disable"] => Change::Disable,
        ["add_user", name] => Change::AddUser { name: name.into(), user: with_password(true) },
        ["add_user", name, "none"] => {
            Change::AddUser { name: name.into(), user: with_password(false) }
        }
        ["delete_user", name] => Change::DeleteUser { name: name.into() },
        ["set_password", name] => {
            Change::SetPassword { name: name.into(), password: Bytes::from("other hash") }
        }
        ["grant", user, role] => Change::GrantRole { user: user.into(), role: role.into() },
        ["revoke", user, role] => Change::RevokeRole { user: user.into(), role: role.into() },
        ["add_role", name] => Change::AddRole { name: name.into() },
        ["delete_role", name] => Change::DeleteRole { name: name.into() },
        ["permit", role, access, keys] => {
            let permission = Permission { keys: some_keys(keys)?, access: self::access(access)? };
            Change::Permit { role: role.into(), permission }
        }
        ["forbid", role, keys] => Change::Forbid { role: role.into(), keys: some_keys(keys)? },
        _ => return Err(format!("no change of users or roles: {words:?}").into()),
    })
}

fn with_password(has_one: bool) -> User {
    User { no_password: !has_one, password: Bytes::from("hash"), roles: vec![] }
}

fn access(word: &str) -> Parsed<Access> {
    match word {
        "read" => Ok(Access::Read),
        "write" => Ok(Access::Write),
        "both" => Ok(Access::ReadWrite),
        _ => Err(format!("an access is read, write or both: {word:?}").into()),
    }
}

/// What a script may ask to be shown.
pub(crate) fn question(what: &str, name: Option<&str>) -> Parsed<Query> {
    Ok(match (what, name) {
        ("users", None) => Query::Users,
        ("roles", None) => Query::Roles,
        ("roles", Some(user)) => Query::RolesOf { user: user.into() },
        ("permissions", Some(role)) => Query::Permissions { role: role.into() },
        ("standing", None) => Query::Standing,
        ("alarms", None) => Query::Alarms,
        ("admin", None) => Query::Admin,
        ("watch", Some(keys)) => Query::Watch(some_keys(keys)?),
        _ => return Err(format!("nothing to show: {what:?}").into()),
    })
}

/// A command about an alarm.
pub(crate) fn alarm(what: &str, kind: &str, member: u64) -> Parsed<Command> {
    let kind = match kind {
        "no_space" => AlarmKind::NoSpace,
        "corrupt" => AlarmKind::Corrupt,
        _ => return Err(format!("an alarm is no_space or corrupt: {kind:?}").into()),
    };
    match what {
        "raise" => Ok(Command::Raise(Alarm { kind, member })),
        "disarm" => Ok(Command::Disarm(Alarm { kind, member })),
        _ => Err(format!("an alarm is raised or disarmed: {what:?}").into()),
    }
}

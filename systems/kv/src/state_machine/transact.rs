//! Transactions. Which branches are taken, and whether all of them can be, is found out before anything
//! is changed.

use alloc::vec::Vec;
use core::cmp::Ordering;

use kernel::{Fault, Tables};

use crate::{
    answer::Answer,
    failure::Failure,
    range,
    reply::{Replies, Reply, ReplyKind},
    store::{Head, View, items, leases},
    transaction::{Comparison, Delete, Operation, Put, Relation, Target, Transaction},
    write::Write,
};

/// Does what the transaction says, or nothing.
pub(super) fn transact(transaction: &Transaction, tables: &mut Tables) -> Result<Answer, Fault> {
    if let Err(failure) = transaction.check() {
        return Ok(Answer::Failed(failure));
    }
    let path = find_path(tables, transaction)?;
    if let Some(failure) = refuse(tables, transaction, &path)? {
        return Ok(Answer::Failed(failure));
    }
    let mut write = Write::begin(tables)?;
    let replies = carry_out(&mut write, transaction, &mut path.iter())?;
    let revision = write.end()?;
    Ok(Answer::Done { revision, replies })
}

/// The answer to a transaction that writes nothing.
pub(crate) fn look(view: &impl View, transaction: &Transaction) -> Result<Answer, Fault> {
    if let Err(failure) = transaction.check() {
        return Ok(Answer::Failed(failure));
    }
    let path = find_path(view, transaction)?;
    if let Some(failure) = refuse(view, transaction, &path)? {
        return Ok(Answer::Failed(failure));
    }
    let revision = crate::store::revision(view)?;
    let replies = look_along(view, transaction, &mut path.iter(), revision)?;
    Ok(Answer::Done { revision, replies })
}

/// Whether each transaction that will be done succeeds: itself first, then those that lie in it.
fn find_path(view: &impl View, transaction: &Transaction) -> Result<Vec<bool>, Fault> {
    let mut path = Vec::new();
    extend_path(view, transaction, &mut path)?;
    Ok(path)
}

fn extend_path(
    view: &impl View,
    transaction: &Transaction,
    path: &mut Vec<bool>,
) -> Result<(), Fault> {
    let mut holds = true;
    for comparison in &transaction.comparisons {
        holds = holds && is_met(view, comparison)?;
    }
    path.push(holds);
    for operation in branch(transaction, holds) {
        if let Operation::Transaction(inner) = operation {
            extend_path(view, inner, path)?;
        }
    }
    Ok(())
}

fn branch(transaction: &Transaction, succeeds: bool) -> &[Operation] {
    if succeeds { &transaction.success } else { &transaction.failure }
}

type Path<'a> = core::slice::Iter<'a, bool>;

fn next(path: &mut Path<'_>) -> bool {
    *path.next().expect("a path leads through all transactions")
}

/// Why the transaction cannot be done. As in etcd, what it puts is looked at first.
fn refuse(
    view: &impl View,
    transaction: &Transaction,
    path: &[bool],
) -> Result<Option<Failure>, Fault> {
    let put = first_failure(transaction, &mut path.iter(), &|operation| match operation {
        Operation::Put(put) => refuse_put(view, put),
        _ => Ok(None),
    })?;
    if put.is_some() {
        return Ok(put);
    }
    first_failure(transaction, &mut path.iter(), &|operation| match operation {
        Operation::Range(range) => range::check_revision(view, range),
        _ => Ok(None),
    })
}

type Look<'a> = dyn Fn(&Operation) -> Result<Option<Failure>, Fault> + 'a;

/// Looks at all that will be done.
fn first_failure(
    transaction: &Transaction,
    path: &mut Path<'_>,
    look: &Look<'_>,
) -> Result<Option<Failure>, Fault> {
    for operation in branch(transaction, next(path)) {
        let failure = match operation {
            Operation::Transaction(inner) => first_failure(inner, path, look)?,
            other => look(other)?,
        };
        if failure.is_some() {
            return Ok(failure);
        }
    }
    Ok(None)
}

/// As in a transaction of etcd, the key is looked for before the lease.
fn refuse_put(view: &impl View, put: &Put) -> Result<Option<Failure>, Fault> {
    if (put.keep_value || put.keep_lease) && items::head(view, &put.key)?.is_none() {
        return Ok(Some(Failure::KeyNotFound));
    }
    let lacks_lease = put.lease.is_some() && leases::find(view, put.lease)?.is_none();
    Ok(lacks_lease.then_some(Failure::LeaseNotFound))
}

fn carry_out(
    write: &mut Write<'_>,
    transaction: &Transaction,
    path: &mut Path<'_>,
) -> Result<Replies, Fault> {
    let succeeded = next(path);
    let mut replies = Vec::new();
    for operation in branch(transaction, succeeded) {
        let kind = match operation {
            Operation::Range(range) => ReplyKind::Range(range::read(write.tables, range)?),
            Operation::Put(put) => carry_out_put(write, put)?,
            Operation::Delete(delete) => carry_out_delete(write, delete)?,
            Operation::Transaction(inner) => ReplyKind::Transaction(carry_out(write, inner, path)?),
        };
        replies.push(Reply { revision: write.revision(), kind });
    }
    Ok(Replies { succeeded, replies })
}

fn carry_out_put(write: &mut Write<'_>, put: &Put) -> Result<ReplyKind, Fault> {
    let present = items::head(write.tables, &put.key)?;
    let before = match present.filter(|_| put.previous || put.keep_value) {
        Some(head) => Some((head, head.value(write.tables)?)),
        None => None,
    };
    let kept = before.as_ref().filter(|_| put.keep_value);
    let value = kept.map_or(&put.value, |(_, value)| value);
    let lease = present.filter(|_| put.keep_lease).map_or(put.lease, |head| head.lease);
    write.put(&put.key, value, lease, present)?;
    let shown = before.filter(|_| put.previous);
    Ok(ReplyKind::Put(shown.map(|(head, value)| head.item(put.key.clone(), value))))
}

fn carry_out_delete(write: &mut Write<'_>, delete: &Delete) -> Result<ReplyKind, Fault> {
    let mut present = Vec::new();
    range::each_head(write.tables, &delete.keys, |key, head| present.push((key, head)))?;
    let mut previous = Vec::new();
    for (key, head) in &present {
        if delete.previous {
            previous.push(head.item(key.clone(), head.value(write.tables)?));
        }
        write.delete(key, *head)?;
    }
    Ok(ReplyKind::Deleted { count: present.len() as u64, previous })
}

fn look_along(
    view: &impl View,
    transaction: &Transaction,
    path: &mut Path<'_>,
    revision: u64,
) -> Result<Replies, Fault> {
    let succeeded = next(path);
    let mut replies = Vec::new();
    for operation in branch(transaction, succeeded) {
        let kind = match operation {
            Operation::Range(range) => ReplyKind::Range(range::read(view, range)?),
            Operation::Transaction(inner) => {
                ReplyKind::Transaction(look_along(view, inner, path, revision)?)
            }
            Operation::Put(_) | Operation::Delete(_) => panic!("a transaction that only reads"),
        };
        replies.push(Reply { revision, kind });
    }
    Ok(Replies { succeeded, replies })
}

/// True if the comparison holds for each of its keys that is there; for a key of zeros if none is.
fn is_met(view: &impl View, comparison: &Comparison) -> Result<bool, Fault> {
    let mut present = Vec::new();
    range::each_head(view, &comparison.keys, |_, head| present.push(head))?;
    if present.is_empty() {
        return is_met_by(view, comparison, None);
    }
    for head in present {
        if !is_met_by(view, comparison, Some(head))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_met_by(view: &impl View, comparison: &Comparison, item: Option<Head>) -> Result<bool, Fault> {
    Ok(relation_to(view, comparison, item)?.is_some_and(|order| holds(comparison, order)))
}

/// How what is there is to what is said; nothing if there is no value to compare.
fn relation_to(
    view: &impl View,
    comparison: &Comparison,
    item: Option<Head>,
) -> Result<Option<Ordering>, Fault> {
    let number = |of: fn(&Head) -> u64| item.as_ref().map_or(0, of).cast_signed();
    Ok(Some(match &comparison.target {
        Target::Version(said) => number(|head| head.version).cmp(said),
        Target::Created(said) => number(|head| head.created).cmp(said),
        Target::Modified(said) => number(|head| head.modified).cmp(said),
        Target::Lease(said) => item.map_or(0, |head| head.lease.0).cmp(said),
        Target::Value(said) => match item {
            Some(head) => head.value(view)?.cmp(said),
            None => return Ok(None),
        },
    }))
}

fn holds(comparison: &Comparison, order: Ordering) -> bool {
    match comparison.relation {
        Relation::Equal => order.is_eq(),
        Relation::Greater => order.is_gt(),
        Relation::Less => order.is_lt(),
        Relation::NotEqual => order.is_ne(),
    }
}

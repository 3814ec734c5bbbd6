//! [`Need`]: what a command or a query needs its caller to be allowed.

use alloc::{vec, vec::Vec};

use crate::{
    command::{Command, Expect},
    item::LeaseId,
    keys::Keys,
    query::Query,
    transaction::{Operation, Put, Transaction},
};

/// What the caller must be, or be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Need<'a> {
    /// Somebody.
    Known,
    /// Somebody with the role root.
    Admin,
    /// This user, or an admin.
    User(&'a str),
    /// A user with this role, or an admin.
    Member(&'a str),
    /// To read these keys.
    Read(Keys),
    /// To write these keys.
    Write(Keys),
    /// To write all keys that go with a lease.
    WriteLeased(LeaseId),
    /// To read all keys that go with a lease.
    ReadLeased(LeaseId),
    /// To read all keys that go with any lease.
    ReadAllLeased,
}

/// What a command needs. An alarm or a compaction without a caller is a member's own.
pub(super) fn of_command(command: &Command, is_called: bool) -> Vec<Need<'_>> {
    match command {
        Command::Put { key, expect, .. } | Command::Delete { key, expect } => {
            let keys = Keys::One(key.clone());
            let looks = *expect != Expect::Any;
            let read = looks.then(|| Need::Read(keys.clone()));
            [Need::Write(keys)].into_iter().chain(read).collect()
        }
        Command::Do(transaction) => of_transaction(transaction),
        Command::Grant { .. } => vec![Need::Known],
        Command::Revoke { lease } | Command::KeepAlive { lease } => {
            vec![Need::Known, Need::WriteLeased(*lease)]
        }
        Command::TimeLeft { lease, with_keys: true } => {
            vec![Need::Known, Need::ReadLeased(*lease)]
        }
        Command::TimeLeft { with_keys: false, .. } => vec![Need::Known],
        Command::Auth(_) => vec![Need::Admin],
        Command::Compact { .. } | Command::Raise(_) | Command::Disarm(_) if is_called => {
            vec![Need::Admin]
        }
        Command::Compact { .. } | Command::Raise(_) | Command::Disarm(_) => vec![],
        Command::As { command, .. } => of_command(command, true),
    }
}

/// What a query needs.
pub(super) fn of_query(query: &Query) -> Vec<Need<'_>> {
    match query {
        Query::Get { key } => vec![Need::Read(Keys::One(key.clone()))],
        Query::List { prefix, .. } => vec![Need::Read(Keys::with_prefix(prefix.clone()))],
        Query::Range(range) => vec![Need::Read(range.keys.clone())],
        Query::Look(transaction) => of_transaction(transaction),
        Query::Leases => vec![Need::Known, Need::ReadAllLeased],
        Query::Watch(keys) => vec![Need::Read(keys.clone())],
        Query::Users | Query::Roles | Query::Standing => vec![Need::Admin],
        Query::RolesOf { user } => vec![Need::User(user)],
        Query::Permissions { role } => vec![Need::Member(role)],
        Query::Alarms => vec![Need::Known],
        Query::Admin => vec![Need::Admin],
        Query::As { query, .. } => of_query(query),
    }
}

/// Both branches count, whichever is done.
fn of_transaction(transaction: &Transaction) -> Vec<Need<'_>> {
    let mut needs = Vec::new();
    add_transaction(transaction, &mut needs);
    needs
}

fn add_transaction(transaction: &Transaction, needs: &mut Vec<Need<'_>>) {
    let compared = transaction.comparisons.iter();
    needs.extend(compared.map(|comparison| Need::Read(comparison.keys.clone())));
    for operation in transaction.success.iter().chain(&transaction.failure) {
        match operation {
            Operation::Range(range) => needs.push(Need::Read(range.keys.clone())),
            Operation::Put(put) => add_put(put, needs),
            Operation::Delete(delete) => {
                needs.push(Need::Write(delete.keys.clone()));
                if delete.previous {
                    needs.push(Need::Read(delete.keys.clone()));
                }
            }
            Operation::Transaction(inner) => add_transaction(inner, needs),
        }
    }
}

/// Who may not write the keys that go with a lease could not end it, and must not add to them.
fn add_put(put: &Put, needs: &mut Vec<Need<'_>>) {
    needs.push(Need::Write(Keys::One(put.key.clone())));
    if put.lease.is_some() {
        needs.push(Need::WriteLeased(put.lease));
    }
    if put.previous {
        needs.push(Need::Read(Keys::One(put.key.clone())));
    }
}

//! All that a store holds at one moment, piece by piece: what etcd would have in its own file.
//!
//! What a compaction has given up is not part of it, whether its rows are still there or not.

use alloc::{string::String, vec::Vec};

use kernel::{Fault, Reading};

use crate::{
    auth::{Permission, User},
    item::{Item, LeaseId},
    store::{
        self, CHANGES, Change, LEASES, changes, leases,
        users::{self, ROLES, USERS},
    },
};

/// What a change of a key left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The revision of the change.
    pub revision: u64,
    /// Its place among the changes of that revision.
    pub place: u32,
    /// The item, or the key alone if it was deleted.
    pub item: Result<Item, bytes::Bytes>,
}

/// Goes through what all changes left, in their order: up to the compacted revision what was still there then, all
/// that changed later, and what was there when it did.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read, or what `take` says.
pub fn each_change<E: From<Fault>>(
    reading: &Reading,
    take: impl FnMut(Left) -> Result<(), E>,
) -> Result<(), E> {
    let kept_at = store::compacted(reading)?.unwrap_or(0);
    each_change_up_to(reading, store::revision(reading)?, kept_at, take)
}

/// Goes through what the changes up to `revision` left, in their order: up to the compacted revision what was still
/// there at `kept_at`.
pub(crate) fn each_change_up_to<E: From<Fault>>(
    reading: &Reading,
    revision: u64,
    kept_at: u64,
    mut take: impl FnMut(Left) -> Result<(), E>,
) -> Result<(), E> {
    let compacted = store::compacted(reading)?;
    let end = changes::place_of(revision, u32::MAX);
    store::each_row(reading, CHANGES, (&[], Some(&end)), |place, row| {
        let change = changes::decode(&(place, row))?;
        let may_be_gone = compacted.is_some_and(|gone| change.revision <= gone);
        let counts =
            !may_be_gone || (!change.is_deletion() && change.holds_at(reading, kept_at)?);
        if counts { take(left(change)) } else { Ok(()) }
    })
}

fn left(change: Change) -> Left {
    let Change { revision, place, key, left, .. } = change;
    let item = match left {
        Some((head, value)) => Ok(head.item(key, value)),
        None => Err(key),
    };
    Left { revision, place, item }
}

/// Goes through the leases, in the order of their numbers taken as unsigned: how many seconds each lasts.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read, or what `take` says.
pub fn each_lease<E: From<Fault>>(
    reading: &Reading,
    mut take: impl FnMut(LeaseId, u64) -> Result<(), E>,
) -> Result<(), E> {
    store::each_row(reading, LEASES, (&[], None), |id, row| {
        let lease = leases::decode(row)?;
        take(leases::decode_id(&id)?, lease.seconds)
    })
}

/// The users, by their names.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read.
pub fn users(reading: &Reading) -> Result<Vec<(String, User)>, Fault> {
    let names = users::names(reading, USERS)?.into_iter();
    let with = |name: String| {
        let user = users::user(reading, &name)?.expect("a user whose name was found");
        Ok((name, user))
    };
    names.map(with).collect()
}

/// The roles, by their names.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read.
pub fn roles(reading: &Reading) -> Result<Vec<(String, Vec<Permission>)>, Fault> {
    let names = users::names(reading, ROLES)?.into_iter();
    let with = |name: String| {
        let role = users::role(reading, &name)?.expect("a role whose name was found");
        Ok((name, role))
    };
    names.map(with).collect()
}

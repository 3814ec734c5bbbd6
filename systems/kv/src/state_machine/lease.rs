//! Leases: keys that go when their owner does.
//!
//! Time is cluster time: the stamps that leaders give to entries. When a new term begins every lease has
//! its whole time again, since its owner may not have been heard meanwhile; that is found out only when
//! a lease comes due, so that a new term costs nothing.

use kernel::{Fault, Stamp, Tables};

use crate::{
    answer::Answer,
    failure::Failure,
    item::LeaseId,
    store::{self, DUE, Lease, TERM_BEGAN, View, leases},
    write::{Write, put_off},
};

/// The shortest lease, in seconds: an owner must outlive an election.
const SECONDS_MIN: u64 = 2;

/// The longest lease, in seconds, as in etcd.
const SECONDS_MAX: u64 = 9_000_000_000;

/// How many leases that are due one entry looks at.
const DUE_AT_ONCE: usize = 64;

const NS_PER_SECOND: u64 = 1_000_000_000;

/// Grants a lease.
pub(super) fn grant(
    id: LeaseId,
    seconds: u64,
    stamp: Stamp,
    tables: &mut Tables,
) -> Result<Answer, Fault> {
    if !id.is_some() || leases::find(tables, id)?.is_some() {
        return Ok(Answer::Failed(Failure::LeaseExists));
    }
    if seconds > SECONDS_MAX {
        return Ok(Answer::Failed(Failure::LeaseTooLong));
    }
    let seconds = seconds.max(SECONDS_MIN);
    leases::set(tables, id, Lease { seconds, due: after(stamp, seconds) })?;
    Ok(Answer::Granted { lease: id, seconds, revision: store::revision(tables)? })
}

/// Ends a lease, and deletes the keys that go with it.
pub(super) fn revoke(id: LeaseId, tables: &mut Tables) -> Result<Answer, Fault> {
    let Some(lease) = leases::find(tables, id)? else {
        return Ok(Answer::Failed(Failure::LeaseNotFound));
    };
    let mut write = Write::begin(tables)?;
    write.revoke(id, lease)?;
    Ok(Answer::Revision(write.end()?))
}

/// Lets a lease begin again.
pub(super) fn keep_alive(id: LeaseId, stamp: Stamp, tables: &mut Tables) -> Result<Answer, Fault> {
    let revision = store::revision(tables)?;
    let Some(lease) = leases::find(tables, id)? else {
        return Ok(Answer::Granted { lease: id, seconds: 0, revision });
    };
    put_off(tables, id, lease, after(stamp, lease.seconds))?;
    Ok(Answer::Granted { lease: id, seconds: lease.seconds, revision })
}

/// How long a lease has left.
pub(super) fn time_left(
    id: LeaseId,
    with_keys: bool,
    stamp: Stamp,
    tables: &Tables,
) -> Result<Answer, Fault> {
    let revision = store::revision(tables)?;
    let keys = if with_keys { leases::keys_of(tables, id)? } else { alloc::vec![] };
    let Some(lease) = leases::find(tables, id)? else {
        return Ok(Answer::Left { seconds: -1, granted: 0, keys, revision });
    };
    let left_ns = due(tables, lease)?.0.saturating_sub(stamp.0);
    let seconds = (left_ns / NS_PER_SECOND).cast_signed();
    Ok(Answer::Left { seconds, granted: lease.seconds, keys, revision })
}

/// Ends what is due at `stamp`, a bounded number: a lease that is left is due at the next tick.
pub(super) fn expire(stamp: Stamp, tables: &mut Tables) -> Result<(), Fault> {
    let dates = tables.scan(DUE, &[], None, DUE_AT_ONCE)?;
    for (date, _) in dates {
        let (may_be_due, id) = leases::decode_date(&date)?;
        if may_be_due > stamp {
            return Ok(());
        }
        let lease = leases::find(tables, id)?.expect("a date belongs to a lease");
        let due = due(tables, lease)?;
        if due > stamp {
            put_off(tables, id, lease, due)?;
            continue;
        }
        let mut write = Write::begin(tables)?;
        write.revoke(id, lease)?;
        write.end()?;
    }
    Ok(())
}

/// When a lease may next be due.
pub(super) fn next_date(view: &impl View) -> Result<Option<Stamp>, Fault> {
    let dates = view.scan(DUE, &[], None, 1)?;
    dates.first().map(|(date, _)| leases::decode_date(date).map(|(due, _)| due)).transpose()
}

/// When a lease is due.
fn due(view: &impl View, lease: Lease) -> Result<Stamp, Fault> {
    let began = store::counter(view, TERM_BEGAN)?.map_or(Stamp(0), Stamp);
    Ok(lease.due.max(after(began, lease.seconds)))
}

const fn after(stamp: Stamp, seconds: u64) -> Stamp {
    Stamp(stamp.0.saturating_add(seconds.saturating_mul(NS_PER_SECOND)))
}

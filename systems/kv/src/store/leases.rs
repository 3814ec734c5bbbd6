//! Leases, what goes with them, and when they are due.
//!
//! ```text
//! lease i64, the largest byte first ─▶ seconds u64 | due u64, in cluster time
//! lease | key                       ─▶ nothing
//! due u64 | lease                   ─▶ nothing
//! ```

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, Stamp, TableId, Tables};

use super::{View, corrupt, each_row};
use crate::item::LeaseId;

/// The leases, by their numbers.
pub(crate) const LEASES: TableId = TableId(20);
/// The keys that go with each lease.
pub(crate) const LEASED: TableId = TableId(21);
/// The leases in the order in which they may be due.
pub(crate) const DUE: TableId = TableId(22);

/// What is written of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    /// How long it lasts, in seconds.
    pub(crate) seconds: u64,
    /// When it is due if nobody keeps it alive. A term that began later puts it off.
    pub(crate) due: Stamp,
}

/// Reads a lease.
pub(crate) fn find(view: &impl View, id: LeaseId) -> Result<Option<Lease>, Fault> {
    view.get(LEASES, &id.to_key())?.map(decode).transpose()
}

/// Reads a lease's row.
pub(crate) fn decode(row: Bytes) -> Result<Lease, Fault> {
    let mut reader = Reader::new(row);
    let seconds = reader.take_u64().map_err(corrupt)?;
    let due = Stamp(reader.take_u64().map_err(corrupt)?);
    Ok(Lease { seconds, due })
}

/// Writes a lease, and when it is due. An earlier date of it must have been taken away.
pub(crate) fn set(tables: &mut Tables, id: LeaseId, lease: Lease) -> Result<(), Fault> {
    let row = [lease.seconds.to_le_bytes(), lease.due.0.to_le_bytes()].concat();
    tables.put(LEASES, &id.to_key(), &row)?;
    tables.put(DUE, &date(lease.due, id), &[])
}

/// The key of a date.
pub(crate) fn date(due: Stamp, id: LeaseId) -> Vec<u8> {
    [due.0.to_be_bytes(), id.to_key()].concat()
}

/// Reads the key of a date.
pub(crate) fn decode_date(date: &[u8]) -> Result<(Stamp, LeaseId), Fault> {
    let malformed = || corrupt(Malformed("a date and a lease"));
    let (due, id) = date.split_first_chunk().ok_or_else(malformed)?;
    let id = id.try_into().map_err(|_| malformed())?;
    Ok((Stamp(u64::from_be_bytes(*due)), LeaseId::from_bits(u64::from_be_bytes(id))))
}

/// The row that says that a key goes with a lease.
pub(crate) fn bond(id: LeaseId, key: &[u8]) -> Vec<u8> {
    [&id.to_key()[..], key].concat()
}

/// The keys that go with a lease, in order.
pub(crate) fn keys_of(view: &impl View, id: LeaseId) -> Result<Vec<Bytes>, Fault> {
    let end = id.0.cast_unsigned().checked_add(1).map(u64::to_be_bytes);
    let range = (&id.to_key()[..], end.as_ref().map(|end| &end[..]));
    let mut keys = Vec::new();
    each_row(view, LEASED, range, |bond, _| {
        keys.push(bond.slice(8..));
        Ok(())
    })?;
    Ok(keys)
}

/// The numbers of all leases, ascending; those that are negative come last.
pub(crate) fn all(view: &impl View) -> Result<Vec<LeaseId>, Fault> {
    let mut leases = Vec::new();
    each_row(view, LEASES, (&[], None), |key, _| {
        leases.push(decode_id(&key)?);
        Ok::<_, Fault>(())
    })?;
    Ok(leases)
}

/// Reads the key of a lease.
pub(crate) fn decode_id(key: &[u8]) -> Result<LeaseId, Fault> {
    let malformed = |_| corrupt(Malformed("a lease's number of eight bytes"));
    let bytes = key.try_into().map_err(malformed)?;
    Ok(LeaseId::from_bits(u64::from_be_bytes(bytes)))
}

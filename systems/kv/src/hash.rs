//! The hash by which members of an etcd cluster compare their stores: the same operations give the same
//! one here and there.
//!
//! It is the CRC-32C of the name `key` and, for each change in order, of its place and of the message
//! that etcd has stored there. Changes that a compaction has given up do not count.

use kernel::{Fault, Reading, checksum::Crc32c};

use crate::{
    failure::Failure,
    protobuf,
    store::{self, CHANGES, Past, changes},
};

/// A hash, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash {
    /// CRC-32C.
    pub hash: u32,
    /// The last revision that it covers.
    pub revision: u64,
    /// The store's revision.
    pub present: u64,
    /// The revision at which the store was last compacted; nothing if it never was.
    pub compacted: Option<u64>,
}

/// The hash up to `revision`, or up to the present one if that is 0.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read.
pub fn hash(reading: &Reading, revision: u64) -> Result<Result<Hash, Failure>, Fault> {
    let (present, compacted) = (store::revision(reading)?, store::compacted(reading)?);
    if revision > 0 && compacted.is_some_and(|gone| revision <= gone) {
        return Ok(Err(Failure::Compacted));
    }
    if revision > present {
        return Ok(Err(Failure::FutureRevision));
    }
    let revision = if revision == 0 { present } else { revision };
    let mut sum = Crc32c::default();
    sum.take(b"key");
    let end = changes::place_of(revision, u32::MAX);
    store::each_row(reading, CHANGES, (&[], Some(&end)), |place, row| {
        let change = changes::decode(&(place, row))?;
        let may_be_gone = compacted.is_some_and(|gone| change.revision <= gone);
        take(reading, &change, may_be_gone.then_some(revision), &mut sum)
    })?;
    Ok(Ok(Hash { hash: sum.end(), revision, present, compacted }))
}

/// Takes a change; one that may be gone only if it is what its key still is at a revision.
fn take(
    reading: &Reading,
    change: &changes::Change,
    at: Option<u64>,
    sum: &mut Crc32c,
) -> Result<(), Fault> {
    let left = change.left_at(reading, at.unwrap_or(change.revision))?;
    let is_gone = left.is_none() || change.is_deletion && at.is_some();
    if is_gone {
        return Ok(());
    }
    sum.take(&change.revision.to_be_bytes());
    sum.take(b"_");
    sum.take(&u64::from(change.place).to_be_bytes());
    match left {
        Some(Past::Item(head, value)) => {
            sum.take(&protobuf::key_value(&head.item(change.key.clone(), value)));
        }
        _ => {
            sum.take(b"t");
            sum.take(&protobuf::deleted(&change.key));
        }
    }
    Ok(())
}

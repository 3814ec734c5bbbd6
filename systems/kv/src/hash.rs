//! The hash by which members of an etcd cluster compare their stores: the same operations give the same
//! one here and there.
//!
//! It is the CRC-32C of the name `key` and, for each change in order, of its place and of the message
//! that etcd has stored there. Changes that a compaction has given up do not count.

use kernel::{Fault, Reading, checksum::Crc32c};

use crate::{
    dump::{Left, each_change_up_to},
    failure::Failure,
    protobuf, store,
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
    each_change_up_to(reading, revision, revision, |left| {
        take(left, &mut sum);
        Ok::<_, Fault>(())
    })?;
    Ok(Ok(Hash { hash: sum.end(), revision, present, compacted }))
}

fn take(left: Left, sum: &mut Crc32c) {
    let Left { revision, place, item } = left;
    sum.take(&protobuf::place(revision, place, item.is_err()));
    match item {
        Ok(item) => sum.take(&protobuf::key_value(&item)),
        Err(key) => sum.take(&protobuf::deleted(&key)),
    }
}

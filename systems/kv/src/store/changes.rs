//! What each revision changed: for watchers, for the hash, and for compaction.
//!
//! ```text
//! revision u64 | place u32, both the largest byte first ─▶ 0 put, 1 deletion | key
//! ```
//! The place orders the changes of one transaction, which all have its revision.

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, TableId};

use super::corrupt;

/// The changes, by revision.
pub(crate) const CHANGES: TableId = TableId(18);

const PUT: u8 = 0;
const DELETION: u8 = 1;

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) place: u32,
    pub(crate) is_deletion: bool,
    pub(crate) key: Bytes,
}

/// The key of a change's row.
pub(crate) fn place_of(revision: u64, place: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&revision.to_be_bytes());
    key[8..].copy_from_slice(&place.to_be_bytes());
    key
}

/// The row of a change.
pub(crate) fn encode(is_deletion: bool, key: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(1 + key.len());
    row.push(if is_deletion { DELETION } else { PUT });
    row.extend_from_slice(key);
    row
}

/// Reads a row.
pub(crate) fn decode((place, row): &(Bytes, Bytes)) -> Result<Change, Fault> {
    let malformed = || corrupt(Malformed("a change of a revision, a place, a kind and a key"));
    let (revision, place) = place.split_at_checked(8).ok_or_else(malformed)?;
    let is_deletion = match row.first() {
        Some(&PUT) => false,
        Some(&DELETION) => true,
        _ => return Err(malformed()),
    };
    Ok(Change {
        revision: u64::from_be_bytes(revision.try_into().map_err(|_| malformed())?),
        place: u32::from_be_bytes(place.try_into().map_err(|_| malformed())?),
        is_deletion,
        key: row.slice(1..),
    })
}

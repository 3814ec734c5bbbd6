//! What each revision changed: for watchers, for the hash, and for compaction.
//!
//! ```text
//! revision u64 | place u32, both the largest byte first ─▶ kind u8 | revision u64 | place u32 | key
//! ```
//! The place orders the changes of one transaction, which all have its revision. The kind is 0 for a put, 1 for
//! a deletion. The revision and the place in the row are those of the change that had left what this one
//! replaced, 0 if there was nothing: so compaction need not search for it.

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, TableId};

use super::{
    View, corrupt,
    history::{self, Past},
    items::{self, Head},
};

/// The changes, by revision.
pub(crate) const CHANGES: TableId = TableId(18);

const MALFORMED: Malformed = Malformed("a change of a revision, a place, a kind and a key");

const PUT: u8 = 0;
const DELETION: u8 = 1;

/// Revision and place of a change.
pub(crate) type Place = (u64, u32);

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) place: u32,
    pub(crate) is_deletion: bool,
    /// The change that had left what this one replaced; nothing if there was nothing.
    pub(crate) before: Option<Place>,
    pub(crate) key: Bytes,
}

impl Change {
    /// What the change left, which stays until it is compacted away.
    pub(crate) fn left(&self, view: &impl View) -> Result<Option<Past>, Fault> {
        let present = items::present(view, &self.key)?;
        let left = match present.filter(|(head, _)| head.modified == self.revision) {
            Some((head, value)) => Some(Past::Item(head, value)),
            None => history::at(view, &self.key, self.revision)?,
        };
        Ok(left.filter(|past| past.change() == (self.revision, self.place)))
    }

    /// What the change has left at `revision`; nothing if its key has changed since.
    pub(crate) fn left_at(&self, view: &impl View, revision: u64) -> Result<Option<Past>, Fault> {
        let present = items::present(view, &self.key)?;
        let newest = match present.filter(|(head, _)| head.modified <= revision) {
            Some((head, value)) => Some(Past::Item(head, value)),
            None => history::newest(view, &self.key, revision)?,
        };
        Ok(newest.filter(|past| past.change() == (self.revision, self.place)))
    }
}

/// The key of a change's row.
pub(crate) fn place_of(revision: u64, place: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&revision.to_be_bytes());
    key[8..].copy_from_slice(&place.to_be_bytes());
    key
}

/// The row of a change of `key`, where `present` was there.
pub(crate) fn encode(is_deletion: bool, present: Option<Head>, key: &[u8]) -> Vec<u8> {
    let (revision, place) = present.map_or((0, 0), |head| (head.modified, head.place));
    let mut row = Vec::with_capacity(13 + key.len());
    row.push(if is_deletion { DELETION } else { PUT });
    row.extend_from_slice(&revision.to_le_bytes());
    row.extend_from_slice(&place.to_le_bytes());
    row.extend_from_slice(key);
    row
}

/// Reads a row.
pub(crate) fn decode((place, row): &(Bytes, Bytes)) -> Result<Change, Fault> {
    let (revision, place) = decode_place(place).map_err(corrupt)?;
    let mut reader = Reader::new(row.clone());
    let (is_deletion, before) = read(&mut reader).map_err(corrupt)?;
    Ok(Change { revision, place, is_deletion, before, key: reader.take_rest() })
}

fn decode_place(place: &[u8]) -> Result<Place, Malformed> {
    let (revision, place) = place.split_first_chunk().ok_or(MALFORMED)?;
    let place = place.try_into().map_err(|_| MALFORMED)?;
    Ok((u64::from_be_bytes(*revision), u32::from_be_bytes(place)))
}

fn read(reader: &mut Reader) -> Result<(bool, Option<Place>), Malformed> {
    let is_deletion = match reader.take_u8()? {
        PUT => false,
        DELETION => true,
        _ => return Err(MALFORMED),
    };
    let before = (reader.take_u64()?, reader.take_u32()?);
    Ok((is_deletion, Some(before).filter(|(revision, _)| *revision != 0)))
}

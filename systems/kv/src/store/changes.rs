//! What each revision changed, with the values: for whoever reads, watches or compares, and for compaction.
//!
//! ```text
//! revision u64 | place u32, both the largest byte first ─▶ kind u8 | revision u64 | place u32 | key with its length
//!                                                          of a put: created u64 | version u64 | lease i64 | value
//! ```
//! The place orders the changes of one transaction, which all have its revision. The kind is 2 for a put, 3 for
//! a deletion; 0 and 1, of builds before the first release, had no values. The revision and the place in the row
//! are those of the change that had left what this one replaced, 0 if there was nothing: so compaction need not
//! search for it.
//!
//! Rows come in order and never change, so a value costs the disk little more than its bytes, wherever its key
//! lies. What is looked for by key is small.

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, TableId, Writer};

use super::{
    View, corrupt,
    history::{self, Past},
    items::{self, Head},
};
use crate::item::LeaseId;

/// The changes, by revision.
pub(crate) const CHANGES: TableId = TableId(18);

const MALFORMED: Malformed = Malformed("a change of a revision, a place, a kind and a key");

const PUT: u8 = 2;
const DELETION: u8 = 3;

/// Revision and place of a change.
pub(crate) type Place = (u64, u32);

/// One change of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) place: u32,
    /// The change that had left what this one replaced; nothing if there was nothing.
    pub(crate) before: Option<Place>,
    pub(crate) key: Bytes,
    /// What the change left: the item and its value; nothing if it was a deletion.
    pub(crate) left: Option<(Head, Bytes)>,
}

impl Change {
    /// Revision and place.
    pub(crate) const fn place(&self) -> Place {
        (self.revision, self.place)
    }

    pub(crate) const fn is_deletion(&self) -> bool {
        self.left.is_none()
    }

    /// True if at `revision` the key is as the change has left it.
    pub(crate) fn holds_at(&self, view: &impl View, revision: u64) -> Result<bool, Fault> {
        let present = items::head(view, &self.key)?;
        let newest = match present.filter(|head| head.modified <= revision) {
            Some(head) => Some(head.change()),
            None => history::newest(view, &self.key, revision)?.map(Past::change),
        };
        Ok(newest == Some(self.place()))
    }
}

/// The key of a change's row.
pub(crate) fn place_of(revision: u64, place: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&revision.to_be_bytes());
    key[8..].copy_from_slice(&place.to_be_bytes());
    key
}

/// The change at a place where there is one.
pub(crate) fn at(view: &impl View, (revision, place): Place) -> Result<Change, Fault> {
    let key = place_of(revision, place);
    let row = view.get(CHANGES, &key)?.expect("a change that something leads to is there");
    read((revision, place), row).map_err(corrupt)
}

/// The row of a change of `key`, where `present` was there, that leaves an item and its value, or nothing.
pub(crate) fn encode(present: Option<Head>, key: &[u8], left: Option<(Head, &[u8])>) -> Vec<u8> {
    let (revision, place) = present.map_or((0, 0), |head| head.change());
    let mut writer =
        Writer::with_capacity(41 + key.len() + left.map_or(0, |(_, value)| value.len()));
    writer.put_u8(if left.is_some() { PUT } else { DELETION });
    writer.put_u64(revision);
    writer.put_u32(place);
    writer.put_bytes(key);
    if let Some((head, value)) = left {
        writer.put_u64(head.created);
        writer.put_u64(head.version);
        writer.put_u64(head.lease.0.cast_unsigned());
        writer.put_raw(value);
    }
    writer.into_vec()
}

/// Reads a row.
pub(crate) fn decode((place, row): &(Bytes, Bytes)) -> Result<Change, Fault> {
    decode_place(place).and_then(|place| read(place, row.clone())).map_err(corrupt)
}

fn decode_place(place: &[u8]) -> Result<Place, Malformed> {
    let (revision, place) = place.split_first_chunk().ok_or(MALFORMED)?;
    let place = place.try_into().map_err(|_| MALFORMED)?;
    Ok((u64::from_be_bytes(*revision), u32::from_be_bytes(place)))
}

fn read((revision, place): Place, row: Bytes) -> Result<Change, Malformed> {
    let mut reader = Reader::new(row);
    let is_put = match reader.take_u8()? {
        PUT => true,
        DELETION => false,
        _ => return Err(MALFORMED),
    };
    let before = (reader.take_u64()?, reader.take_u32()?);
    let before = Some(before).filter(|(revision, _)| *revision != 0);
    let key = reader.take_bytes()?;
    let mut change = Change { revision, place, before, key, left: None };
    if is_put {
        let (created, version) = (reader.take_u64()?, reader.take_u64()?);
        let lease = LeaseId::from_bits(reader.take_u64()?);
        let head = Head { created, modified: revision, place, version, lease };
        change.left = Some((head, reader.take_rest()));
    }
    reader.finish().map(|()| change)
}

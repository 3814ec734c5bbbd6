//! How the store lies in its tables.
//!
//! ```text
//! table 16   key          version of the layout u8 = 1 | created u64 | modified u64 | version u64 | value
//! table 17   "revision"   u64
//! ```

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, Reading, TableId, Tables};

use crate::answer::Item;

/// The items, by key.
pub(crate) const ITEMS: TableId = TableId(16);

/// The store's revision, under one key.
pub(crate) const COUNTERS: TableId = TableId(17);

/// Its key.
pub(crate) const REVISION: &[u8] = b"revision";

const LAYOUT: u8 = 1;

/// All of an item but its key and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) created: u64,
    pub(crate) modified: u64,
    pub(crate) version: u64,
}

/// The row of an item.
pub(crate) fn encode(head: Head, value: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(25 + value.len());
    row.push(LAYOUT);
    row.extend_from_slice(&head.created.to_le_bytes());
    row.extend_from_slice(&head.modified.to_le_bytes());
    row.extend_from_slice(&head.version.to_le_bytes());
    row.extend_from_slice(value);
    row
}

/// Reads a row.
pub(crate) fn decode(row: Bytes) -> Result<(Head, Bytes), Fault> {
    let corrupt = |_: Malformed| Fault::Corrupt("an item's row is malformed".into());
    let mut reader = Reader::new(row);
    if reader.take_u8().map_err(corrupt)? != LAYOUT {
        return Err(Fault::Corrupt("an item's row has a layout that this build lacks".into()));
    }
    let head = Head {
        created: reader.take_u64().map_err(corrupt)?,
        modified: reader.take_u64().map_err(corrupt)?,
        version: reader.take_u64().map_err(corrupt)?,
    };
    Ok((head, reader.take_rest()))
}

/// Reads a row as the item of `key`.
pub(crate) fn item(key: Bytes, row: Bytes) -> Result<Item, Fault> {
    let (head, value) = decode(row)?;
    let Head { created, modified, version } = head;
    Ok(Item { key, value, created, modified, version })
}

/// The store's revision.
pub(crate) fn revision(tables: &Tables) -> Result<u64, Fault> {
    decode_revision(tables.get(COUNTERS, REVISION)?)
}

/// The store's revision at one moment.
pub(crate) fn revision_at(reading: &Reading) -> Result<u64, Fault> {
    decode_revision(reading.get(COUNTERS, REVISION)?)
}

fn decode_revision(row: Option<Bytes>) -> Result<u64, Fault> {
    let Some(row) = row else {
        return Ok(0);
    };
    let bytes = (*row)
        .try_into()
        .map_err(|_| Fault::Corrupt("the row of the revision is malformed".into()))?;
    Ok(u64::from_le_bytes(bytes))
}

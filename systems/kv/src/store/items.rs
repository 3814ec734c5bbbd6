//! The items, by key.
//!
//! ```text
//! key ─▶ layout u8 = 2 | created u64 | modified u64 | place u32 | version u64 | lease i64 | value
//! ```
//! Layout 1, of builds before the first release, had no lease and no history beside it.

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, TableId};

use super::{View, corrupt};
use crate::item::{Item, LeaseId};

/// The items, by key.
pub(crate) const ITEMS: TableId = TableId(16);

pub(super) const LAYOUT: u8 = 2;

/// All of an item but its key and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) created: u64,
    pub(crate) modified: u64,
    /// Among the changes of that revision.
    pub(crate) place: u32,
    pub(crate) version: u64,
    pub(crate) lease: LeaseId,
}

impl Head {
    /// As an item.
    pub(crate) const fn item(self, key: Bytes, value: Bytes) -> Item {
        let Self { created, modified, version, lease, .. } = self;
        Item { key, value, created, modified, version, lease }
    }
}

/// The row of an item.
pub(crate) fn encode(head: Head, value: &[u8]) -> Vec<u8> {
    let mut row = Vec::with_capacity(37 + value.len());
    row.push(LAYOUT);
    row.extend_from_slice(&head.created.to_le_bytes());
    row.extend_from_slice(&head.modified.to_le_bytes());
    row.extend_from_slice(&head.place.to_le_bytes());
    row.extend_from_slice(&head.version.to_le_bytes());
    row.extend_from_slice(&head.lease.0.to_le_bytes());
    row.extend_from_slice(value);
    row
}

/// Reads a row.
pub(crate) fn decode(row: Bytes) -> Result<(Head, Bytes), Fault> {
    let mut reader = Reader::new(row);
    if reader.take_u8().map_err(corrupt)? != LAYOUT {
        return Err(Fault::Corrupt(
            "an item's row has a layout that this build cannot read; take the data out with the \
             build that wrote it"
                .into(),
        ));
    }
    read(&mut reader).map_err(corrupt)
}

fn read(reader: &mut Reader) -> Result<(Head, Bytes), Malformed> {
    let head = Head {
        created: reader.take_u64()?,
        modified: reader.take_u64()?,
        place: reader.take_u32()?,
        version: reader.take_u64()?,
        lease: LeaseId::from_bits(reader.take_u64()?),
    };
    Ok((head, reader.take_rest()))
}

/// What is there under `key`.
pub(crate) fn present(view: &impl View, key: &[u8]) -> Result<Option<(Head, Bytes)>, Fault> {
    view.get(ITEMS, key)?.map(decode).transpose()
}

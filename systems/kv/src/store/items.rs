//! The items, by key: all that is known of each but its value, which lies with the change that put it.
//!
//! ```text
//! key ─▶ layout u8 = 3 | created u64 | modified u64 | place u32 | version u64 | lease i64
//! ```
//! Layouts 1 and 2, of builds before the first release, had the value here.

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, TableId};

use super::{View, changes, corrupt};
use crate::item::{Item, LeaseId};

/// The items, by key.
pub(crate) const ITEMS: TableId = TableId(16);

const LAYOUT: u8 = 3;

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

    /// The change that put the item.
    pub(crate) const fn change(&self) -> changes::Place {
        (self.modified, self.place)
    }

    /// The item's value.
    pub(crate) fn value(&self, view: &impl View) -> Result<Bytes, Fault> {
        let left = changes::at(view, self.change())?.left;
        let (head, value) = left.expect("an item was put by a change");
        assert_eq!(head, *self, "an item is as its change left it");
        Ok(value)
    }
}

/// The row of an item.
pub(crate) fn encode(head: Head) -> Vec<u8> {
    let mut row = Vec::with_capacity(37);
    row.push(LAYOUT);
    row.extend_from_slice(&head.created.to_le_bytes());
    row.extend_from_slice(&head.modified.to_le_bytes());
    row.extend_from_slice(&head.place.to_le_bytes());
    row.extend_from_slice(&head.version.to_le_bytes());
    row.extend_from_slice(&head.lease.0.to_le_bytes());
    row
}

/// Reads a row.
pub(crate) fn decode(row: Bytes) -> Result<Head, Fault> {
    let mut reader = Reader::new(row);
    if reader.take_u8().map_err(corrupt)? != LAYOUT {
        return Err(Fault::Corrupt(
            "an item's row has a layout that this build cannot read; take the data out with the \
             build that wrote it"
                .into(),
        ));
    }
    read(reader).map_err(corrupt)
}

fn read(mut reader: Reader) -> Result<Head, Malformed> {
    let head = Head {
        created: reader.take_u64()?,
        modified: reader.take_u64()?,
        place: reader.take_u32()?,
        version: reader.take_u64()?,
        lease: LeaseId::from_bits(reader.take_u64()?),
    };
    reader.finish().map(|()| head)
}

/// What is known of the item under `key`, if one is there.
pub(crate) fn head(view: &impl View, key: &[u8]) -> Result<Option<Head>, Fault> {
    view.get(ITEMS, key)?.map(decode).transpose()
}

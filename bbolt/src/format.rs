//! The bytes of pages and of what stands in them. All numbers are little-endian.
//!
//! ```text
//! page      ┌────────┬───────────┬───────────┬──────────────┐
//! header    │ id u64 │ flags u16 │ count u16 │ overflow u32 │   overflow: pages that follow and belong to it
//!           └────────┴───────────┴───────────┴──────────────┘
//! leaf      ┌───────────┬─────────┬─────────────────┬───────────────────┐
//! element   │ flags u32 │ pos u32 │ key's bytes u32 │ value's bytes u32 │   flags 1: the value is a bucket
//!           └───────────┴─────────┴─────────────────┴───────────────────┘
//! branch    ┌─────────┬─────────────────┬───────────┐
//! element   │ pos u32 │ key's bytes u32 │ child u64 │   the key is the first one of the child
//!           └─────────┴─────────────────┴───────────┘
//! bucket    ┌──────────┬──────────────┐
//! header    │ root u64 │ sequence u64 │   root 0: the bucket is inline, one leaf page follows in the value
//!           └──────────┴──────────────┘
//! ```
//! In a leaf or branch the elements follow the header, and the keys (each with its value) follow the elements,
//! in the same order and without gaps. `pos` counts from the first byte of its own element.

use core::fmt;

/// The size of the pages that are written here, in bytes. Those that are read may have another.
pub const PAGE_BYTES: u32 = 4096;
/// The longest key that bbolt takes, in bytes.
pub const KEY_BYTES_MAX: usize = 32_768;
/// The longest value that bbolt takes, in bytes.
pub const VALUE_BYTES_MAX: usize = (1 << 31) - 2;

pub(crate) const PAGE_HEADER_BYTES: usize = 16;
pub(crate) const ELEMENT_BYTES: usize = 16;
pub(crate) const BUCKET_HEADER_BYTES: usize = 16;
/// The first page that is no meta.
pub(crate) const FREELIST_PAGE: PageId = PageId(2);
/// The element's value is a bucket.
pub(crate) const BUCKET_FLAG: u32 = 1;

/// The number of a page: it begins at that many times the size of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageId(pub u64);

impl fmt::Display for PageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a page holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Keys with the pages below them.
    Branch,
    /// Keys with their values.
    Leaf,
    /// One of the two pages that name the root.
    Meta,
    /// Pages that are free to use.
    Freelist,
}

impl Kind {
    /// The flags of a page of that kind.
    pub(crate) const fn flags(self) -> u16 {
        match self {
            Self::Branch => 0x01,
            Self::Leaf => 0x02,
            Self::Meta => 0x04,
            Self::Freelist => 0x10,
        }
    }

    /// The kind of a page of a tree with these flags.
    pub(crate) const fn of_tree(flags: u16) -> Option<Self> {
        match flags {
            0x01 => Some(Self::Branch),
            0x02 => Some(Self::Leaf),
            _ => None,
        }
    }
}

/// What stands at the start of each page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageHeader {
    pub(crate) id: PageId,
    pub(crate) flags: u16,
    pub(crate) count: u16,
    pub(crate) overflow: u32,
}

impl PageHeader {
    /// The header of a page of that kind, without elements and overflow.
    pub(crate) const fn new(id: PageId, kind: Kind) -> Self {
        Self { id, flags: kind.flags(), count: 0, overflow: 0 }
    }

    pub(crate) fn encode(self) -> [u8; PAGE_HEADER_BYTES] {
        let mut bytes = [0; PAGE_HEADER_BYTES];
        bytes[..8].copy_from_slice(&self.id.0.to_le_bytes());
        bytes[8..10].copy_from_slice(&self.flags.to_le_bytes());
        bytes[10..12].copy_from_slice(&self.count.to_le_bytes());
        bytes[12..].copy_from_slice(&self.overflow.to_le_bytes());
        bytes
    }

    /// The header at the front of `bytes`; nothing if they are too short for one.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            id: PageId(number_u64(bytes, 0)?),
            flags: u16::from_le_bytes(*bytes.get(8..)?.first_chunk()?),
            count: u16::from_le_bytes(*bytes.get(10..)?.first_chunk()?),
            overflow: number_u32(bytes, 12)?,
        })
    }
}

/// An element of a leaf or a branch, without the key and the value themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// In a leaf: a pair, or a bucket.
    Leaf { flags: u32, key_bytes: u32, value_bytes: u32 },
    /// In a branch: a page below.
    Branch { key_bytes: u32, child: PageId },
}

impl Element {
    /// How many bytes of key and value belong to it.
    pub(crate) fn data_bytes(self) -> u64 {
        match self {
            Self::Leaf { key_bytes, value_bytes, .. } => {
                u64::from(key_bytes) + u64::from(value_bytes)
            }
            Self::Branch { key_bytes, .. } => u64::from(key_bytes),
        }
    }

    pub(crate) const fn key_bytes(self) -> u32 {
        match self {
            Self::Leaf { key_bytes, .. } | Self::Branch { key_bytes, .. } => key_bytes,
        }
    }

    /// The bytes of the element whose key stands `position` bytes after its own start.
    pub(crate) fn encode(self, position: u32) -> [u8; ELEMENT_BYTES] {
        let mut bytes = [0; ELEMENT_BYTES];
        let (front, back) = bytes.split_at_mut(8);
        match self {
            Self::Leaf { flags, key_bytes, value_bytes } => {
                front[..4].copy_from_slice(&flags.to_le_bytes());
                front[4..].copy_from_slice(&position.to_le_bytes());
                back[..4].copy_from_slice(&key_bytes.to_le_bytes());
                back[4..].copy_from_slice(&value_bytes.to_le_bytes());
            }
            Self::Branch { key_bytes, child } => {
                front[..4].copy_from_slice(&position.to_le_bytes());
                front[4..].copy_from_slice(&key_bytes.to_le_bytes());
                back.copy_from_slice(&child.0.to_le_bytes());
            }
        }
        bytes
    }

    /// The element at the front of `bytes`, as it stands in a page of that kind, and its position.
    pub(crate) fn decode(is_leaf: bool, bytes: &[u8]) -> Option<(Self, u32)> {
        if is_leaf {
            let (key_bytes, value_bytes) = (number_u32(bytes, 8)?, number_u32(bytes, 12)?);
            let element = Self::Leaf { flags: number_u32(bytes, 0)?, key_bytes, value_bytes };
            return Some((element, number_u32(bytes, 4)?));
        }
        let child = PageId(number_u64(bytes, 8)?);
        Some((Self::Branch { key_bytes: number_u32(bytes, 4)?, child }, number_u32(bytes, 0)?))
    }
}

/// The value that stands for a bucket with pages of its own.
pub(crate) fn bucket_header(root: PageId) -> [u8; BUCKET_HEADER_BYTES] {
    let mut bytes = [0; BUCKET_HEADER_BYTES];
    bytes[..8].copy_from_slice(&root.0.to_le_bytes());
    bytes
}

/// The number at `place`; nothing if the bytes end before.
pub(crate) fn number_u32(bytes: &[u8], place: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(place..)?.first_chunk()?))
}

/// The number at `place`; nothing if the bytes end before.
pub(crate) fn number_u64(bytes: &[u8], place: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(place..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::{Element, Kind, PageHeader, PageId};

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let header =
            PageHeader { count: 3, overflow: 2, ..PageHeader::new(PageId(7), Kind::Branch) };
        let bytes = header.encode();
        assert_eq!(bytes, [7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3, 0, 2, 0, 0, 0]);
        assert_eq!(PageHeader::decode(&bytes), Some(header));
        assert_eq!(PageHeader::decode(&bytes[..15]), None);
    }

    #[test]
    fn elements_are_read_as_they_were_written() {
        let leaf = Element::Leaf { flags: 1, key_bytes: 2, value_bytes: 3 };
        let branch = Element::Branch { key_bytes: 4, child: PageId(5) };
        assert_eq!(leaf.encode(9), [1, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(branch.encode(9), [9, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
        for (is_leaf, element) in [(true, leaf), (false, branch)] {
            let bytes = element.encode(9);
            assert_eq!(Element::decode(is_leaf, &bytes), Some((element, 9)));
            assert_eq!(Element::decode(is_leaf, &bytes[..15]), None);
        }
    }
}

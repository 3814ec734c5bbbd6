//! One page, checked as far as it is read.

use alloc::vec::Vec;
use core::ops::Range;

use super::error::{ElementFlaw, PageFlaw};
use crate::format::{ELEMENT_BYTES, Element, Kind, PAGE_HEADER_BYTES, PageHeader, PageId};

/// A leaf or a branch, and how far it was read.
///
/// Its elements are read from the first to the last. bbolt packs keys and values without gaps, so where the
/// data of one element ends, that of the next begins. To insist on it keeps elements from sharing bytes: a
/// page never says more than it holds.
#[derive(Debug)]
pub(super) struct Page {
    /// Where it stands; for the page of an inline bucket, the page that the bucket lies in.
    pub(super) place: PageId,
    bytes: Vec<u8>,
    is_leaf: bool,
    count: u16,
    next: u16,
    /// Where the data of the next element begins.
    data: usize,
}

/// What an element holds; keys and values as places in the page.
#[derive(Debug)]
pub(super) enum Content {
    /// A pair or a bucket.
    Leaf { flags: u32, key: Range<usize>, value: Range<usize> },
    /// A page below.
    Branch { key: Range<usize>, child: PageId },
}

impl Page {
    /// The page that `bytes` are, with all that overflows.
    pub(super) fn new(place: PageId, bytes: Vec<u8>) -> Result<Self, PageFlaw> {
        let header = PageHeader::decode(&bytes).ok_or(PageFlaw::Count { count: 0 })?;
        let kind = Kind::of_tree(header.flags).ok_or(PageFlaw::Kind { flags: header.flags })?;
        let data = PAGE_HEADER_BYTES + usize::from(header.count) * ELEMENT_BYTES;
        if data > bytes.len() {
            return Err(PageFlaw::Count { count: header.count });
        }
        let (is_leaf, count) = (kind == Kind::Leaf, header.count);
        Ok(Self { place, bytes, is_leaf, count, next: 0, data })
    }

    /// The page that stands in the value of an inline bucket: one leaf.
    pub(super) fn inline(place: PageId, bytes: Vec<u8>) -> Result<Self, PageFlaw> {
        let page = Self::new(place, bytes)?;
        if page.is_leaf { Ok(page) } else { Err(PageFlaw::Kind { flags: Kind::Branch.flags() }) }
    }

    pub(super) const fn is_empty_leaf(&self) -> bool {
        self.is_leaf && self.count == 0
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number of the element that was read last.
    pub(super) const fn last_number(&self) -> u16 {
        self.next.saturating_sub(1)
    }

    /// Reads the next element; nothing behind the last.
    pub(super) fn next_element(&mut self) -> Result<Option<Content>, ElementFlaw> {
        if self.next == self.count {
            return Ok(None);
        }
        let start = PAGE_HEADER_BYTES + usize::from(self.next) * ELEMENT_BYTES;
        self.next += 1;
        let (element, position) = Element::decode(self.is_leaf, &self.bytes[start..])
            .expect("a page holds the elements that it counts");
        if u64::from(position) != (self.data - start) as u64 {
            return Err(ElementFlaw::Position { found: position });
        }
        let left = self.bytes.len() - self.data;
        let length = usize::try_from(element.data_bytes()).map_err(|_| ElementFlaw::CutOff)?;
        if length > left {
            return Err(ElementFlaw::CutOff);
        }
        let key = self.data..self.data + element.key_bytes() as usize;
        let value = key.end..self.data + length;
        self.data = value.end;
        if key.is_empty() {
            return Err(ElementFlaw::EmptyKey);
        }
        Ok(Some(match element {
            Element::Leaf { flags, .. } => Content::Leaf { flags, key, value },
            Element::Branch { child, .. } => Content::Branch { key, child },
        }))
    }

    /// What stands at a place that an element named.
    pub(super) fn at(&self, place: Range<usize>) -> &[u8] {
        &self.bytes[place]
    }
}

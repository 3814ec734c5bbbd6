//! What waits on one level of a tree until it fills a page.
//!
//! A leaf of one pair is fine, however large: the page then goes on over several. A branch of one child
//! is not: bbolt, when it merges a page that has lost most of its pairs, asserts that the page has a
//! neighbour below the same branch. So a branch is only closed when at least two children are left for the next one.

use alloc::vec::Vec;

use super::{error::WriteError, pages::PAGE_LENGTH, pages::Pages, sink::Sink};
use crate::format::{ELEMENT_BYTES, Element, Kind, PAGE_HEADER_BYTES, PageId};

/// Elements that wait for their page, and their keys and values as they will stand in it.
#[derive(Debug)]
pub(super) struct Pending {
    kind: Kind,
    elements: Vec<Element>,
    data: Vec<u8>,
}

impl Pending {
    /// The level of the pairs.
    pub(super) const fn leaf() -> Self {
        Self { kind: Kind::Leaf, elements: Vec::new(), data: Vec::new() }
    }

    /// A level above another.
    pub(super) const fn branch() -> Self {
        Self { kind: Kind::Branch, elements: Vec::new(), data: Vec::new() }
    }

    /// Adds a pair, or a bucket, to a leaf.
    pub(super) fn push_pair(&mut self, flags: u32, key: &[u8], value: &[u8]) {
        assert!(self.kind == Kind::Leaf, "pairs stand in leaves");
        let (key_bytes, value_bytes) = (length(key), length(value));
        self.elements.push(Element::Leaf { flags, key_bytes, value_bytes });
        self.data.extend_from_slice(key);
        self.data.extend_from_slice(value);
    }

    /// Adds the page `child`, which begins with `key`, to a branch.
    pub(super) fn push_child(&mut self, key: &[u8], child: PageId) {
        assert!(self.kind == Kind::Branch, "pages are named by branches");
        self.elements.push(Element::Branch { key_bytes: length(key), child });
        self.data.extend_from_slice(key);
    }

    pub(super) const fn len(&self) -> usize {
        self.elements.len()
    }

    /// How many elements from the front make a page that nothing to come could still change.
    pub(super) fn full_page(&self) -> Option<usize> {
        if self.fits() {
            return None;
        }
        let count = self.fitting().max(self.elements_min());
        (self.len() >= count + self.elements_min()).then_some(count)
    }

    /// How many elements from the front make a page when nothing is to come.
    pub(super) fn page_at_end(&self) -> usize {
        if self.fits() || self.len() < 2 * self.elements_min() {
            return self.len();
        }
        self.len() - self.elements_min()
    }

    /// Writes the first `count` elements as a page. Gives the page and its first key.
    pub(super) fn write<S: Sink>(
        &mut self,
        count: usize,
        pages: &mut Pages<S>,
    ) -> Result<(PageId, Vec<u8>), WriteError<S::Error>> {
        let data_bytes = data_length(&self.elements[..count]);
        let id = pages.write(self.kind, &self.elements[..count], &self.data[..data_bytes])?;
        let key_bytes = self.elements.first().map_or(0, |element| element.key_bytes() as usize);
        let first_key = self.data[..key_bytes].to_vec();
        self.elements.drain(..count);
        self.data.drain(..data_bytes);
        Ok((id, first_key))
    }

    const fn elements_min(&self) -> usize {
        if matches!(self.kind, Kind::Leaf) { 1 } else { 2 }
    }

    fn fits(&self) -> bool {
        PAGE_HEADER_BYTES + self.len() * ELEMENT_BYTES + self.data.len() <= PAGE_LENGTH
    }

    /// How many elements from the front fit in one page.
    fn fitting(&self) -> usize {
        let mut bytes = PAGE_HEADER_BYTES;
        let fits = |element: &&Element| {
            bytes += ELEMENT_BYTES + data_length(core::slice::from_ref(element));
            bytes <= PAGE_LENGTH
        };
        self.elements.iter().take_while(fits).count()
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("keys and values are checked to be below 2 GiB")
}

fn data_length(elements: &[Element]) -> usize {
    let bytes: u64 = elements.iter().map(|element| element.data_bytes()).sum();
    usize::try_from(bytes).expect("the data of the elements is in memory")
}

//! A walk over a tree, from its first leaf to its last.

use alloc::{vec, vec::Vec};

use super::{
    error::{ElementFlaw, PageFlaw, ReadError},
    order::Order,
    page::{Content, Page},
    reader::Reader,
    source::Source,
};
use crate::format::PageId;

/// A tree of pages with two elements each would be this deep with 2^32 leaves.
const DEPTH_MAX: usize = 32;

/// Where a walk stands: the pages from the root to a leaf, each read up to the one below it.
#[derive(Debug)]
pub(super) struct Cursor<'reader, S> {
    reader: &'reader Reader<S>,
    path: Vec<Page>,
    order: Order,
}

/// An element of a leaf.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'page> {
    pub(super) page: PageId,
    pub(super) number: u16,
    pub(super) flags: u32,
    pub(super) key: &'page [u8],
    pub(super) value: &'page [u8],
}

impl Entry<'_> {
    /// Says what is wrong with this element.
    pub(super) const fn flawed<E>(&self, flaw: ElementFlaw) -> ReadError<E> {
        ReadError::Element { page: self.page, number: self.number, flaw }
    }
}

impl<'reader, S: Source> Cursor<'reader, S> {
    /// A walk over the tree below `root`.
    pub(super) fn new(reader: &'reader Reader<S>, root: Page) -> Result<Self, ReadError<S::Error>> {
        if root.is_empty() && !root.is_empty_leaf() {
            return Err(ReadError::Page { page: root.place, flaw: PageFlaw::Empty });
        }
        Ok(Self { reader, path: vec![root], order: Order::default() })
    }

    /// The next element of a leaf; nothing at the end, and none after an error.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry<'_>>, ReadError<S::Error>> {
        match self.advance() {
            Ok(Some(leaf)) => Ok(self.path.last().map(|page| entry(page, leaf))),
            Ok(None) => Ok(None),
            Err(error) => {
                self.path.clear();
                Err(error)
            }
        }
    }

    /// Goes on to the next element of a leaf, which is then at the end of the path.
    fn advance(&mut self) -> Result<Option<LeafElement>, ReadError<S::Error>> {
        while let Some(page) = self.path.last_mut() {
            let content = page.next_element();
            let flawed =
                |flaw| ReadError::Element { page: page.place, number: page.last_number(), flaw };
            match content.map_err(flawed)? {
                None => {
                    self.path.pop();
                }
                Some(Content::Leaf { flags, key, value }) => {
                    if !self.order.admits_leaf(page.at(key.clone())) {
                        return Err(flawed(ElementFlaw::OutOfOrder));
                    }
                    return Ok(Some(LeafElement { flags, key, value }));
                }
                Some(Content::Branch { key, child }) => {
                    if !self.order.admits_branch(page.at(key)) {
                        return Err(flawed(ElementFlaw::OutOfOrder));
                    }
                    self.descend(child)?;
                }
            }
        }
        Ok(None)
    }

    fn descend(&mut self, child: PageId) -> Result<(), ReadError<S::Error>> {
        let flawed = |flaw| ReadError::Page { page: child, flaw };
        if self.path.len() == DEPTH_MAX {
            return Err(flawed(PageFlaw::Depth));
        }
        let page = self.reader.page(child)?;
        if page.is_empty() {
            return Err(flawed(PageFlaw::Empty));
        }
        self.path.push(page);
        Ok(())
    }
}

/// An element of a leaf as places in its page.
struct LeafElement {
    flags: u32,
    key: core::ops::Range<usize>,
    value: core::ops::Range<usize>,
}

fn entry(page: &Page, leaf: LeafElement) -> Entry<'_> {
    Entry {
        page: page.place,
        number: page.last_number(),
        flags: leaf.flags,
        key: page.at(leaf.key),
        value: page.at(leaf.value),
    }
}

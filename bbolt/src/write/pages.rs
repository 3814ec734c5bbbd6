//! Pages in the order of their numbers, and how many there will be.

use alloc::vec::Vec;

use super::{error::WriteError, sink::Sink};
use crate::{
    format::{
        ELEMENT_BYTES, Element, FREELIST_PAGE, Kind, PAGE_BYTES, PAGE_HEADER_BYTES, PageHeader,
        PageId,
    },
    meta::{self, META_BYTES},
};

/// The size of a page, as the length of a slice.
pub(super) const PAGE_LENGTH: usize = PAGE_BYTES as usize;
const ZEROS: [u8; PAGE_LENGTH] = [0; PAGE_LENGTH];
const FIRST_TREE_PAGE: PageId = PageId(FREELIST_PAGE.0 + 1);

/// What measuring a file gives: all that must be known before its first byte is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub(super) root: PageId,
    pub(super) end: PageId,
}

impl Layout {
    /// The size of the file, in bytes.
    #[must_use]
    pub const fn file_bytes(&self) -> u64 {
        self.end.0 * PAGE_BYTES as u64
    }
}

/// Hands pages to a sink and numbers to pages.
#[derive(Debug)]
pub(super) struct Pages<S> {
    sink: S,
    next: PageId,
    /// No page of this number or beyond was measured.
    end: PageId,
}

impl<S: Sink> Pages<S> {
    /// Pages of a file whose size is not known, without those in front of the trees.
    pub(super) const fn unmeasured(sink: S) -> Self {
        Self { sink, next: FIRST_TREE_PAGE, end: PageId(u64::MAX) }
    }

    /// Pages of a measured file. Those in front of the trees are written at once.
    pub(super) fn measured(layout: Layout, mut sink: S) -> Result<Self, S::Error> {
        for (id, meta) in (0..).zip(meta::written(layout.root, layout.end)) {
            sink.write(&PageHeader::new(PageId(id), Kind::Meta).encode())?;
            sink.write(&meta.encode())?;
            sink.write(&ZEROS[PAGE_HEADER_BYTES + META_BYTES..])?;
        }
        sink.write(&PageHeader::new(FREELIST_PAGE, Kind::Freelist).encode())?;
        sink.write(&ZEROS[PAGE_HEADER_BYTES..])?;
        Ok(Self { sink, next: FIRST_TREE_PAGE, end: layout.end })
    }

    /// The number of the next page.
    pub(super) const fn next(&self) -> PageId {
        self.next
    }

    /// Writes a page with as many more as it needs. `data` are the keys and values of the elements.
    pub(super) fn write(
        &mut self,
        kind: Kind,
        elements: &[Element],
        data: &[u8],
    ) -> Result<PageId, WriteError<S::Error>> {
        let table_bytes = PAGE_HEADER_BYTES + elements.len() * ELEMENT_BYTES;
        let bytes = table_bytes + data.len();
        let pages = bytes.div_ceil(PAGE_LENGTH);
        let id = self.next;
        self.next = PageId(id.0 + pages as u64);
        if self.next > self.end {
            return Err(WriteError::NotAsMeasured);
        }
        let header = PageHeader {
            count: u16::try_from(elements.len()).expect("elements of 17 bytes fill a page early"),
            overflow: u32::try_from(pages - 1).expect("a page holds few values below 2 GiB"),
            ..PageHeader::new(id, kind)
        };
        let mut table = Vec::with_capacity(table_bytes);
        table.extend_from_slice(&header.encode());
        encode_elements(elements, &mut table);
        self.sink.write(&table).map_err(WriteError::Sink)?;
        self.sink.write(data).map_err(WriteError::Sink)?;
        let padding = &ZEROS[..pages * PAGE_LENGTH - bytes];
        self.sink.write(padding).map_err(WriteError::Sink)?;
        Ok(id)
    }
}

fn encode_elements(elements: &[Element], table: &mut Vec<u8>) {
    // From the start of the next element to where its key will stand.
    let mut position = (elements.len() * ELEMENT_BYTES) as u64;
    for element in elements {
        let from_element = u32::try_from(position).expect("a page is smaller than 4 GiB");
        table.extend_from_slice(&element.encode(from_element));
        position = position + element.data_bytes() - ELEMENT_BYTES as u64;
    }
}

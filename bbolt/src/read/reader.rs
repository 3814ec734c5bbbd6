//! The reader: which meta counts, and the walks over buckets and pairs.

use alloc::vec::Vec;

use super::{
    cursor::{Cursor, Entry},
    error::{ElementFlaw, MetaFlaw, PageFlaw, ReadError},
    page::Page,
    source::Source,
};
use crate::{
    format::{
        BUCKET_FLAG, BUCKET_HEADER_BYTES, FREELIST_PAGE, PAGE_HEADER_BYTES, PageHeader, PageId,
        number_u64,
    },
    meta::{META_BYTES, Meta, PAGE_BITS},
};

/// A page with all that overflows is at most this large. bbolt puts up to four values in a leaf however large they
/// are, and etcd takes values of 1.5 MiB unless it is told otherwise.
const PAGE_BYTES_MAX: u64 = 128 << 20;

/// Reads a file of bbolt. What follows it, such as the checksum of a snapshot, does no harm.
#[derive(Debug)]
pub struct Reader<S> {
    source: S,
    meta: Meta,
}

/// A bucket that was found.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Its name.
    pub name: Vec<u8>,
    root: Root,
}

/// Where a bucket's pairs are.
#[derive(Clone, Debug)]
enum Root {
    /// In a tree with this page at its top.
    Page(PageId),
    /// In these bytes, which are a page and were found in the page `holder`.
    Inline { holder: PageId, bytes: Vec<u8> },
}

/// A key and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair<'page> {
    /// The key; it has at least one byte.
    pub key: &'page [u8],
    /// The value.
    pub value: &'page [u8],
}

/// The buckets of a file, in the order of their names.
#[derive(Debug)]
pub struct Buckets<'reader, S>(Cursor<'reader, S>);

/// The pairs of a bucket, in the order of their keys.
#[derive(Debug)]
pub struct Pairs<'reader, S>(Cursor<'reader, S>);

impl<S: Source> Reader<S> {
    /// Reads the metas. The whole one with the higher transaction counts.
    ///
    /// # Errors
    /// If neither is whole, and what the source says.
    pub fn open(source: S) -> Result<Self, ReadError<S::Error>> {
        let first = meta_at(&source, 0).map_err(ReadError::Source)?;
        let second = second_meta(&source, first).map_err(ReadError::Source)?;
        let meta = match (first, second) {
            (Ok(first), Ok(second)) if second.transaction > first.transaction => second,
            (Ok(meta), _) | (_, Ok(meta)) => meta,
            (Err(first), Err(second)) => return Err(ReadError::Metas { first, second }),
        };
        Ok(Self { source, meta })
    }

    /// The size of the file's pages, in bytes.
    pub const fn page_bytes(&self) -> u32 {
        self.meta.page_bytes
    }

    /// The transaction that the file is the state after.
    pub const fn transaction(&self) -> u64 {
        self.meta.transaction
    }

    /// Walks over the buckets.
    ///
    /// # Errors
    /// If the page at the top is malformed, and what the source says.
    pub fn buckets(&self) -> Result<Buckets<'_, S>, ReadError<S::Error>> {
        Ok(Buckets(Cursor::new(self, self.page(self.meta.root)?)?))
    }

    /// The bucket of that name, if there is one.
    ///
    /// # Errors
    /// If a page on the way is malformed, and what the source says.
    pub fn bucket(&self, name: &[u8]) -> Result<Option<Bucket>, ReadError<S::Error>> {
        let mut buckets = self.buckets()?;
        while let Some(bucket) = buckets.next_bucket()? {
            if bucket.name == name {
                return Ok(Some(bucket));
            }
        }
        Ok(None)
    }

    /// Walks over the pairs of a bucket of this file.
    ///
    /// # Errors
    /// If the page at the top is malformed, and what the source says.
    pub fn pairs(&self, bucket: &Bucket) -> Result<Pairs<'_, S>, ReadError<S::Error>> {
        let root = match &bucket.root {
            Root::Page(page) => self.page(*page)?,
            Root::Inline { holder, bytes } => Page::inline(*holder, bytes.clone())
                .map_err(|flaw| ReadError::Page { page: *holder, flaw })?,
        };
        Ok(Pairs(Cursor::new(self, root)?))
    }

    /// Reads a page of a tree with all that overflows.
    pub(super) fn page(&self, id: PageId) -> Result<Page, ReadError<S::Error>> {
        let flawed = |flaw| ReadError::Page { page: id, flaw };
        let mut bytes = Vec::new();
        self.read_pages(id, 1, &mut bytes)?;
        let header = PageHeader::decode(&bytes).expect("a page is longer than its header");
        if header.id != id {
            return Err(flawed(PageFlaw::Id { found: header.id }));
        }
        if header.overflow > 0 {
            self.read_pages(id, u64::from(header.overflow) + 1, &mut bytes)?;
        }
        Page::new(id, bytes).map_err(flawed)
    }

    /// Reads on until `bytes` are `count` pages from `id` on.
    fn read_pages(
        &self,
        id: PageId,
        count: u64,
        bytes: &mut Vec<u8>,
    ) -> Result<(), ReadError<S::Error>> {
        let (start, length) =
            self.place(id, count).map_err(|flaw| ReadError::Page { page: id, flaw })?;
        let have = bytes.len();
        bytes.resize(length, 0);
        self.source.read(start + have as u64, &mut bytes[have..]).map_err(ReadError::Source)
    }

    /// Where `count` pages from `id` on begin, and how many bytes they are.
    fn place(&self, id: PageId, count: u64) -> Result<(u64, usize), PageFlaw> {
        let (end, file_bytes) = (self.meta.end, self.source.bytes());
        let is_within = id.0.checked_add(count).is_some_and(|behind| behind <= end.0);
        if id < FREELIST_PAGE || !is_within {
            return Err(PageFlaw::OutOfBounds { end });
        }
        let page_bytes = u64::from(self.meta.page_bytes);
        let length = count * page_bytes;
        if length > PAGE_BYTES_MAX {
            return Err(PageFlaw::Size { bytes: length });
        }
        let start = id.0.checked_mul(page_bytes).ok_or(PageFlaw::CutOff { file_bytes })?;
        if start.checked_add(length).is_none_or(|behind| behind > file_bytes) {
            return Err(PageFlaw::CutOff { file_bytes });
        }
        Ok((start, usize::try_from(length).expect("the largest page fits in memory's addresses")))
    }
}

impl<S: Source> Buckets<'_, S> {
    /// The next bucket; nothing behind the last, and none after an error.
    ///
    /// # Errors
    /// If a page on the way is malformed, and what the source says.
    pub fn next_bucket(&mut self) -> Result<Option<Bucket>, ReadError<S::Error>> {
        self.0.next_entry()?.map(|entry| bucket_of(&entry)).transpose()
    }
}

impl<S: Source> Pairs<'_, S> {
    /// The next pair; nothing behind the last, and none after an error.
    ///
    /// # Errors
    /// If a page on the way is malformed, and what the source says.
    pub fn next_pair(&mut self) -> Result<Option<Pair<'_>>, ReadError<S::Error>> {
        let Some(entry) = self.0.next_entry()? else {
            return Ok(None);
        };
        match entry.flags {
            0 => Ok(Some(Pair { key: entry.key, value: entry.value })),
            BUCKET_FLAG => Err(entry.flawed(ElementFlaw::NestedBucket)),
            found => Err(entry.flawed(ElementFlaw::Flags { found })),
        }
    }
}

fn bucket_of<E>(entry: &Entry<'_>) -> Result<Bucket, ReadError<E>> {
    match entry.flags {
        BUCKET_FLAG => {}
        0 => return Err(entry.flawed(ElementFlaw::NoBucket)),
        found => return Err(entry.flawed(ElementFlaw::Flags { found })),
    }
    let Some((header, inline)) = entry.value.split_at_checked(BUCKET_HEADER_BYTES) else {
        return Err(entry.flawed(ElementFlaw::ShortBucket));
    };
    let root = match number_u64(header, 0).expect("a bucket's header begins with its root") {
        0 if inline.len() < PAGE_HEADER_BYTES => {
            return Err(entry.flawed(ElementFlaw::ShortBucket));
        }
        0 => Root::Inline { holder: entry.page, bytes: inline.to_vec() },
        page => Root::Page(PageId(page)),
    };
    Ok(Bucket { name: entry.key.to_vec(), root })
}

/// The meta of page 1. Where that page begins the first meta says, or else the second at its own place.
fn second_meta<S: Source>(
    source: &S,
    first: Result<Meta, MetaFlaw>,
) -> Result<Result<Meta, MetaFlaw>, S::Error> {
    if let Ok(first) = first {
        return second_meta_at(source, first.page_bytes);
    }
    let mut flaw = MetaFlaw::CutOff;
    for bits in PAGE_BITS {
        match second_meta_at(source, 1 << bits)? {
            Ok(meta) => return Ok(Ok(meta)),
            // Whatever stands where there is no meta tells nothing, but a broken meta does.
            Err(MetaFlaw::Magic { .. } | MetaFlaw::CutOff) if flaw != MetaFlaw::CutOff => {}
            Err(found) => flaw = found,
        }
    }
    Ok(Err(flaw))
}

fn second_meta_at<S: Source>(
    source: &S,
    page_bytes: u32,
) -> Result<Result<Meta, MetaFlaw>, S::Error> {
    let meta = meta_at(source, u64::from(page_bytes))?;
    Ok(meta.and_then(|meta| match meta.page_bytes {
        found if found != page_bytes => Err(MetaFlaw::PageSize { found }),
        _ => Ok(meta),
    }))
}

/// The meta of the page that begins at `offset`.
fn meta_at<S: Source>(source: &S, offset: u64) -> Result<Result<Meta, MetaFlaw>, S::Error> {
    let start = offset + PAGE_HEADER_BYTES as u64;
    let mut bytes = [0; META_BYTES];
    if start + META_BYTES as u64 > source.bytes() {
        return Ok(Err(MetaFlaw::CutOff));
    }
    source.read(start, &mut bytes)?;
    Ok(Meta::decode(&bytes))
}

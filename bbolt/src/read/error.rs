//! What is wrong with a file, and where.

use core::fmt;

use crate::format::PageId;

/// Why a file cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError<E> {
    /// The source gave no bytes.
    Source(E),
    /// Neither of the two metas is whole, so nothing says where the data is.
    Metas {
        /// What is wrong with that of page 0.
        first: MetaFlaw,
        /// What is wrong with that of page 1.
        second: MetaFlaw,
    },
    /// A page cannot be part of the tree that leads to it.
    Page {
        /// The page; for the page of an inline bucket the one that it lies in.
        page: PageId,
        /// What is wrong with it.
        flaw: PageFlaw,
    },
    /// An element of a page cannot be what it says.
    Element {
        /// The page; for the page of an inline bucket the one that it lies in.
        page: PageId,
        /// Which element, from 0.
        number: u16,
        /// What is wrong with it.
        flaw: ElementFlaw,
    },
}

/// What is wrong with a meta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaFlaw {
    /// The file ends before.
    CutOff,
    /// It does not begin with the number that marks a file of bbolt.
    Magic {
        /// What it begins with.
        found: u32,
    },
    /// It has another version than 2.
    Version {
        /// The version.
        found: u32,
    },
    /// Its checksum is not that of its bytes.
    Checksum,
    /// Pages cannot have that size, or the other meta names another.
    PageSize {
        /// The size, in bytes.
        found: u32,
    },
}

/// What is wrong with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFlaw {
    /// It is one of the metas, or lies behind the pages in use.
    OutOfBounds {
        /// One behind the last page in use.
        end: PageId,
    },
    /// The file ends before it does.
    CutOff {
        /// The size of the file.
        file_bytes: u64,
    },
    /// It says that it is another page.
    Id {
        /// The page that it says it is.
        found: PageId,
    },
    /// It is neither a leaf nor a branch, or not the one that belongs there.
    Kind {
        /// Its flags.
        flags: u16,
    },
    /// It goes on over more pages than any values that etcd takes could fill.
    Size {
        /// Its size with all that belongs to it.
        bytes: u64,
    },
    /// It has no room for the elements that it counts.
    Count {
        /// How many it counts.
        count: u16,
    },
    /// It has no elements. Only the one page of an empty bucket may have none.
    Empty,
    /// It lies deeper than any tree that bbolt could build.
    Depth,
}

/// What is wrong with an element of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementFlaw {
    /// Its key does not begin where that of the element before ends.
    Position {
        /// Where it says that its key begins, from its own start.
        found: u32,
    },
    /// Its key or value goes on behind the end of the page.
    CutOff,
    /// Its key has no bytes.
    EmptyKey,
    /// Its key is not greater than those before it, or lower than the branch above says.
    OutOfOrder,
    /// It is marked as something unknown.
    Flags {
        /// The mark.
        found: u32,
    },
    /// It is a bucket, but its value is too short for one.
    ShortBucket,
    /// It is a bucket within a bucket, which etcd never has.
    NestedBucket,
    /// It is a pair beside the buckets, where bbolt puts none.
    NoBucket,
}

impl<E: fmt::Display> fmt::Display for ReadError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(formatter),
            Self::Metas { first, second } => write!(
                formatter,
                "this is no file of bbolt, or its start is damaged: the first meta {first}, the second {second}"
            ),
            Self::Page { page, flaw } => write!(formatter, "page {page} {flaw}"),
            Self::Element { page, number, flaw } => {
                write!(formatter, "element {number} of page {page} {flaw}")
            }
        }
    }
}

impl fmt::Display for MetaFlaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff => write!(formatter, "is cut off"),
            Self::Magic { found } => write!(formatter, "begins with {found:#010x}"),
            Self::Version { found } => write!(formatter, "has version {found} in place of 2"),
            Self::Checksum => write!(formatter, "has a wrong checksum"),
            Self::PageSize { found } => write!(formatter, "names pages of {found} bytes"),
        }
    }
}

impl fmt::Display for PageFlaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfBounds { end } => {
                write!(formatter, "is named, and the pages of trees are 2 up to but not {end}")
            }
            Self::CutOff { file_bytes } => {
                write!(formatter, "goes on behind the end of the file at {file_bytes} bytes")
            }
            Self::Id { found } => write!(formatter, "says that it is page {found}"),
            Self::Kind { flags } => {
                write!(formatter, "has flags {flags:#x}, which do not belong there")
            }
            Self::Size { bytes } => {
                write!(formatter, "claims {bytes} bytes, more than is believed")
            }
            Self::Count { count } => write!(formatter, "has no room for its {count} elements"),
            Self::Empty => write!(formatter, "has no elements"),
            Self::Depth => write!(formatter, "lies deeper than a tree can be"),
        }
    }
}

impl fmt::Display for ElementFlaw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position { found } => {
                write!(formatter, "says {found} bytes to its key, which leaves a gap or overlaps")
            }
            Self::CutOff => write!(formatter, "goes on behind the end of the page"),
            Self::EmptyKey => write!(formatter, "has an empty key"),
            Self::OutOfOrder => write!(formatter, "has a key that is out of order"),
            Self::Flags { found } => write!(formatter, "has unknown flags {found:#x}"),
            Self::ShortBucket => write!(formatter, "is a bucket that is cut off"),
            Self::NestedBucket => write!(formatter, "is a bucket within a bucket"),
            Self::NoBucket => write!(formatter, "is a pair outside of all buckets"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for ReadError<E> {}

//! What the log asks of a disk: four operations on numbered files.

use core::fmt;

use kernel::Bytes;

/// One file of the log, numbered from 1 without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentNumber(pub u64);

impl SegmentNumber {
    /// The first segment of every log.
    pub const FIRST: Self = Self(1);

    /// The segment after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for SegmentNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

/// One thing to do to the disk. A list of them is carried out in its order; the first that fails
/// ends it, and none is ever tried again, except `Create`, which may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskOperation {
    /// Make a file full of zeros, durably: write the zeros (not merely reserve the room) under
    /// another name, flush, rename over whatever has the segment's name, flush the folder. This is
    /// where a full disk shows, before anything that needs the room is acknowledged.
    Create {
        /// The file.
        segment: SegmentNumber,
        /// Its size for ever.
        bytes_len: u64,
    },
    /// Write within the file. Nothing is promised before the next flush: any of the 512-byte
    /// sectors may be new and any may be as before.
    Write {
        /// The file.
        segment: SegmentNumber,
        /// From its start, in bytes; a multiple of 512.
        offset: u64,
        /// What to write; a multiple of 512 bytes.
        bytes: Bytes,
    },
    /// Make every earlier write to the file durable (`fdatasync`).
    Flush {
        /// The file.
        segment: SegmentNumber,
    },
    /// Remove the file and flush the folder.
    Remove {
        /// The file.
        segment: SegmentNumber,
    },
}

impl DiskOperation {
    /// The file that is meant.
    #[must_use]
    pub const fn segment(&self) -> SegmentNumber {
        match self {
            Self::Create { segment, .. }
            | Self::Write { segment, .. }
            | Self::Flush { segment }
            | Self::Remove { segment } => *segment,
        }
    }
}

//! How far a recovered log can be trusted, and why a log cannot be used: each with what to do next.

use core::fmt;

use kernel::{EntryId, Index};

use crate::{disk::SegmentNumber, segment::Identity};

/// How far a log that was recovered can be trusted. The replica may start in all three cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Everything is there.
    Whole,
    /// The last batch was being written when the power went and was never acknowledged: it is cut,
    /// nothing is lost.
    Torn {
        /// The batch that was cut.
        batch: u64,
        /// The first index that it may have held.
        from: Index,
    },
    /// The last batch is damaged and may have been acknowledged. Its head is intact, so term and vote
    /// are known: the replica may follow and acknowledge, but neither votes nor campaigns until the
    /// last entry of its log is `until` or later in the order of [`EntryId`]. The log remembers this
    /// over restarts.
    Uncertain {
        /// The first index that may be lost.
        from: Index,
        /// How far the replica may once have acknowledged.
        until: EntryId,
    },
}

impl Trust {
    /// True if the replica may vote and campaign at once.
    #[must_use]
    pub const fn may_vote(&self) -> bool {
        !matches!(self, Self::Uncertain { .. })
    }
}

/// Bytes that were, or may have been, acknowledged and cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub segment: SegmentNumber,
    /// Where in the file, in bytes, the first batch lies that cannot be read.
    pub offset: u64,
    /// The number of that batch.
    pub batch: u64,
    /// The first index that is lost or may be.
    pub from: Index,
    /// True if what is lost was certainly acknowledged, false if that cannot be told.
    pub proven: bool,
    /// What should have been there.
    pub what: &'static str,
}

/// Why a log cannot be used. Nothing on the disk was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryError {
    /// Acknowledged data is damaged, or may be: this disk can never again speak as its old self.
    Damaged(Damage),
    /// A file of another cluster, replica or disk.
    Foreign {
        /// The file.
        segment: SegmentNumber,
        /// Whose log this is.
        expected: Identity,
        /// Whose log the file belongs to.
        found: Identity,
    },
    /// A file of this log under the name of another.
    Misplaced {
        /// Its name.
        segment: SegmentNumber,
        /// What it says it is.
        found: SegmentNumber,
    },
    /// A file that must be there is not.
    MissingSegment {
        /// The file.
        segment: SegmentNumber,
    },
    /// A file has been cut or has grown.
    WrongSize {
        /// The file.
        segment: SegmentNumber,
        /// Its size in bytes.
        found: u64,
        /// What it should be, if its header could be read.
        expected: Option<u64>,
    },
    /// Written by a later version of this program.
    Newer {
        /// The file.
        segment: SegmentNumber,
        /// The version of the format.
        version: u16,
    },
    /// There is no file at all.
    Empty,
    /// The making of the log was interrupted; it never acknowledged anything.
    Unfinished,
}

impl fmt::Display for Damage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let certainty = if self.proven { "are" } else { "may be" };
        write!(
            formatter,
            "batch {} in segment {} at byte {} is damaged (expected {}): entries from index {} on {certainty} lost",
            self.batch, self.segment, self.offset, self.what, self.from
        )
    }
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(damage) => write!(
                formatter,
                "{damage}. Nothing was changed. Keep the folder, start this node with an \
                 empty one and let it join again: the other members bring it up to date"
            ),
            Self::Foreign { segment, expected, found } => write!(
                formatter,
                "segment {segment} belongs to node {} of cluster {:x} on disk {:x}, and this \
                 is node {} of cluster {:x} on disk {:x}. Was a file copied from another \
                 folder? Put the node's own files back",
                found.node,
                found.cluster.0,
                found.disk.0,
                expected.node,
                expected.cluster.0,
                expected.disk.0
            ),
            Self::Misplaced { segment, found } => write!(
                formatter,
                "the file of segment {segment} is segment {found}. Was a file renamed? Give each file its own name back"
            ),
            Self::MissingSegment { segment } => write!(
                formatter,
                "segment {segment} of the log is missing. Put the file back; if it is gone, \
                 start this node with an empty folder and let it join again"
            ),
            Self::WrongSize { segment, found, expected: Some(expected) } => write!(
                formatter,
                "segment {segment} has {found} bytes and should have {expected}. Was the file \
                 cut in copying? Put the whole file back"
            ),
            Self::WrongSize { segment, found, expected: None } => write!(
                formatter,
                "segment {segment} has {found} bytes, which no segment of a log has. Was the \
                 file cut in copying? Put the whole file back"
            ),
            Self::Newer { segment, version } => write!(
                formatter,
                "segment {segment} is of format {version}, which this version cannot read. \
                 Start the version that wrote it, or a later one"
            ),
            Self::Empty => formatter.write_str(
                "the log has no segment. If the folder is new, create the log; if not, its \
                 files are gone: start this node with an empty folder and let it join again",
            ),
            Self::Unfinished => formatter.write_str(
                "the log was being created when the process ended, and it never acknowledged anything: create it again",
            ),
        }
    }
}

impl core::error::Error for RecoveryError {}

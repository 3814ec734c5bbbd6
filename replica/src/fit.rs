//! Whether the durable tables of a replica and its recovered log go together, asked at every start.

use core::fmt;

use kernel::{EntryId, Index, TablesMeta};
use log::Recovered;

/// Why the tables and the log of a replica do not go together: one of them has lost something. The
/// replica must not start as its old self.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The tables lack what the log no longer has.
    TablesBehind {
        /// The last entry that the tables hold.
        applied: Index,
        /// The entry after which the log begins.
        base: Index,
    },
    /// The tables hold what the log has lost: it was acknowledged (B40).
    TablesAhead {
        /// The last entry that the tables hold.
        applied: Index,
        /// The last entry of the log.
        last: Index,
    },
    /// The tables hold another entry at this place than the log.
    TablesApart {
        /// The last entry that the tables hold.
        applied: EntryId,
    },
}

/// Asks whether tables that say `meta` of themselves go with the log.
///
/// # Errors
/// Why they do not.
pub fn check_fit(recovered: &Recovered, meta: &TablesMeta) -> Result<(), Misfit> {
    let (applied, base) = (meta.applied, recovered.base);
    let last = recovered.entries.last().map_or(base, kernel::Entry::id);
    if applied.index < base.index {
        return Err(Misfit::TablesBehind { applied: applied.index, base: base.index });
    }
    if applied.index > last.index {
        return Err(Misfit::TablesAhead { applied: applied.index, last: last.index });
    }
    let entries = recovered.entries.iter().map(kernel::Entry::id);
    let known = core::iter::once(base).chain(entries).find(|id| id.index == applied.index);
    if known == Some(applied) { Ok(()) } else { Err(Misfit::TablesApart { applied }) }
}

impl Misfit {
    /// True if it is the log that has lost something.
    #[must_use]
    pub const fn is_of_the_log(&self) -> bool {
        matches!(self, Self::TablesAhead { .. })
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TablesBehind { applied, base } => {
                write!(formatter, "it ends at index {applied}, and the log begins after {base}")
            }
            Self::TablesAhead { applied, last } => {
                write!(
                    formatter,
                    "it ends at index {last}, and the tables already hold index {applied}"
                )
            }
            Self::TablesApart { applied } => {
                write!(formatter, "it holds {applied}, which is not what the log has there")
            }
        }
    }
}

impl core::error::Error for Misfit {}

#[cfg(test)]
mod tests {
    use super::{Misfit, check_fit};
    use alloc::vec::Vec;
    use kernel::{
        Bytes, ClusterId, DiskId, EntryId, GroupId, Index, Membership, NodeId, Stamp, TablesMeta,
        Term,
    };
    use log::{DiskOperation, Identity, Limits, Log, Recovered, Recovery};

    /// An empty log, read back.
    fn recovered() -> Recovered {
        let identity = Identity { cluster: ClusterId(1), node: NodeId(1), disk: DiskId(1) };
        let limits = Limits { segment_bytes: 32 << 10, batch_bytes_max: 8 << 10 };
        let (_, operations) = Log::create(identity, limits, GroupId(1), Membership::default());
        let mut bytes = Vec::new();
        let mut segment = None;
        for operation in operations {
            match operation {
                DiskOperation::Create { segment: made, bytes_len } => {
                    segment.get_or_insert(made);
                    bytes.resize(usize::try_from(bytes_len).unwrap(), 0_u8);
                }
                DiskOperation::Write { segment: into, offset, bytes: new }
                    if Some(into) == segment =>
                {
                    let start = usize::try_from(offset).unwrap();
                    bytes[start..start + new.len()].copy_from_slice(&new);
                }
                _ => {}
            }
        }
        let segment = segment.expect("a log begins with a segment");
        let mut recovery = Recovery::new(identity, limits, &[segment]).unwrap();
        recovery.feed(segment, Bytes::from(bytes)).unwrap();
        recovery.finish().unwrap()
    }

    fn meta(index: u64, term: u64) -> TablesMeta {
        TablesMeta {
            applied: EntryId { term: Term(term), index: Index(index) },
            stamp: Stamp::default(),
            membership: alloc::sync::Arc::default(),
            digest: 0,
        }
    }

    #[test]
    fn tables_that_are_ahead_of_the_log_or_apart_from_it_do_not_fit() {
        let recovered = recovered();
        assert_eq!(check_fit(&recovered, &meta(0, 0)), Ok(()));
        let ahead = check_fit(&recovered, &meta(3, 1));
        assert_eq!(ahead, Err(Misfit::TablesAhead { applied: Index(3), last: Index(0) }));
        assert!(ahead.is_err_and(|misfit| misfit.is_of_the_log()));
        let apart = check_fit(&recovered, &meta(0, 1));
        assert!(matches!(apart, Err(Misfit::TablesApart { .. })), "{apart:?}");
    }
}

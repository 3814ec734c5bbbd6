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

//! The base of the tables: an embedded engine (redb), one file for each generation.
//!
//! ```text
//! tables/3.redb    pairs: full key -> value      every pair of the tables, sorted
//!                  meta:  0 -> TablesMeta        what they say of themselves, changed in the same
//!                                                transactions
//! ```
//! The engine keeps its allocator in the file with each commit, so that opening a file after a crash
//! does not walk it.

mod flush_thread;
mod generation;

pub(crate) use flush_thread::{FlushThread, FlushWork, Flushed};
pub(crate) use generation::{Filling, GenerationFile};

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use kernel::{BaseReading, Fault};
use redb::{ReadOnlyTable, TableDefinition};

const PAIRS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("pairs");
const META: TableDefinition<'_, u8, &[u8]> = TableDefinition::new("meta");
const META_KEY: u8 = 0;

/// One moment of a generation. The file stays as long as a moment of it does.
struct Moment {
    pairs: ReadOnlyTable<&'static [u8], &'static [u8]>,
    /// After the table, which must go first.
    file: Arc<GenerationFile>,
}

impl fmt::Debug for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Moment of {:?}", self.file)
    }
}

impl BaseReading for Moment {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        let found = self.pairs.get(key).map_err(fault)?;
        Ok(found.map(|value| Bytes::copy_from_slice(value.value())))
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = self.pairs.range::<&[u8]>(from..to).map_err(fault)?;
        let mut pairs = Vec::new();
        for pair in range.take(limit) {
            let (key, value) = pair.map_err(fault)?;
            let key = Bytes::copy_from_slice(key.value());
            pairs.push((key, Bytes::copy_from_slice(value.value())));
        }
        Ok(pairs)
    }
}

/// True if the file could be read, and what it says makes no sense.
fn is_about_content(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof)
}

/// What the engine's error means for the node.
fn fault(error: impl Into<redb::Error>) -> Fault {
    match error.into() {
        redb::Error::Corrupted(what) => Fault::Corrupt(format!("the tables: {what}")),
        redb::Error::Io(error) if is_about_content(&error) => {
            Fault::Corrupt(format!("the tables: {error}"))
        }
        other => Fault::Storage(format!("the tables: {other}")),
    }
}

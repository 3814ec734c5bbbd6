//! The base of the tables: an embedded engine (redb), one storage for each generation.
//!
//! ```text
//! a generation     pairs: full key -> value      every pair of the tables, sorted
//!                  meta:  0 -> TablesMeta        what they say of themselves, changed in the same
//!                                                transactions
//! ```
//! The engine keeps its allocator in the storage with each commit, so that opening it after a crash
//! does not walk it.
//!
//! What the storage is, a [`Place`] says: a file on a host, a simulated file in the simulator. The same
//! code runs over both.

mod generation;
mod moment;
mod place;
mod verify;

pub use generation::{Base, Filling};
pub use place::Place;
pub use redb::{BackendError, DatabaseError, StorageBackend, backends::FileBackend};

#[cfg(test)]
mod tests;

use kernel::Fault;
use redb::TableDefinition;

const PAIRS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("pairs");
const META: TableDefinition<'_, u8, &[u8]> = TableDefinition::new("meta");
const META_KEY: u8 = 0;

/// True if the file could be read, and what it says makes no sense.
fn is_about_content(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof)
}

/// What the engine's error means for the node: [`Fault::Corrupt`] if what was read makes no sense, else
/// [`Fault::Storage`].
pub fn fault(error: impl Into<redb::Error>) -> Fault {
    match error.into() {
        redb::Error::Corrupted(what) => Fault::Corrupt(format!("the tables: {what}")),
        // These are ours, and each has one type.
        error @ (redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TableIsNotMultimap(_)
        | redb::Error::TableDoesNotExist(_)
        | redb::Error::TypeDefinitionChanged { .. }) => {
            Fault::Corrupt(format!("the tables: {error}"))
        }
        redb::Error::Io(error) if is_about_content(&error) => {
            Fault::Corrupt(format!("the tables: {error}"))
        }
        other => Fault::Storage(format!("the tables: {other}")),
    }
}

//! Where a generation lies.

use std::fmt::Debug;

use kernel::Fault;
use redb::StorageBackend;

/// Where a generation lies. Written for people, it names the place.
///
/// It is dropped with the last reader of the generation.
pub trait Place: Debug + Send + Sync + 'static {
    /// The storage behind it.
    type Backend: StorageBackend;

    /// A new storage, empty. What stands in its place goes.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be made.
    fn create(&self) -> Result<Self::Backend, Fault>;

    /// The storage that is there.
    ///
    /// # Errors
    /// A [`Fault`] if it is not there or cannot be opened.
    fn open(&self) -> Result<Self::Backend, Fault>;

    /// A transaction is durable in the storage; makes durable, too, that the storage can be found.
    ///
    /// # Errors
    /// A [`Fault`] if that fails.
    fn committed(&self) -> Result<(), Fault>;
}

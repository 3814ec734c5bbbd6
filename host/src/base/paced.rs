//! [`Paced`]: a file that never has much to write at once.
//!
//! The engine writes a whole flush into the system's cache and then asks for all of it to be made durable. A disk
//! that has tens of megabytes before it makes everybody wait, the log first of all. So what was written is made
//! durable every now and then, and the flush waits for that instead.

use std::{
    io,
    ops::Bound,
    sync::atomic::{AtomicU64, Ordering},
};

use ::base::{BackendError, FileBackend, StorageBackend};

/// How much may be written before it is made durable, bytes: a few milliseconds of a slow disk.
const AT_ONCE_BYTES: u64 = 1 << 20;

/// A file whose writes are made durable as they come.
#[derive(Debug)]
pub(crate) struct Paced {
    file: FileBackend,
    /// Written since the last time that all was made durable, bytes.
    written: AtomicU64,
}

impl Paced {
    pub(crate) const fn new(file: FileBackend) -> Self {
        Self { file, written: AtomicU64::new(0) }
    }
}

impl StorageBackend for Paced {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.written.store(0, Ordering::Relaxed);
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)?;
        let written = self.written.fetch_add(data.len() as u64, Ordering::Relaxed);
        if written + (data.len() as u64) < AT_ONCE_BYTES { Ok(()) } else { self.sync_data() }
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

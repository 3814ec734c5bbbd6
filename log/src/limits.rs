//! How large segments and batches may be.

/// Sizes of a log. They may change from one start to the next: a segment keeps the size it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The size of a new segment, in bytes: a multiple of 4096.
    pub segment_bytes: u64,
    /// The most that the records of one batch may take, in bytes: at most a quarter of a segment, so
    /// that rolling wastes little.
    pub batch_bytes_max: u64,
}

impl Default for Limits {
    /// Segments of 16 MiB, batches of 4 MiB.
    fn default() -> Self {
        Self { segment_bytes: 16 << 20, batch_bytes_max: 4 << 20 }
    }
}

impl Limits {
    /// Asserts that the sizes go together.
    ///
    /// # Panics
    /// If they do not.
    pub fn check(&self) {
        assert_eq!(self.segment_bytes % 4096, 0, "a segment is a multiple of 4096 bytes");
        assert!(self.segment_bytes >= 32 << 10, "a segment has at least 32 KiB");
        assert!(self.segment_bytes <= 1 << 30, "a segment has at most 1 GiB");
        assert!(self.batch_bytes_max >= 4096, "a batch may have at least 4 KiB");
        assert!(self.batch_bytes_max <= self.segment_bytes / 4, "four batches fit in a segment");
    }

    /// The largest entry that fits in a batch, as [`kernel::Entry::size`] counts, in bytes.
    #[must_use]
    pub const fn entry_bytes_max(&self) -> u64 {
        self.batch_bytes_max - 64
    }
}

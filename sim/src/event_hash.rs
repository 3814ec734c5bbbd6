//! The event hash: two runs with the same one are the same run.

/// A hash over everything that happens, in order: equal hashes mean equal runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventHash(u64);

impl EventHash {
    pub(crate) const fn new() -> Self {
        Self(0x6172_6368_6970_656c)
    }

    pub(crate) const fn mix(&mut self, number: u64) {
        let mixed = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 29);
    }

    pub(crate) fn mix_wide(&mut self, number: u128) {
        for bytes in number.to_le_bytes().as_chunks::<8>().0 {
            self.mix(u64::from_le_bytes(*bytes));
        }
    }

    pub(crate) fn mix_bytes(&mut self, bytes: &[u8]) {
        self.mix(u64::from(kernel::checksum::crc32c(bytes)));
    }

    pub(crate) const fn value(self) -> u64 {
        self.0
    }
}

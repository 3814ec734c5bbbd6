//! Where a file's bytes come from.

use core::convert::Infallible;

/// Bytes that can be read at any place: a file, or a slice of bytes in memory.
pub trait Source {
    /// Why bytes cannot be read.
    type Error;

    /// How many bytes there are. It stays the same.
    fn bytes(&self) -> u64;

    /// Fills `into` with the bytes from `offset` on. The reader asks for none beyond [`Source::bytes`].
    ///
    /// # Errors
    /// Whatever the source has to say; the reader passes it on.
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), Self::Error>;
}

impl Source for [u8] {
    type Error = Infallible;

    fn bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), Infallible> {
        let start = usize::try_from(offset).expect("a place within a slice fits in usize");
        into.copy_from_slice(&self[start..start + into.len()]);
        Ok(())
    }
}

impl<S: Source + ?Sized> Source for &S {
    type Error = S::Error;

    fn bytes(&self) -> u64 {
        (**self).bytes()
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), S::Error> {
        (**self).read(offset, into)
    }
}

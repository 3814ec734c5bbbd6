//! Where the bytes of a file go.

use core::convert::Infallible;

/// Takes a file's bytes from the first to the last. A closure over a slice of bytes is one.
pub trait Sink {
    /// Why it could take no more.
    type Error;

    /// Takes the next bytes; a page may come in several parts.
    ///
    /// # Errors
    /// Whatever the sink has to say; the writer passes it on and is then of no further use.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

impl<F, E> Sink for F
where
    F: FnMut(&[u8]) -> Result<(), E>,
{
    type Error = E;

    fn write(&mut self, bytes: &[u8]) -> Result<(), E> {
        self(bytes)
    }
}

/// Takes everything and keeps nothing: what is written there is only measured.
#[derive(Clone, Copy, Debug)]
pub struct Nowhere;

impl Sink for Nowhere {
    type Error = Infallible;

    fn write(&mut self, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }
}

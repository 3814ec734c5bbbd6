//! [`Number`]: a bare number where the codec wants a value, and lists of names.

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Malformed, Reader, Wire, Writer};

/// A bare number, for [`Writer::put_option`].
pub(crate) struct Number<T>(pub(crate) T);

impl Wire for Number<u32> {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u32(self.0);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self(reader.take_u32()?))
    }
}

impl Wire for Number<u64> {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.0);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self(reader.take_u64()?))
    }
}

/// Appends a count, then each name.
pub(crate) fn put_names(names: &[Bytes], writer: &mut Writer) {
    writer.put_count(names.len());
    names.iter().for_each(|name| writer.put_bytes(name));
}

/// Takes what [`put_names`] wrote.
pub(crate) fn take_names(reader: &mut Reader) -> Result<Vec<Bytes>, Malformed> {
    (0..reader.take_u32()?).map(|_| reader.take_bytes()).collect()
}

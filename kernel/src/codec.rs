//! Bytes and values: fixed-width little-endian numbers and length-prefixed bytes, nothing clever.
//!
//! What is stored or sent is written by hand with these, so that its layout is in the source and
//! changes only on purpose.

use alloc::{string::String, vec::Vec};
use core::fmt;

use bytes::{Buf as _, Bytes};

/// A value with one layout in bytes, for files and for the wire.
pub trait Wire: Sized {
    /// Appends the value's bytes.
    fn encode(&self, writer: &mut Writer);

    /// Takes the value from the front of the reader.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not such a value; the reader is then of no further use.
    fn decode(reader: &mut Reader) -> Result<Self, Malformed>;

    /// The value's bytes.
    fn to_bytes(&self) -> Bytes {
        // Most values are small: one allocation is enough for them.
        let mut writer = Writer::with_capacity(96);
        self.encode(&mut writer);
        writer.into_bytes()
    }

    /// The value that `bytes` are, all of them.
    ///
    /// # Errors
    /// [`Malformed`] if they are not, or if something is left over.
    fn from_bytes(bytes: Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let value = Self::decode(&mut reader)?;
        reader.finish()?;
        Ok(value)
    }
}

/// The bytes are not what they should be: what was expected there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "malformed bytes: expected {}", self.0)
    }
}

impl core::error::Error for Malformed {}

/// Collects bytes.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

macro_rules! numbers {
    ($($put:ident, $take:ident, $number:ty, $name:literal;)*) => {
        impl Writer {
            $(
                #[doc = concat!("Appends a little-endian ", $name, ".")]
                pub fn $put(&mut self, number: $number) {
                    self.bytes.extend_from_slice(&number.to_le_bytes());
                }
            )*
        }

        impl Reader {
            $(
                #[doc = concat!("Takes a little-endian ", $name, ".")]
                ///
                /// # Errors
                /// [`Malformed`] if too few bytes are left.
                pub fn $take(&mut self) -> Result<$number, Malformed> {
                    let bytes = *self.rest.first_chunk().ok_or(Malformed($name))?;
                    self.rest.advance(size_of::<$number>());
                    Ok(<$number>::from_le_bytes(bytes))
                }
            )*
        }
    };
}

numbers! {
    put_u8, take_u8, u8, "u8";
    put_u16, take_u16, u16, "u16";
    put_u32, take_u32, u32, "u32";
    put_u64, take_u64, u64, "u64";
    put_u128, take_u128, u128, "u128";
}

impl Writer {
    /// A writer with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    /// Appends bytes as they are.
    pub fn put_raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends a length as u32, then the bytes.
    pub fn put_bytes(&mut self, bytes: &[u8]) {
        self.put_count(bytes.len());
        self.put_raw(bytes);
    }

    /// Appends a count of items as u32.
    pub fn put_count(&mut self, count: usize) {
        self.put_u32(u32::try_from(count).expect("what is encoded is far below 4 GiB"));
    }

    /// Appends 0 for nothing, or 1 and the value.
    pub fn put_option<T: Wire>(&mut self, value: Option<&T>) {
        self.put_u8(u8::from(value.is_some()));
        if let Some(value) = value {
            value.encode(self);
        }
    }

    /// Appends a count, then each item.
    pub fn put_list<T: Wire>(&mut self, items: &[T]) {
        self.put_count(items.len());
        for item in items {
            item.encode(self);
        }
    }

    /// How many bytes have been collected.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True if nothing has been collected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Forgets the bytes and keeps their room.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// The bytes collected so far.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes collected so far, to mend a length or a checksum in place.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The bytes.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.bytes
    }

    /// The bytes, to be shared.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        Bytes::from(self.bytes)
    }
}

/// Takes values from the front of shared bytes without copying them.
#[derive(Clone, Debug)]
pub struct Reader {
    rest: Bytes,
}

impl Reader {
    /// Reads `bytes` from the front.
    #[must_use]
    pub const fn new(bytes: Bytes) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Takes `count` bytes; `expected` says what they should have been.
    ///
    /// # Errors
    /// [`Malformed`] if too few bytes are left.
    pub fn take(&mut self, count: usize, expected: &'static str) -> Result<Bytes, Malformed> {
        if count > self.rest.len() {
            return Err(Malformed(expected));
        }
        Ok(self.rest.split_to(count))
    }

    /// Takes what [`Writer::put_bytes`] wrote.
    ///
    /// # Errors
    /// [`Malformed`] if the length is beyond what is left.
    pub fn take_bytes(&mut self) -> Result<Bytes, Malformed> {
        let length = self.take_u32()? as usize;
        self.take(length, "as many bytes as the length says")
    }

    /// Takes what [`Writer::put_bytes`] wrote of a text.
    ///
    /// # Errors
    /// [`Malformed`] if it is not UTF-8.
    pub fn take_string(&mut self) -> Result<String, Malformed> {
        String::from_utf8(self.take_bytes()?.to_vec()).map_err(|_| Malformed("a UTF-8 text"))
    }

    /// Takes what [`Writer::put_option`] wrote.
    ///
    /// # Errors
    /// [`Malformed`] if it is neither nothing nor such a value.
    pub fn take_option<T: Wire>(&mut self) -> Result<Option<T>, Malformed> {
        match self.take_u8()? {
            0 => Ok(None),
            1 => Ok(Some(T::decode(self)?)),
            _ => Err(Malformed("0 or 1 before an optional value")),
        }
    }

    /// Takes what [`Writer::put_list`] wrote. The count is not believed: memory grows with what is
    /// really there.
    ///
    /// # Errors
    /// [`Malformed`] if the list ends early or an item is malformed.
    pub fn take_list<T: Wire>(&mut self) -> Result<Vec<T>, Malformed> {
        let count = self.take_u32()?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(T::decode(self)?);
        }
        Ok(items)
    }

    /// Takes all that is left.
    pub fn take_rest(&mut self) -> Bytes {
        core::mem::take(&mut self.rest)
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`Malformed`] if something is.
    pub fn finish(self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed("the end")) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, Reader, Writer};

    #[test]
    fn what_is_written_is_read_back() {
        let mut writer = Writer::default();
        writer.put_u8(1);
        writer.put_u64(2);
        writer.put_bytes(b"three");
        let mut reader = Reader::new(writer.into_bytes());
        assert_eq!(reader.take_u8(), Ok(1));
        assert_eq!(reader.take_u64(), Ok(2));
        assert_eq!(reader.take_string().as_deref(), Ok("three"));
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn a_length_beyond_the_end_is_refused() {
        let mut writer = Writer::default();
        writer.put_u32(1 << 30);
        let mut reader = Reader::new(writer.into_bytes());
        assert_eq!(reader.take_bytes(), Err(Malformed("as many bytes as the length says")));
    }
}

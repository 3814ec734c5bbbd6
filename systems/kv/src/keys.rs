//! [`Keys`]: which keys a request is about.
//!
//! ```text
//! kind u8 | body
//!   1 One     key
//!   2 Range   first | end, which is not included
//!   3 From    first
//! ```

use bytes::Bytes;
use kernel::{
    Malformed, Reader, Wire, Writer,
    tables::{prefix_end, successor},
};

/// A key, or a range of keys in the order of their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// One key.
    One(Bytes),
    /// From the first to before the end; none if the end is not above the first.
    Range(Bytes, Bytes),
    /// The first and all above it.
    From(Bytes),
}

impl Keys {
    /// As etcd's requests say it: no `range_end` is the key alone, a zero byte is all from the key on.
    #[must_use]
    pub fn from_etcd(key: Bytes, range_end: Bytes) -> Self {
        match &*range_end {
            [] => Self::One(key),
            [0] => Self::From(key),
            _ => Self::Range(key, range_end),
        }
    }

    /// As etcd's requests say it: the key, and the `range_end`.
    #[must_use]
    pub fn into_etcd(self) -> (Bytes, Bytes) {
        match self {
            Self::One(key) => (key, Bytes::new()),
            Self::Range(first, end) => (first, end),
            Self::From(first) => (first, Bytes::from_static(&[0])),
        }
    }

    /// All keys that begin with `prefix`.
    #[must_use]
    pub fn with_prefix(prefix: Bytes) -> Self {
        match prefix_end(&prefix) {
            Some(end) => Self::Range(prefix, end.into()),
            None => Self::From(prefix),
        }
    }

    /// The first key, whether it is there or not.
    #[must_use]
    pub const fn first(&self) -> &Bytes {
        match self {
            Self::One(first) | Self::Range(first, _) | Self::From(first) => first,
        }
    }

    /// The least key above all of them; nothing if there is none.
    #[must_use]
    pub fn end(&self) -> Option<Bytes> {
        match self {
            Self::One(key) => Some(successor(key)),
            Self::Range(_, end) => Some(end.clone()),
            Self::From(_) => None,
        }
    }

    /// True if `key` is one of them.
    #[must_use]
    pub fn contains(&self, key: &[u8]) -> bool {
        match self {
            Self::One(one) => one == key,
            Self::Range(first, end) => **first <= *key && *key < **end,
            Self::From(first) => **first <= *key,
        }
    }
}

impl Wire for Keys {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::One(key) => {
                writer.put_u8(1);
                writer.put_bytes(key);
            }
            Self::Range(first, end) => {
                writer.put_u8(2);
                writer.put_bytes(first);
                writer.put_bytes(end);
            }
            Self::From(first) => {
                writer.put_u8(3);
                writer.put_bytes(first);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            1 => Ok(Self::One(reader.take_bytes()?)),
            2 => Ok(Self::Range(reader.take_bytes()?, reader.take_bytes()?)),
            3 => Ok(Self::From(reader.take_bytes()?)),
            _ => Err(Malformed("keys of kind 1 to 3")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Keys};

    #[test]
    fn etcd_says_one_a_range_or_all_from_a_key_on() {
        let keys = |end: &'static [u8]| Keys::from_etcd(Bytes::from("b"), Bytes::from_static(end));
        let among =
            |keys: &Keys| ["a", "b", "b\0", "c", "\u{7f}"].map(|key| keys.contains(key.as_bytes()));
        assert_eq!(among(&keys(b"")), [false, true, false, false, false]);
        assert_eq!(among(&keys(b"c")), [false, true, true, false, false]);
        assert_eq!(among(&keys(b"\0")), [false, true, true, true, true]);
        assert_eq!(among(&keys(b"a")), [false; 5]);
    }
}

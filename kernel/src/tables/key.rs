//! [`Key`]: a key whose first bytes lie beside it, so that most comparisons need not look at the rest.

use core::{
    borrow::Borrow,
    cmp::Ordering,
    ops::{Bound, RangeBounds},
};

use bytes::Bytes;

/// How many bytes of a key are at hand.
const HEAD_BYTES: usize = 16;

/// A key in a map, ordered by its bytes.
#[derive(Clone, Debug)]
pub struct Key {
    head: u128,
    bytes: Bytes,
}

impl Key {
    /// The key of these bytes.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        Self { head: head_of(&bytes), bytes }
    }

    /// All its bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How the key lies to one that is sought.
    #[must_use]
    pub fn compare(&self, sought: &Sought<'_>) -> Ordering {
        self.as_sought().cmp(sought)
    }
}

/// A key to look for. What is equal up to its first bytes differs in the rest, which may be nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sought<'a> {
    head: u128,
    bytes: &'a [u8],
}

impl<'a> Sought<'a> {
    /// The key of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { head: head_of(bytes), bytes }
    }
}

/// The first bytes as a number, so that numbers are in the order of keys.
fn head_of(bytes: &[u8]) -> u128 {
    if let Some(head) = bytes.first_chunk() {
        return u128::from_be_bytes(*head);
    }
    let mut head = [0; HEAD_BYTES];
    head[..bytes.len()].copy_from_slice(bytes);
    u128::from_be_bytes(head)
}

/// What can be compared with a key of a map: one of its own keys, or one that is sought.
pub(super) trait AsSought {
    fn as_sought(&self) -> Sought<'_>;
}

impl AsSought for Key {
    fn as_sought(&self) -> Sought<'_> {
        Sought { head: self.head, bytes: &self.bytes }
    }
}

impl AsSought for Sought<'_> {
    fn as_sought(&self) -> Sought<'_> {
        *self
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.as_sought() == other.as_sought()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_sought().cmp(&other.as_sought())
    }
}

impl<'a> Borrow<dyn AsSought + 'a> for Key {
    fn borrow(&self) -> &(dyn AsSought + 'a) {
        self
    }
}

impl PartialEq for dyn AsSought + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.as_sought() == other.as_sought()
    }
}

impl Eq for dyn AsSought + '_ {}

impl PartialOrd for dyn AsSought + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn AsSought + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_sought().cmp(&other.as_sought())
    }
}

/// From one key on, up to another one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between<'a> {
    pub(super) from: Sought<'a>,
    pub(super) to: Sought<'a>,
}

impl<'a> RangeBounds<dyn AsSought + 'a> for Between<'a> {
    fn start_bound(&self) -> Bound<&(dyn AsSought + 'a)> {
        Bound::Included(&self.from)
    }

    fn end_bound(&self) -> Bound<&(dyn AsSought + 'a)> {
        Bound::Excluded(&self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_order_of_their_bytes() {
        let texts = [
            "",
            "\0",
            "a",
            "a\0",
            "aa",
            "0123456789abcdef",
            "0123456789abcdef\0",
            "0123456789abcdefg",
        ];
        let keys: [Bytes; 8] = texts.map(|text| Bytes::from_static(text.as_bytes()));
        for left in &keys {
            for right in &keys {
                let expected = left.cmp(right);
                assert_eq!(Key::new(left.clone()).cmp(&Key::new(right.clone())), expected);
                assert_eq!(Key::new(left.clone()).compare(&Sought::new(right)), expected);
            }
        }
    }
}

//! Writes in memory: a persistent red-black tree, so that one moment of it can be kept for free.

use bytes::Bytes;
use rpds::RedBlackTreeMapSync;

use super::{
    TablesMeta,
    key::{AsSought, Between, Key, Sought},
};

/// What a key and its place in the tree weigh besides their bytes.
const OVERHEAD_BYTES: u64 = 112;

/// Writes by full key; a deletion is a key without a value.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    writes: RedBlackTreeMapSync<Key, Option<Bytes>>,
    bytes: u64,
}

/// Writes to carry into the base, and what the base says of itself afterwards: one transaction.
#[derive(Clone, Debug)]
pub struct Flush {
    /// The writes.
    pub changes: Layer,
    /// What the tables then say of themselves.
    pub meta: TablesMeta,
}

impl Layer {
    /// All writes, by full key, ascending; `None` is a deletion.
    pub fn iter(&self) -> impl Iterator<Item = (&Bytes, Option<&Bytes>)> {
        self.writes.iter().map(|(key, value)| (key.bytes(), value.as_ref()))
    }

    /// How many writes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.writes.size()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The write of `key`: `Some(None)` if it was deleted here, `None` if it was not touched.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<&Bytes>> {
        self.writes.get::<dyn AsSought>(&Sought::new(key)).map(Option::as_ref)
    }

    pub(super) fn set(&mut self, key: Bytes, value: Option<Bytes>) {
        let value_length = value.as_ref().map_or(0, Bytes::len);
        self.bytes += (key.len() + value_length) as u64 + OVERHEAD_BYTES;
        self.writes.insert_mut(Key::new(key), value);
    }

    pub(super) fn range<'a>(
        &'a self,
        from: &'a [u8],
        to: &'a [u8],
    ) -> impl Iterator<Item = (&'a Bytes, Option<&'a Bytes>)> {
        let between = Between { from: Sought::new(from), to: Sought::new(to) };
        let range = self.writes.range::<dyn AsSought + 'a, _>(between);
        range.map(|(key, value)| (key.bytes(), value.as_ref()))
    }
}

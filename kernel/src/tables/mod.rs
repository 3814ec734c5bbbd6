//! Ordered tables: recent writes in memory over a durable base. The state of every system lives here.
//!
//! ```text
//!   active   writes since the last freeze            in memory, a persistent tree
//!   frozen   writes on their way into the base       in memory, while a flush runs
//!   base     everything older                        a file on a host; in the simulator a map or a file
//! ```
//! A write never waits for the base. Whoever runs the tables freezes the active writes from time to
//! time, carries them into the base in one transaction together with the [`TablesMeta`], and says when
//! that is done. A crash goes back to the last finished flush; the log is kept until then.
//!
//! A [`Reading`] is one moment of the tables. Taking one costs a few reference counts; it stays true
//! while the tables move on.

mod key;
mod layer;
mod merge;
mod reading;
mod view;

use alloc::{sync::Arc, vec::Vec};
use core::fmt::Debug;

use bytes::Bytes;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::{
    codec::{Malformed, Reader, Wire, Writer},
    ids::EntryId,
    membership::Membership,
    outcome::Fault,
    time::Stamp,
};

pub use key::{Key, Sought};
pub use layer::{Flush, Layer};
pub use reading::Reading;
pub use view::{View, each_row};

/// Up to this size a pair is hashed in one go, its key's length included.
const SHORT_BYTES: usize = 512;

/// One table. Numbers below 16 belong to the replica itself, the others to its system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u8);

/// What the tables say of themselves; written with every flush, in the same transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TablesMeta {
    /// The last entry whose effect they hold.
    pub applied: EntryId,
    /// Its stamp.
    pub stamp: Stamp,
    /// The configuration as of that entry: it is the same for long, and shared.
    pub membership: Arc<Membership>,
    /// The sum, modulo 2^128, of one hash for each key and value.
    pub digest: u128,
}

/// The durable part: one moment of it, readable from any thread. Keys are a table's number, then the
/// key in that table.
pub trait BaseReading: Send + Sync + Debug {
    /// The value of `key`.
    ///
    /// # Errors
    /// [`Fault::Storage`] if it cannot be read, [`Fault::Corrupt`] if it is damaged.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Fault>;

    /// The first `limit` pairs with `from <= key < to`, ascending.
    ///
    /// # Errors
    /// As [`BaseReading::get`].
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, Fault>;
}

/// The tables of one replica, owned by whoever applies entries.
#[derive(Debug)]
pub struct Tables {
    active: Layer,
    frozen: Option<Layer>,
    base: Arc<dyn BaseReading>,
    /// Shared with readings until it changes.
    meta: Arc<TablesMeta>,
}

impl Tables {
    /// Tables over `base`, which holds what `meta` says.
    #[must_use]
    pub fn new(base: Arc<dyn BaseReading>, meta: TablesMeta) -> Self {
        Self { active: Layer::default(), frozen: None, base, meta: Arc::new(meta) }
    }

    /// What the tables say of themselves.
    #[must_use]
    pub fn meta(&self) -> &TablesMeta {
        &self.meta
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// A [`Fault`] if the base cannot be read.
    pub fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        with_full_key(table, key, |full| self.get_full(full))
    }

    /// Sets `key` to `value`.
    ///
    /// # Errors
    /// A [`Fault`] if the base cannot be read (the digest needs the value that was there).
    pub fn put(&mut self, table: TableId, key: &[u8], value: &[u8]) -> Result<(), Fault> {
        let full = full_key(table, key);
        self.forget(&full)?;
        self.set(full, value);
        Ok(())
    }

    /// Sets `key`, which never was in the table, to `value`: a key that grows with time is not looked for.
    ///
    /// # Panics
    /// If it is there, as far as that is seen in memory.
    pub fn append(&mut self, table: TableId, key: &[u8], value: &[u8]) {
        let full = full_key(table, key);
        let writes = self.active.len();
        self.set(full, value);
        assert_eq!(self.active.len(), writes + 1, "a key is appended to a table once");
    }

    fn set(&mut self, full: Bytes, value: &[u8]) {
        let meta = Arc::make_mut(&mut self.meta);
        meta.digest = meta.digest.wrapping_add(pair_hash(&full, value));
        self.active.set(full, Some(Bytes::copy_from_slice(value)));
    }

    /// Removes `key`; false if it was not there.
    ///
    /// # Errors
    /// A [`Fault`] if the base cannot be read.
    pub fn delete(&mut self, table: TableId, key: &[u8]) -> Result<bool, Fault> {
        let full = full_key(table, key);
        let was_there = self.forget(&full)?;
        if was_there {
            self.active.set(full, None);
        }
        Ok(was_there)
    }

    /// The first `limit` pairs with `from <= key < to`, ascending; `None` is the table's end.
    ///
    /// # Errors
    /// A [`Fault`] if the base cannot be read.
    pub fn scan(
        &self,
        table: TableId,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        merge::scan(self.view(), table, (from, to), limit)
    }

    /// One moment of the tables: this one.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading::new(
            self.active.clone(),
            self.frozen.clone(),
            Arc::clone(&self.base),
            Arc::clone(&self.meta),
        )
    }

    /// Notes that the tables hold the effect of `applied`, made at `stamp`.
    ///
    /// # Panics
    /// If the entry is not the next one: entries are applied in order, each once.
    pub fn advance(&mut self, applied: EntryId, stamp: Stamp) {
        assert_eq!(applied.index, self.meta.applied.index.next(), "entries are applied in order");
        assert!(applied.term >= self.meta.applied.term, "terms never go back along the log");
        assert!(stamp >= self.meta.stamp, "cluster time never goes back along the log");
        let meta = Arc::make_mut(&mut self.meta);
        meta.applied = applied;
        meta.stamp = stamp;
    }

    /// Notes the configuration as of the last applied entry.
    pub fn set_membership(&mut self, membership: Membership) {
        Arc::make_mut(&mut self.meta).membership = Arc::new(membership);
    }

    /// How many bytes of writes wait in memory for the next freeze.
    #[must_use]
    pub const fn active_bytes(&self) -> u64 {
        self.active.bytes()
    }

    /// True while a flush is under way.
    #[must_use]
    pub const fn is_flushing(&self) -> bool {
        self.frozen.is_some()
    }

    /// Freezes the active writes: they are to be carried into the base, in one transaction.
    ///
    /// # Panics
    /// If a flush is under way already.
    pub fn freeze(&mut self) -> Flush {
        assert!(self.frozen.is_none(), "one flush at a time");
        let changes = core::mem::take(&mut self.active);
        self.frozen = Some(changes.clone());
        Flush { changes, meta: TablesMeta::clone(&self.meta) }
    }

    /// Notes that the flush is on stable storage; `base` is the base since then.
    ///
    /// # Panics
    /// If no flush was under way.
    pub fn flushed(&mut self, base: Arc<dyn BaseReading>) {
        assert!(self.frozen.take().is_some(), "a flush was under way");
        self.base = base;
    }

    fn get_full(&self, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        self.view().get(key)
    }

    const fn view(&self) -> merge::View<'_> {
        merge::View { active: &self.active, frozen: self.frozen.as_ref(), base: &self.base }
    }

    /// Takes the present pair of `key` out of the digest; false if there is none.
    fn forget(&mut self, key: &[u8]) -> Result<bool, Fault> {
        let Some(value) = self.get_full(key)? else {
            return Ok(false);
        };
        let meta = Arc::make_mut(&mut self.meta);
        meta.digest = meta.digest.wrapping_sub(pair_hash(key, &value));
        Ok(true)
    }
}

/// The hash of one pair in the digest: XXH3-128 over the key's length, the key and the value.
#[must_use]
pub fn pair_hash(key: &[u8], value: &[u8]) -> u128 {
    let length = (key.len() as u64).to_le_bytes();
    let parts = [&length[..], key, value];
    // Most pairs are short: those are hashed in one go.
    let mut short = [0; SHORT_BYTES];
    let mut end = 0;
    for part in parts {
        let Some(place) = short.get_mut(end..end + part.len()) else {
            let mut hasher = Xxh3::new();
            parts.into_iter().for_each(|part| hasher.update(part));
            return hasher.digest128();
        };
        place.copy_from_slice(part);
        end += part.len();
    }
    xxh3_128(&short[..end])
}

/// The least key above `key`.
#[must_use]
pub fn successor(key: &[u8]) -> Bytes {
    let mut next = key.to_vec();
    next.push(0);
    Bytes::from(next)
}

/// The least key above all that begin with `prefix`; nothing if there is none.
#[must_use]
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let place = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=place].to_vec();
    end[place] += 1;
    Some(end)
}

/// A table's number, then the key: the key in the base.
#[must_use]
pub fn full_key(table: TableId, key: &[u8]) -> Bytes {
    let mut full = Vec::with_capacity(1 + key.len());
    full.push(table.0);
    full.extend_from_slice(key);
    Bytes::from(full)
}

/// Most keys are short: those are looked for without a place of their own in memory.
const SHORT_KEY_BYTES: usize = 96;

/// Does something with a table's number, then the key.
fn with_full_key<T>(table: TableId, key: &[u8], with: impl FnOnce(&[u8]) -> T) -> T {
    let mut short = [0; SHORT_KEY_BYTES];
    let Some(place) = short.get_mut(1..=key.len()) else {
        return with(&full_key(table, key));
    };
    place.copy_from_slice(key);
    short[0] = table.0;
    with(&short[..=key.len()])
}

impl Wire for TablesMeta {
    fn encode(&self, writer: &mut Writer) {
        self.applied.encode(writer);
        self.stamp.encode(writer);
        self.membership.encode(writer);
        writer.put_u128(self.digest);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            applied: EntryId::decode(reader)?,
            stamp: Stamp::decode(reader)?,
            membership: Arc::new(Membership::decode(reader)?),
            digest: reader.take_u128()?,
        })
    }
}

//! One moment of the tables.

use alloc::{sync::Arc, vec::Vec};

use bytes::Bytes;

use super::{BaseReading, Layer, TableId, TablesMeta, merge, with_full_key};
use crate::outcome::Fault;

/// One moment of the tables, for any thread, for as long as it is kept.
#[derive(Clone, Debug)]
pub struct Reading {
    active: Layer,
    frozen: Option<Layer>,
    base: Arc<dyn BaseReading>,
    meta: Arc<TablesMeta>,
}

impl Reading {
    pub(super) const fn new(
        active: Layer,
        frozen: Option<Layer>,
        base: Arc<dyn BaseReading>,
        meta: Arc<TablesMeta>,
    ) -> Self {
        Self { active, frozen, base, meta }
    }

    /// What the tables said of themselves at that moment.
    #[must_use]
    pub fn meta(&self) -> &TablesMeta {
        &self.meta
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// A [`Fault`] if the base cannot be read.
    pub fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        with_full_key(table, key, |full| self.view().get(full))
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

    const fn view(&self) -> merge::View<'_> {
        merge::View { active: &self.active, frozen: self.frozen.as_ref(), base: &self.base }
    }
}

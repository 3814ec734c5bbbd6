//! A base in memory, for the tests of this crate.

use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};

use bytes::Bytes;
use kernel::{BaseReading, Fault, Reading, TableId, TablesMeta, tables::Flush};

/// What is durable: the pairs, and what the tables say of themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct MapBase {
    pub(crate) pairs: BTreeMap<Bytes, Bytes>,
    pub(crate) meta: TablesMeta,
}

impl MapBase {
    /// All that `reading` shows.
    pub(crate) fn of(reading: &Reading) -> Self {
        let mut pairs = BTreeMap::new();
        for table in 0..u8::MAX {
            let rows = reading.scan(TableId(table), &[], None, usize::MAX);
            for (key, value) in rows.expect("memory can be read") {
                pairs.insert(kernel::tables::full_key(TableId(table), &key), value);
            }
        }
        Self { pairs, meta: reading.meta().clone() }
    }

    /// Takes a flush as one transaction.
    pub(crate) fn carry(&mut self, flush: &Flush) {
        for (key, value) in flush.changes.iter() {
            match value {
                Some(value) => self.pairs.insert(key.clone(), value.clone()),
                None => self.pairs.remove(key),
            };
        }
        self.meta = flush.meta.clone();
    }

    /// This moment.
    pub(crate) fn reading(&self) -> Arc<dyn BaseReading> {
        Arc::new(self.clone())
    }
}

impl BaseReading for MapBase {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        Ok(self.pairs.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        let range = self.pairs.range(Bytes::copy_from_slice(from)..Bytes::copy_from_slice(to));
        Ok(range.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

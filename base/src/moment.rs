//! One moment of a generation.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use kernel::{BaseReading, Fault};
use redb::{ReadOnlyTable, ReadableDatabase};

use crate::{Base, PAIRS, Place, fault};

/// One moment of a generation. The generation stays as long as a moment of it does.
struct Moment<P> {
    pairs: ReadOnlyTable<&'static [u8], &'static [u8]>,
    /// After the table, which must go first.
    base: Arc<Base<P>>,
}

impl<P: Place> Base<P> {
    /// The present moment.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be read.
    pub fn moment(self: &Arc<Self>) -> Result<Arc<dyn BaseReading>, Fault> {
        let transaction = self.database.begin_read().map_err(fault)?;
        let pairs = transaction.open_table(PAIRS).map_err(fault)?;
        Ok(Arc::new(Moment { pairs, base: Arc::clone(self) }))
    }
}

impl<P: Place> fmt::Debug for Moment<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Moment of {:?}", self.base)
    }
}

impl<P: Place> BaseReading for Moment<P> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        let found = self.pairs.get(key).map_err(fault)?;
        Ok(found.map(|value| Bytes::copy_from_slice(value.value())))
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        if from >= to {
            return Ok(Vec::new());
        }
        let range = self.pairs.range::<&[u8]>(from..to).map_err(fault)?;
        let mut pairs = Vec::new();
        for pair in range.take(limit) {
            let (key, value) = pair.map_err(fault)?;
            let key = Bytes::copy_from_slice(key.value());
            pairs.push((key, Bytes::copy_from_slice(value.value())));
        }
        Ok(pairs)
    }
}

//! One generation of the tables: how it is made, opened, filled and changed.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use kernel::{Fault, TablesMeta, Wire, tables::Flush};
use redb::{
    Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, StorageBackend,
    WriteTransaction,
};

use crate::{META, META_KEY, PAIRS, Place, fault};

/// One generation, open. It is closed with its last reader.
pub struct Base<P> {
    /// Before the database, so that it goes first.
    place: Arc<P>,
    pub(crate) database: Database,
}

impl<P: Place> Base<P> {
    /// Makes a new generation without pairs, durable, with `cache_bytes` of memory for its pages.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be made; what could be made of it then only takes room.
    pub fn create(place: P, cache_bytes: usize, meta: &TablesMeta) -> Result<Arc<Self>, Fault> {
        let backend = place.create()?;
        let base = Self::new(place, backend, cache_bytes)?;
        let filling = base.fill()?;
        filling.commit(meta)?;
        Ok(base)
    }

    /// Opens a generation that exists.
    ///
    /// # Errors
    /// [`Fault::Corrupt`] if it is none, or damaged; [`Fault::Storage`] if it cannot be read.
    pub fn open(place: P, cache_bytes: usize) -> Result<Arc<Self>, Fault> {
        let backend = place.open()?;
        // The engine would make a new database in an empty storage.
        if backend.len().map_err(DatabaseError::from).map_err(fault)? == 0 {
            return Err(Fault::Corrupt(format!("the tables: {place:?} is empty")));
        }
        Self::new(place, backend, cache_bytes)
    }

    fn new(place: P, backend: P::Backend, cache_bytes: usize) -> Result<Arc<Self>, Fault> {
        let mut builder = Database::builder();
        let database =
            builder.set_cache_size(cache_bytes).create_with_backend(backend).map_err(fault)?;
        Ok(Arc::new(Self { place: Arc::new(place), database }))
    }

    /// Where it lies.
    pub fn place(&self) -> &P {
        &self.place
    }

    /// What the tables say of themselves.
    ///
    /// # Errors
    /// A [`Fault`] if they say nothing, or it cannot be read.
    pub fn meta(&self) -> Result<TablesMeta, Fault> {
        read_meta(&self.database.begin_read().map_err(fault)?, self.place())
    }

    /// Carries a flush out in one transaction; durable when it returns.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be written. The generation is of no use then until it is opened anew.
    pub fn commit(&self, flush: &Flush) -> Result<(), Fault> {
        let filling = self.fill()?;
        {
            let mut pairs = filling.transaction.open_table(PAIRS).map_err(fault)?;
            for (key, value) in flush.changes.iter() {
                match value {
                    Some(value) => pairs.insert(key.as_ref(), value.as_ref()).map_err(fault)?,
                    None => pairs.remove(key.as_ref()).map_err(fault)?,
                };
            }
        }
        filling.commit(&flush.meta)
    }

    /// Begins to fill it with the pairs of a snapshot.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be written.
    pub fn fill(&self) -> Result<Filling<P>, Fault> {
        let mut transaction = self.database.begin_write().map_err(fault)?;
        transaction.set_durability(Durability::Immediate).map_err(fault)?;
        transaction.set_quick_repair(true);
        transaction.open_table(PAIRS).map_err(fault)?;
        Ok(Filling { transaction, place: Arc::clone(&self.place) })
    }
}

impl<P: fmt::Debug> fmt::Debug for Base<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(formatter)
    }
}

/// One transaction that fills a generation; nothing of it is there until it is committed.
pub struct Filling<P> {
    transaction: WriteTransaction,
    place: Arc<P>,
}

impl<P: Place> Filling<P> {
    /// Puts pairs into it.
    ///
    /// # Errors
    /// A [`Fault`] if they cannot be written.
    pub fn store(&self, pairs: &[(Bytes, Bytes)]) -> Result<(), Fault> {
        let mut table = self.transaction.open_table(PAIRS).map_err(fault)?;
        for (key, value) in pairs {
            table.insert(key.as_ref(), value.as_ref()).map_err(fault)?;
        }
        Ok(())
    }

    /// Makes everything durable, with what the tables then say of themselves.
    ///
    /// # Errors
    /// A [`Fault`] if it cannot be written.
    pub fn commit(self, meta: &TablesMeta) -> Result<(), Fault> {
        {
            let mut table = self.transaction.open_table(META).map_err(fault)?;
            table.insert(META_KEY, meta.to_bytes().as_ref()).map_err(fault)?;
        }
        self.transaction.commit().map_err(fault)?;
        self.place.committed()
    }
}

impl<P> fmt::Debug for Filling<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Filling")
    }
}

/// What the tables say of themselves at one moment.
pub(crate) fn read_meta(
    transaction: &ReadTransaction,
    place: &impl Place,
) -> Result<TablesMeta, Fault> {
    let table = transaction.open_table(META).map_err(fault)?;
    let Some(bytes) = table.get(META_KEY).map_err(fault)? else {
        return Err(Fault::Corrupt(format!("{place:?} says nothing of itself")));
    };
    TablesMeta::from_bytes(Bytes::copy_from_slice(bytes.value()))
        .map_err(|malformed| Fault::Corrupt(format!("{place:?}: {malformed}")))
}

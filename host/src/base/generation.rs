//! One generation of the tables: a file, its life and its end.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use kernel::{BaseReading, Fault, TablesMeta, Wire, tables::Flush};
use redb::{Database, Durability, ReadableDatabase, WriteTransaction};

use super::{META, META_KEY, Moment, PAIRS, fault};
use crate::folder::flush_folder;

/// The file of one generation, open. It is closed with its last reader, and removed then if the tables
/// have moved to another generation.
pub(crate) struct GenerationFile {
    path: PathBuf,
    database: Database,
    is_retired: AtomicBool,
}

impl GenerationFile {
    /// Makes a new file without pairs. What stands at `path` from an attempt before is removed.
    pub(crate) fn create(
        path: &Path,
        cache_bytes: usize,
        meta: &TablesMeta,
    ) -> Result<Arc<Self>, Fault> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Fault::Storage(format!("{}: {error}", path.display())));
            }
            _ => {}
        }
        let file = Self::create_with(path, cache_bytes, meta);
        if file.is_err() {
            // What could be written of it only takes room; the error that counts is the first one.
            let _ = fs::remove_file(path);
        }
        file
    }

    fn create_with(path: &Path, cache_bytes: usize, meta: &TablesMeta) -> Result<Arc<Self>, Fault> {
        let database =
            Database::builder().set_cache_size(cache_bytes).create(path).map_err(fault)?;
        let file = Self::new(path, database);
        let filling = file.fill()?;
        filling.commit(meta)?;
        Ok(file)
    }

    /// Opens a file that exists.
    pub(crate) fn open(path: &Path, cache_bytes: usize) -> Result<Arc<Self>, Fault> {
        let database = Database::builder().set_cache_size(cache_bytes).open(path).map_err(fault)?;
        Ok(Self::new(path, database))
    }

    fn new(path: &Path, database: Database) -> Arc<Self> {
        let is_retired = AtomicBool::new(false);
        Arc::new(Self { path: path.to_path_buf(), database, is_retired })
    }

    /// What the tables say of themselves.
    pub(crate) fn meta(&self) -> Result<TablesMeta, Fault> {
        let transaction = self.database.begin_read().map_err(fault)?;
        let table = transaction.open_table(META).map_err(fault)?;
        let Some(bytes) = table.get(META_KEY).map_err(fault)? else {
            return Err(Fault::Corrupt(format!("{} says nothing of itself", self.path.display())));
        };
        TablesMeta::from_bytes(Bytes::copy_from_slice(bytes.value()))
            .map_err(|malformed| Fault::Corrupt(format!("{}: {malformed}", self.path.display())))
    }

    /// The present moment of the file.
    pub(crate) fn moment(self: &Arc<Self>) -> Result<Arc<dyn BaseReading>, Fault> {
        let transaction = self.database.begin_read().map_err(fault)?;
        let pairs = transaction.open_table(PAIRS).map_err(fault)?;
        Ok(Arc::new(Moment { pairs, file: Arc::clone(self) }))
    }

    /// Carries a flush into the file in one transaction; durable when it returns.
    pub(crate) fn commit(&self, flush: &Flush) -> Result<(), Fault> {
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

    /// Begins to fill the file with the pairs of a snapshot.
    pub(crate) fn fill(&self) -> Result<Filling, Fault> {
        let mut transaction = self.database.begin_write().map_err(fault)?;
        transaction.set_durability(Durability::Immediate).map_err(fault)?;
        transaction.set_quick_repair(true);
        transaction.open_table(PAIRS).map_err(fault)?;
        Ok(Filling { transaction, folder: folder_of(&self.path) })
    }

    /// How large the file is, bytes.
    pub(crate) fn bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// The folder that the file is in.
    pub(crate) fn folder(&self) -> PathBuf {
        folder_of(&self.path)
    }

    /// The tables have moved on, durably: the file goes with its last reader.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Release);
    }
}

impl fmt::Debug for GenerationFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())
    }
}

impl Drop for GenerationFile {
    fn drop(&mut self) {
        if self.is_retired.load(Ordering::Acquire) {
            // If it stays, the next start removes it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// One transaction that fills a generation; nothing of it is there until it is committed.
pub(crate) struct Filling {
    transaction: WriteTransaction,
    folder: PathBuf,
}

impl Filling {
    pub(crate) fn store(&self, pairs: &[(Bytes, Bytes)]) -> Result<(), Fault> {
        let mut table = self.transaction.open_table(PAIRS).map_err(fault)?;
        for (key, value) in pairs {
            table.insert(key.as_ref(), value.as_ref()).map_err(fault)?;
        }
        Ok(())
    }

    /// Makes everything durable, with what the tables then say of themselves.
    pub(crate) fn commit(self, meta: &TablesMeta) -> Result<(), Fault> {
        {
            let mut table = self.transaction.open_table(META).map_err(fault)?;
            table.insert(META_KEY, meta.to_bytes().as_ref()).map_err(fault)?;
        }
        self.transaction.commit().map_err(fault)?;
        flush_folder(&self.folder)
            .map_err(|error| Fault::Storage(format!("{}: {error}", self.folder.display())))
    }
}

impl fmt::Debug for Filling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Filling")
    }
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().expect("a generation's file is in a folder").to_path_buf()
}

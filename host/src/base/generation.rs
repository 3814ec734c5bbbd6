//! The file of one generation: its place, its life and its end.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ::base::{Base, DatabaseError, FileBackend, Place, fault};
use kernel::{Fault, TablesMeta};

use super::paced::Paced;
use crate::folder::flush_folder;

/// A generation in a file, open.
pub(crate) type GenerationFile = Base<FilePlace>;

/// One transaction that fills a generation.
pub(crate) type Filling = ::base::Filling<FilePlace>;

/// Makes a new file without pairs. What stands at `path` from an attempt before is removed.
pub(crate) fn create(
    path: &Path,
    cache_bytes: usize,
    meta: &TablesMeta,
) -> Result<Arc<GenerationFile>, Fault> {
    remove(path)?;
    let file = GenerationFile::create(FilePlace::new(path), cache_bytes, meta);
    if file.is_err() {
        // What could be written of it only takes room; the error that counts is the first one.
        let _ = fs::remove_file(path);
    }
    file
}

/// Opens a file that exists.
pub(crate) fn open(path: &Path, cache_bytes: usize) -> Result<Arc<GenerationFile>, Fault> {
    GenerationFile::open(FilePlace::new(path), cache_bytes)
}

/// Where a damaged file is put.
pub(crate) fn aside(path: &Path) -> PathBuf {
    path.with_extension("damaged")
}

fn remove(path: &Path) -> Result<(), Fault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Fault::Storage(format!("{}: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

/// A file in a folder. It is closed with its last reader, and removed then if the tables have moved to
/// another generation.
pub(crate) struct FilePlace {
    path: PathBuf,
    is_retired: AtomicBool,
}

impl FilePlace {
    fn new(path: &Path) -> Self {
        Self { path: path.to_path_buf(), is_retired: AtomicBool::new(false) }
    }

    /// How large the file is, bytes.
    pub(crate) fn bytes(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    /// The folder that the file is in.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().expect("a generation's file is in a folder")
    }

    /// The tables have moved on, durably: the file goes with its last reader.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Release);
    }

    /// The file is damaged: no start may use it. Says where it is now.
    pub(crate) fn set_aside(&self) -> std::io::Result<PathBuf> {
        let aside = aside(&self.path);
        fs::rename(&self.path, &aside)?;
        flush_folder(self.folder())?;
        Ok(aside)
    }

    fn backend(&self, options: &fs::OpenOptions) -> Result<Paced, Fault> {
        let file = options.open(&self.path).map_err(DatabaseError::from).map_err(fault)?;
        FileBackend::new(file).map(Paced::new).map_err(fault)
    }
}

impl Place for FilePlace {
    type Backend = Paced;

    fn create(&self) -> Result<Paced, Fault> {
        self.backend(fs::OpenOptions::new().read(true).write(true).create(true).truncate(false))
    }

    fn open(&self) -> Result<Paced, Fault> {
        // After a failed flush the cache of the system may hold what the disk does not. A life that
        // believed it would compact the log up to there.
        if let Ok(file) = fs::File::open(&self.path) {
            let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
        }
        self.backend(fs::OpenOptions::new().read(true).write(true))
    }

    fn committed(&self) -> Result<(), Fault> {
        let folder = self.folder();
        flush_folder(folder)
            .map_err(|error| Fault::Storage(format!("{}: {error}", folder.display())))
    }
}

impl fmt::Debug for FilePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())
    }
}

impl Drop for FilePlace {
    fn drop(&mut self) {
        if self.is_retired.load(Ordering::Acquire) {
            // If it stays, the next start removes it.
            let _ = fs::remove_file(&self.path);
        }
    }
}

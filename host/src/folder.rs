//! The data folder of one node.
//!
//! ```text
//! identity          who lives here; a folder without it holds no node
//! lock              held by the process that uses the folder
//! peers             which disk each other node was first seen with
//! log/              the segments of the log, <number, 16 hexadecimal digits>.log
//! tables/           one file for each generation of the tables, <number>.redb
//! last-inputs-<incarnation>.replay   what a life was given last that broke an invariant; the last few
//! tmp/              files on their way to their place; emptied at each start
//! ```
//! A file that matters is never changed in place: it is written beside, flushed, renamed, and the
//! folder is flushed.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use kernel::{Generation, Incarnation};
use log::SegmentNumber;

use crate::{
    config::{Begin, HostConfig},
    entropy::draw_disk_id,
    identity::{FolderIdentity, IdentityFile},
    start_error::StartError,
};

const IDENTITY: &str = "identity";
const LOCK: &str = "lock";
const PEERS: &str = "peers";
const LOG: &str = "log";
pub(crate) const TABLES: &str = "tables";
const TEMPORARY: &str = "tmp";
const SEGMENT_EXTENSION: &str = "log";
const TABLES_EXTENSION: &str = "redb";
const LAST_INPUTS: &str = "last-inputs-";
pub(crate) const LAST_INPUTS_EXTENSION: &str = "replay";

/// How many files of last inputs stay.
const LAST_INPUTS_MAX: usize = 3;

/// Who lives in the folder at `path`; nobody if it is missing, empty or was never completed. Takes no
/// lock.
///
/// # Errors
/// [`StartError`] if the folder cannot be read or its identity is damaged.
pub fn peek(path: &Path) -> Result<Option<FolderIdentity>, StartError> {
    let file = read_identity(path)?;
    Ok(file.filter(|file| file.is_complete).map(|file| file.identity))
}

/// Where things are in a data folder.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join(LOG)
    }

    pub(crate) fn tables(&self) -> PathBuf {
        self.root.join(TABLES)
    }

    pub(crate) fn peers(&self) -> PathBuf {
        self.root.join(PEERS)
    }

    pub(crate) fn temporary(&self, name: &str) -> PathBuf {
        self.root.join(TEMPORARY).join(name)
    }

    pub(crate) fn segment_name(segment: SegmentNumber) -> String {
        format!("{:016x}.{SEGMENT_EXTENSION}", segment.0)
    }

    pub(crate) fn segment(&self, segment: SegmentNumber) -> PathBuf {
        self.log().join(Self::segment_name(segment))
    }

    pub(crate) fn generation(&self, generation: Generation) -> PathBuf {
        self.tables().join(format!("{generation}.{TABLES_EXTENSION}"))
    }

    pub(crate) fn last_inputs(&self, incarnation: Incarnation) -> PathBuf {
        self.root.join(format!("{LAST_INPUTS}{incarnation}.{LAST_INPUTS_EXTENSION}"))
    }

    /// Removes all files of last inputs but the latest few. What cannot be removed stays.
    pub(crate) fn remove_old_last_inputs(&self) {
        let number = |stem: &str| stem.strip_prefix(LAST_INPUTS)?.parse().ok();
        let mut found = numbered(&self.root, LAST_INPUTS_EXTENSION, number).unwrap_or_default();
        found.sort_unstable();
        found.truncate(found.len().saturating_sub(LAST_INPUTS_MAX));
        for incarnation in found {
            let _ = fs::remove_file(self.last_inputs(Incarnation(incarnation)));
        }
    }

    /// The segments that exist, ascending; other files are not ours and are left alone.
    pub(crate) fn segments(&self) -> Result<Vec<SegmentNumber>, StartError> {
        // Only names that we give: another spelling of a number is another file.
        let is_ours = |stem: &str, number: u64| format!("{number:016x}") == stem;
        let number =
            |stem: &str| u64::from_str_radix(stem, 16).ok().filter(|number| is_ours(stem, *number));
        let mut found = numbered(&self.log(), SEGMENT_EXTENSION, number)?;
        found.sort_unstable();
        Ok(found.into_iter().map(SegmentNumber).collect())
    }

    /// The generations of the tables that exist.
    pub(crate) fn generations(&self) -> Result<Vec<Generation>, StartError> {
        let is_ours = |stem: &str, number: u64| number.to_string() == stem;
        let number = |stem: &str| stem.parse().ok().filter(|number| is_ours(stem, *number));
        let found = numbered(&self.tables(), TABLES_EXTENSION, number)?;
        Ok(found.into_iter().map(Generation).collect())
    }

    /// Puts `bytes` in the place of the file at `path`: afterwards the old or the new file is there,
    /// whatever happens.
    pub(crate) fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let name = path.file_name().expect("a file in the data folder has a name");
        let beside = self.temporary(&name.to_string_lossy());
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        flush_folder(path.parent().expect("a file in the data folder has a parent"))
    }

    fn write_identity(&self, file: &IdentityFile) -> Result<(), StartError> {
        let path = self.root.join(IDENTITY);
        self.replace(&path, file.encode().as_bytes())
            .map_err(|error| StartError::writing(path, error))
    }
}

/// Makes the names in a folder durable.
pub(crate) fn flush_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// A data folder that this process alone uses.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) layout: Layout,
    file: IdentityFile,
    /// Held until the process lets the folder go.
    _lock: File,
}

impl Folder {
    /// Opens or makes the folder that `config` names.
    pub(crate) fn open(config: &HostConfig) -> Result<Self, StartError> {
        let root = config.folder.clone();
        let found = read_identity(&root)?;
        match &found {
            Some(file) if file.is_complete => check_identity(&root, &file.identity, config)?,
            Some(_) => check_begins(&root, &config.begin)?,
            None => check_free(&root, &config.begin)?,
        }
        fs::create_dir_all(&root).map_err(|error| StartError::writing(&root, error))?;
        check_writable(&root)?;
        let lock = take_lock(&root)?;
        let layout = Layout { root };
        layout.make_folders()?;
        empty(&layout.root.join(TEMPORARY))?;
        let file = match found {
            Some(file) if file.is_complete => file,
            _ => layout.start_over(config)?,
        };
        Ok(Self { layout, file, _lock: lock })
    }

    pub(crate) const fn identity(&self) -> &FolderIdentity {
        &self.file.identity
    }

    /// False until the folder's log and tables have been made.
    pub(crate) const fn is_complete(&self) -> bool {
        self.file.is_complete
    }

    /// Notes, durably, that the folder is whole and that the life `incarnation` begins.
    pub(crate) fn begin_life(&mut self, incarnation: Incarnation) -> Result<(), StartError> {
        assert!(incarnation > self.identity().incarnation, "each life has a number of its own");
        self.file.identity.incarnation = incarnation;
        self.file.is_complete = true;
        self.layout.write_identity(&self.file)
    }
}

impl Layout {
    /// A folder with its parts, for tests of what lives in it.
    #[cfg(test)]
    pub(crate) fn make(root: PathBuf) -> Result<Self, StartError> {
        let layout = Self { root };
        layout.make_folders()?;
        Ok(layout)
    }

    fn make_folders(&self) -> Result<(), StartError> {
        for path in [self.log(), self.tables(), self.root.join(TEMPORARY)] {
            fs::create_dir_all(&path).map_err(|error| StartError::writing(&path, error))?;
            check_writable(&path)?;
        }
        flush_folder(&self.root).map_err(|error| StartError::writing(&self.root, error))
    }

    /// Begins a new folder. What a process that was interrupted while it did so left behind is worth
    /// nothing: nothing was ever said in its name.
    fn start_over(&self, config: &HostConfig) -> Result<IdentityFile, StartError> {
        empty(&self.log())?;
        empty(&self.tables())?;
        let cluster = config.begin.cluster().expect("a folder is made only to begin something");
        let identity = FolderIdentity {
            cluster,
            node: config.node,
            disk: draw_disk_id(),
            name: config.name.clone(),
            system: config.system.clone(),
            incarnation: Incarnation(0),
        };
        let file = IdentityFile { identity, is_complete: false };
        self.write_identity(&file)?;
        Ok(file)
    }
}

fn read_identity(root: &Path) -> Result<Option<IdentityFile>, StartError> {
    let path = root.join(IDENTITY);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(StartError::DamagedFolder { path, what: String::from("it is not text") });
        }
        Err(error) => return Err(StartError::reading(path, error)),
    };
    IdentityFile::decode(&text)
        .map(Some)
        .map_err(|what| StartError::DamagedFolder { path, what: String::from(what) })
}

fn check_identity(
    root: &Path,
    identity: &FolderIdentity,
    config: &HostConfig,
) -> Result<(), StartError> {
    let folder = root.to_path_buf();
    if let Some(wanted) = config.begin.cluster()
        && wanted != identity.cluster
    {
        return Err(StartError::OtherCluster { folder, has: identity.cluster, wanted });
    }
    if identity.node != config.node {
        return Err(StartError::OtherNode { folder, has: identity.node, wanted: config.node });
    }
    Ok(())
}

/// A folder without identity may be used if it is to be made and holds nothing that is not ours.
fn check_free(root: &Path, begin: &Begin) -> Result<(), StartError> {
    let folder = root.to_path_buf();
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return check_begins(root, begin);
        }
        Err(error) => return Err(StartError::reading(root, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| StartError::reading(root, error))?;
        let name = entry.file_name();
        let is_ours = name == LOCK || name == TEMPORARY || is_empty_folder(&entry.path());
        if !is_ours && name != "lost+found" {
            let found = name.to_string_lossy().into_owned();
            return Err(StartError::NotEmpty { folder, found });
        }
    }
    check_begins(root, begin)
}

/// Only a folder that is to begin something is made.
fn check_begins(root: &Path, begin: &Begin) -> Result<(), StartError> {
    match begin {
        Begin::Resume => Err(StartError::NoNode { folder: root.to_path_buf() }),
        Begin::Bootstrap { .. } | Begin::Join { .. } => Ok(()),
    }
}

fn is_empty_folder(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// Even where the system would let it pass (the superuser may write anything), a folder that is marked
/// as read-only is left alone.
fn check_writable(path: &Path) -> Result<(), StartError> {
    let metadata = fs::metadata(path).map_err(|error| StartError::reading(path, error))?;
    if metadata.permissions().readonly() {
        return Err(StartError::ReadOnly { path: path.to_path_buf() });
    }
    Ok(())
}

fn take_lock(root: &Path) -> Result<File, StartError> {
    let path = root.join(LOCK);
    let open = File::options().create(true).truncate(false).write(true).open(&path);
    let lock = open.map_err(|error| StartError::writing(&path, error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(StartError::AlreadyRunning { folder: root.to_path_buf() })
        }
        Err(TryLockError::Error(error)) => Err(StartError::writing(path, error)),
    }
}

fn empty(folder: &Path) -> Result<(), StartError> {
    let entries = fs::read_dir(folder).map_err(|error| StartError::reading(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| StartError::reading(folder, error))?.path();
        // A link is removed, not what it leads to.
        let is_folder = path.is_dir() && !path.is_symlink();
        let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(|error| StartError::writing(&path, error))?;
    }
    Ok(())
}

/// The numbers in the names of the files in `folder` that have this extension.
fn numbered(
    folder: &Path,
    extension: &str,
    number: impl Fn(&str) -> Option<u64>,
) -> Result<Vec<u64>, StartError> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).map_err(|error| StartError::reading(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| StartError::reading(folder, error))?.path();
        if path.extension().is_some_and(|found| found == extension)
            && let Some(stem) = path.file_stem()
            && let Some(number) = number(&stem.to_string_lossy())
        {
            found.push(number);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt, path::Path};

    use kernel::{ClusterId, Incarnation, Membership, NodeId};

    use super::{Folder, peek};
    use crate::{
        config::{Begin, HostConfig},
        scratch::scratch,
        start_error::StartError,
    };

    fn config(path: &Path, cluster: u128, node: u64) -> HostConfig {
        let membership = Membership::default();
        let begin = Begin::Bootstrap { cluster: ClusterId(cluster), membership };
        HostConfig::new(path, NodeId(node), begin)
    }

    /// A folder that has lived once.
    fn lived_in(name: &str) -> std::path::PathBuf {
        let path = scratch(name);
        let mut folder = Folder::open(&config(&path, 1, 2)).unwrap();
        folder.begin_life(Incarnation(1)).unwrap();
        path
    }

    #[test]
    fn a_folder_keeps_who_lives_in_it() {
        let path = lived_in("folder-keeps");
        let identity = peek(&path).unwrap().unwrap();
        assert_eq!((identity.cluster, identity.node), (ClusterId(1), NodeId(2)));
        let mut resume = config(&path, 1, 2);
        resume.begin = Begin::Resume;
        let folder = Folder::open(&resume).unwrap();
        assert_eq!(folder.identity(), &identity);
        assert!(folder.is_complete());
    }

    #[test]
    fn a_folder_that_was_never_completed_is_made_anew() {
        let path = scratch("folder-incomplete");
        let first = Folder::open(&config(&path, 1, 2)).unwrap();
        fs::write(first.layout.log().join("0000000000000001.log"), b"half").unwrap();
        let disk = first.identity().disk;
        drop(first);
        assert_eq!(peek(&path).unwrap(), None);
        let second = Folder::open(&config(&path, 9, 8)).unwrap();
        assert_ne!(second.identity().disk, disk);
        assert!(second.layout.segments().unwrap().is_empty());
    }

    #[test]
    fn the_wrong_cluster_node_or_time_is_told_apart() {
        let path = lived_in("folder-wrong");
        let error = |config: &HostConfig| Folder::open(config).unwrap_err();
        assert!(matches!(error(&config(&path, 3, 2)), StartError::OtherCluster { .. }));
        assert!(matches!(error(&config(&path, 1, 3)), StartError::OtherNode { .. }));
        let _lock = Folder::open(&config(&path, 1, 2)).unwrap();
        assert!(matches!(error(&config(&path, 1, 2)), StartError::AlreadyRunning { .. }));
    }

    #[test]
    fn only_an_empty_folder_begins_something() {
        let path = scratch("folder-not-empty");
        let mut resume = config(&path, 1, 2);
        resume.begin = Begin::Resume;
        assert!(matches!(Folder::open(&resume), Err(StartError::NoNode { .. })));
        resume.folder = path.join("missing");
        assert!(matches!(Folder::open(&resume), Err(StartError::NoNode { .. })));
        fs::write(path.join("thesis.txt"), b"mine").unwrap();
        let error = Folder::open(&config(&path, 1, 2)).unwrap_err();
        assert!(error.to_string().contains("thesis.txt"), "{error}");
    }

    #[test]
    fn files_with_names_that_are_not_ours_are_left_alone() {
        let path = lived_in("folder-names");
        let folder = Folder::open(&config(&path, 1, 2)).unwrap();
        let layout = &folder.layout;
        for name in ["000000000000000a.log", "a.log", "+00000000000000b.log", "x.log", "C.LOG"] {
            fs::write(layout.log().join(name), b"").unwrap();
        }
        fs::create_dir_all(layout.temporary("folder").join("inside")).unwrap();
        for name in ["0.redb", "07.redb", "+8.redb", "copy.redb", "9.redb.old"] {
            fs::write(layout.tables().join(name), b"").unwrap();
        }
        assert_eq!(layout.segments().unwrap(), [log::SegmentNumber(10)]);
        assert_eq!(layout.generations().unwrap(), [kernel::Generation(0)]);
        let temporary = layout.temporary("");
        drop(folder);
        Folder::open(&config(&path, 1, 2)).unwrap();
        assert!(fs::read_dir(temporary).unwrap().next().is_none(), "whatever it was");
    }

    #[test]
    fn a_read_only_folder_is_left_alone() {
        let path = lived_in("folder-read-only");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o555)).unwrap();
        let error = Folder::open(&config(&path, 1, 2)).unwrap_err();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(error, StartError::ReadOnly { .. }), "{error}");
    }

    #[test]
    fn a_damaged_identity_is_no_identity() {
        let path = lived_in("folder-damaged");
        let text = fs::read_to_string(path.join("identity")).unwrap();
        fs::write(path.join("identity"), text.replace("node 2", "node 3")).unwrap();
        let error = Folder::open(&config(&path, 1, 3)).unwrap_err();
        assert!(matches!(error, StartError::DamagedFolder { .. }), "{error}");
    }
}

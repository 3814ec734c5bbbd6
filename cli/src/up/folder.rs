//! The folder of a cluster: `cluster.toml` says whose it is, a lock says that somebody uses it.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serve::System;
use toml::{Table, Value};

use super::options::UpOptions;
use crate::{
    exit::{Failure, Outcome},
    system,
};

const FILE: &str = "cluster.toml";
const LOCK: &str = "up.lock";
const HEAD: &str =
    "# Written by `archipel up`. The nodes' data is in the folders beside this file.\n";

/// The folder of one cluster, for as long as this process uses it.
#[derive(Debug)]
pub(super) struct ClusterFolder {
    path: PathBuf,
    token: String,
    system: System,
    nodes: u16,
    port: u16,
    /// The nodes that have had data: one of them whose folder is empty has lost it.
    founded: Vec<String>,
    /// Those of them that are on their way back into the cluster as new members.
    joining: Vec<String>,
    _lock: File,
}

impl ClusterFolder {
    /// Opens the folder, or makes a new one. What is new is written by [`ClusterFolder::save`].
    pub(super) fn open(options: &UpOptions) -> Outcome<Self> {
        let path = options.dir.clone();
        let unusable = |error: io::Error| {
            Failure::usage(format!(
                "The folder {} cannot be used: {error}. Choose another one with --dir.",
                path.display()
            ))
        };
        fs::create_dir_all(&path).map_err(unusable)?;
        let lock = lock(&path)?;
        let file = path.join(FILE);
        let folder = match fs::read_to_string(&file) {
            Ok(text) => Self::read(&path, &text, lock)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::new(options, lock)?,
            Err(error) => return Err(unusable(error)),
        };
        folder.agrees_with(options)?;
        Ok(folder)
    }

    fn new(options: &UpOptions, lock: File) -> Outcome<Self> {
        let path = options.dir.clone();
        let others = fs::read_dir(&path).into_iter().flatten().flatten();
        if let Some(stranger) = others.map(|entry| entry.file_name()).find(|name| name != LOCK) {
            return Err(Failure::usage(format!(
                "The folder {} holds no cluster, but it is not empty: it has {}. Choose an empty or \
                 new folder with --dir.",
                path.display(),
                stranger.display()
            )));
        }
        let nodes = options.nodes.as_deref().map_or(3, count);
        let token = format!("{:032x}", host::draw_cluster_id().0);
        let port = options.port.unwrap_or(3001);
        let system = options.system.unwrap_or_default();
        let (founded, joining) = (Vec::new(), Vec::new());
        Ok(Self { path, token, system, nodes, port, founded, joining, _lock: lock })
    }

    fn read(path: &Path, text: &str, lock: File) -> Outcome<Self> {
        let damaged = || {
            Failure::usage(format!(
                "The file {} does not say which cluster this is. Restore it, or choose another \
                 folder with --dir.",
                path.join(FILE).display()
            ))
        };
        let table: Table = text.parse().map_err(|_| damaged())?;
        let number = |name: &str| {
            let number = table.get(name).and_then(Value::as_integer);
            number.and_then(|number| u16::try_from(number).ok()).ok_or_else(damaged)
        };
        let token = table.get("token").and_then(Value::as_str).ok_or_else(damaged)?;
        // Folders from before there were several systems do not name theirs.
        let system = table.get("system").map_or(Some(""), Value::as_str);
        let system = system::named(system.ok_or_else(damaged)?).map_err(|what| {
            let file = path.join(FILE);
            Failure::usage(format!("The cluster of {} cannot be started: {what}.", file.display()))
        })?;
        let names = |name: &str| {
            let names = table.get(name).and_then(Value::as_array).ok_or_else(damaged)?;
            Ok(names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        Ok(Self {
            path: path.to_owned(),
            token: token.to_owned(),
            system,
            nodes: number("nodes")?,
            port: number("port")?,
            founded: names("founded")?,
            joining: names("joining")?,
            _lock: lock,
        })
    }

    /// What was asked for must not contradict what is there.
    fn agrees_with(&self, options: &UpOptions) -> Outcome<()> {
        let shown = self.path.display();
        if options.system.is_some_and(|system| system != self.system) {
            return Err(Failure::usage(format!(
                "The folder {shown} holds a cluster of {0}. Start it with --system {0} or without --system, or \
                 choose another folder with --dir.",
                self.system
            )));
        }
        let nodes = options.nodes.as_deref().map(count);
        if nodes.is_some_and(|nodes| nodes != self.nodes) {
            return Err(Failure::usage(format!(
                "The folder {shown} holds a cluster of {} nodes. Start it with --nodes {0} or without \
                 --nodes, or choose another folder with --dir.",
                self.nodes
            )));
        }
        if options.port.is_some_and(|port| port != self.port) {
            return Err(Failure::usage(format!(
                "The cluster in {shown} was made for the ports from {} on, and its members know each \
                 other there. Start it with --port {0} or without --port, or choose another folder \
                 with --dir.",
                self.port
            )));
        }
        Ok(())
    }

    /// Writes what is known, whole or not at all.
    fn write(&self) -> io::Result<()> {
        let mut table = Table::new();
        table.insert("token".to_owned(), Value::from(self.token.as_str()));
        table.insert("system".to_owned(), Value::from(self.system.name()));
        table.insert("nodes".to_owned(), Value::from(u32::from(self.nodes)));
        table.insert("port".to_owned(), Value::from(u32::from(self.port)));
        table.insert("founded".to_owned(), Value::from(self.founded.clone()));
        table.insert("joining".to_owned(), Value::from(self.joining.clone()));
        let new = self.path.join("cluster.toml.new");
        let mut file = File::create(&new)?;
        file.write_all(format!("{HEAD}{table}").as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, self.path.join(FILE))?;
        File::open(&self.path)?.sync_all()
    }

    /// Notes that `name` has data from now on.
    pub(super) fn note_founded(&mut self, name: &str) -> Outcome<()> {
        if self.is_founded(name) {
            return Ok(());
        }
        self.founded.push(name.to_owned());
        self.save()
    }

    /// Notes that `name` is on its way into the cluster as a new member, or no longer.
    pub(super) fn note_joining(&mut self, name: &str, is_joining: bool) -> Outcome<()> {
        if self.is_joining(name) == is_joining {
            return Ok(());
        }
        self.joining.retain(|other| other != name);
        if is_joining {
            self.joining.push(name.to_owned());
        }
        self.save()
    }

    /// Writes what is known of the cluster.
    pub(super) fn save(&self) -> Outcome<()> {
        self.write().map_err(|error| {
            let path = self.path.join(FILE);
            Failure::usage(format!("The file {} cannot be written: {error}.", path.display()))
        })
    }

    /// True if `name` is on its way into the cluster as a new member.
    pub(super) fn is_joining(&self, name: &str) -> bool {
        self.joining.iter().any(|joining| joining == name)
    }

    /// True if `name` has had data.
    pub(super) fn is_founded(&self, name: &str) -> bool {
        self.founded.iter().any(|founded| founded == name)
    }

    /// Puts the damaged data of `name` aside, where nobody uses it, and says where.
    pub(super) fn put_aside(&self, name: &str) -> io::Result<PathBuf> {
        let free = (1..).map(|number| self.path.join(format!("{name}.damaged-{number}")));
        let aside = free.into_iter().find(|path| !path.exists()).expect("numbers do not end");
        fs::rename(self.data_of(name), &aside)?;
        File::open(&self.path)?.sync_all()?;
        Ok(aside)
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of one node's data.
    pub(super) fn data_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The text that all nodes of the cluster share.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// What the cluster runs.
    pub(super) const fn system(&self) -> System {
        self.system
    }

    /// How many nodes the cluster has.
    pub(super) const fn nodes(&self) -> u16 {
        self.nodes
    }

    /// The first node's port for clients.
    pub(super) const fn port(&self) -> u16 {
        self.port
    }
}

fn lock(path: &Path) -> Outcome<File> {
    let file = path.join(LOCK);
    let unusable = |error: io::Error| {
        Failure::usage(format!(
            "The file {} cannot be used: {error}. Choose another folder with --dir.",
            file.display()
        ))
    };
    let lock = File::create(&file).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Failure::usage(format!(
            "Another `archipel up` runs the cluster in {}. Stop it first, or start another cluster \
             with --dir and --port.",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn count(nodes: &str) -> u16 {
    nodes.parse().expect("clap allows 1, 3 and 5 only")
}

#[cfg(test)]
mod tests {
    use super::ClusterFolder;
    use crate::up::UpOptions;
    use serve::System;
    use std::{fs, path::PathBuf};

    fn options(dir: &str, nodes: Option<&str>, port: Option<u16>) -> UpOptions {
        let dir: PathBuf = std::env::temp_dir().join(format!("{dir}-{}", std::process::id()));
        let nodes = nodes.map(str::to_owned);
        UpOptions { system: None, nodes, dir, port, node_options: Vec::new() }
    }

    #[test]
    fn a_folder_stays_the_folder_of_its_cluster() {
        let new = options("archipel-folder-same", Some("5"), Some(3101));
        let mut first = ClusterFolder::open(&new).unwrap();
        first.note_founded("node1").unwrap();
        let token = first.token().to_owned();
        drop(first);
        let again = ClusterFolder::open(&options("archipel-folder-same", None, None)).unwrap();
        assert_eq!((again.nodes(), again.port()), (5, 3101));
        assert_eq!(again.token(), token);
        assert!(again.is_founded("node1") && !again.is_founded("node2"));
        drop(again);
        for (nodes, port) in [(Some("3"), None), (None, Some(3001))] {
            assert!(ClusterFolder::open(&options("archipel-folder-same", nodes, port)).is_err());
        }
        fs::remove_dir_all(new.dir).unwrap();
    }

    #[test]
    fn a_folder_remembers_its_system() {
        let mut options = options("archipel-folder-system", None, None);
        options.system = Some(System::Queue);
        let first = ClusterFolder::open(&options).unwrap();
        first.save().unwrap();
        drop(first);
        options.system = None;
        let again = ClusterFolder::open(&options).unwrap();
        assert_eq!(again.system(), System::Queue);
        drop(again);
        options.system = Some(System::Kv);
        let message = ClusterFolder::open(&options).unwrap_err().message;
        assert!(message.contains("holds a cluster of queue"), "{message}");
        fs::remove_dir_all(options.dir).unwrap();
    }

    #[test]
    fn one_up_at_a_time_uses_a_folder() {
        let options = options("archipel-folder-twice", None, None);
        let first = ClusterFolder::open(&options).unwrap();
        let message = ClusterFolder::open(&options).unwrap_err().message;
        assert!(message.contains("Another `archipel up` runs"), "{message}");
        drop(first);
        fs::remove_dir_all(options.dir).unwrap();
    }

    #[test]
    fn somebody_elses_folder_is_left_alone() {
        let options = options("archipel-folder-other", None, None);
        fs::create_dir_all(&options.dir).unwrap();
        fs::write(options.dir.join("thesis.tex"), "x").unwrap();
        let message = ClusterFolder::open(&options).unwrap_err().message;
        assert!(message.contains("thesis.tex"), "{message}");
        fs::remove_dir_all(options.dir).unwrap();
    }
}

//! Why a host did not start, as sentences that say what to do next.

use std::{fmt, io, path::PathBuf};

use kernel::{ClusterId, NodeId};

/// Why a host did not start. Nothing was said to anybody in the name of the node.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// Another process uses the folder.
    AlreadyRunning {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder belongs to another cluster.
    OtherCluster {
        /// The folder.
        folder: PathBuf,
        /// Its cluster.
        has: ClusterId,
        /// The cluster that was asked for.
        wanted: ClusterId,
    },
    /// The folder belongs to another node.
    OtherNode {
        /// The folder.
        folder: PathBuf,
        /// Its node.
        has: NodeId,
        /// The node that was asked for.
        wanted: NodeId,
    },
    /// The folder was to hold a node and does not.
    NoNode {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds something, but no node.
    NotEmpty {
        /// The folder.
        folder: PathBuf,
        /// Something in it.
        found: String,
    },
    /// The folder may not be written.
    ReadOnly {
        /// What may not be written.
        path: PathBuf,
    },
    /// There is no room on the disk.
    DiskFull {
        /// What could not be written.
        path: PathBuf,
    },
    /// Something in the folder cannot be written.
    Unwritable {
        /// What.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Something in the folder cannot be read.
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file of the folder other than the log does not hold what it should.
    DamagedFolder {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A segment of the log is missing.
    MissingSegment {
        /// The log's folder.
        folder: PathBuf,
        /// Which one.
        segment: u64,
    },
    /// A segment of the log was written by another cluster, node or disk, or under another name.
    ForeignSegment {
        /// The log's folder.
        folder: PathBuf,
        /// Which one.
        segment: u64,
        /// What it is, and what to do.
        what: String,
    },
    /// Acknowledged data in the log is damaged.
    DamagedLog {
        /// The log's folder.
        folder: PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
    /// The address for other nodes cannot be listened on.
    Address {
        /// The address.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// The state machine does not accept the tables.
    Tables {
        /// What it said.
        fault: kernel::Fault,
    },
    /// The system gave no thread or no event queue.
    System {
        /// Why.
        error: io::Error,
    },
}

impl StartError {
    /// The error for `path`, which could not be written.
    pub(crate) fn writing(path: impl Into<PathBuf>, error: io::Error) -> Self {
        let path = path.into();
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { path }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Unwritable { path, error },
        }
    }

    /// The error for `path`, which could not be read.
    pub(crate) fn reading(path: impl Into<PathBuf>, error: io::Error) -> Self {
        Self::Unreadable { path: path.into(), error }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what_happened())?;
        formatter.write_str(" ")?;
        formatter.write_str(self.what_to_do())
    }
}

impl StartError {
    fn what_happened(&self) -> String {
        match self {
            Self::AlreadyRunning { folder } => {
                format!("The data folder {} is in use by another process.", folder.display())
            }
            Self::OtherCluster { folder, has, wanted } => format!(
                "The data folder {} belongs to the cluster {:032x}, not to {:032x}.",
                folder.display(),
                has.0,
                wanted.0
            ),
            Self::OtherNode { folder, has, wanted } => format!(
                "The data folder {} belongs to node {has}, not to node {wanted}.",
                folder.display()
            ),
            Self::NoNode { folder } => {
                format!("There is no node in the data folder {}.", folder.display())
            }
            Self::NotEmpty { folder, found } => format!(
                "The folder {} holds no node, but it is not empty: it has {found}.",
                folder.display()
            ),
            Self::ReadOnly { path } => format!("{} is read-only.", path.display()),
            Self::DiskFull { path } => {
                format!("There is no room on the disk for {}.", path.display())
            }
            Self::Unwritable { path, error } => {
                format!("Cannot write {}: {error}.", path.display())
            }
            Self::Unreadable { path, error } => format!("Cannot read {}: {error}.", path.display()),
            Self::DamagedFolder { path, what } => {
                format!("{} is damaged: {what}.", path.display())
            }
            Self::MissingSegment { folder, segment } => {
                format!("The log in {} lacks its segment {segment}.", folder.display())
            }
            Self::ForeignSegment { folder, what, .. } | Self::DamagedLog { folder, what } => {
                format!("The log in {} cannot be used: {what}.", folder.display())
            }
            Self::Address { address, error } => {
                format!("Cannot listen for other nodes on {address}: {error}.")
            }
            Self::Tables { fault } => format!("The tables cannot be used: {fault}."),
            Self::System { error } => format!("The system refused what a node needs: {error}."),
        }
    }

    const fn what_to_do(&self) -> &'static str {
        match self {
            Self::AlreadyRunning { .. } => "Stop that process first, or choose another folder.",
            Self::OtherCluster { .. } => {
                "Choose another folder, or start the node with the cluster that it belongs to."
            }
            Self::OtherNode { .. } => "Choose another folder, or start it as the node that it is.",
            Self::NoNode { .. } => {
                "Check the path, or bootstrap a new cluster or join one with this folder."
            }
            Self::NotEmpty { .. } => {
                "Choose an empty folder, or put back the missing file named identity."
            }
            Self::ReadOnly { .. } => {
                "Give this user the right to write there, or choose another data folder."
            }
            Self::DiskFull { .. } => "Free some space and start again; nothing is lost.",
            Self::Unwritable { .. } => "Check the disk and the path, then start again.",
            Self::Unreadable { .. } => "Check the disk and who may read it, then start again.",
            Self::MissingSegment { .. } => {
                "Put the file back if it was moved. Otherwise remove this node from its cluster and \
                 add it again, under a new number and with an empty folder."
            }
            Self::ForeignSegment { .. } | Self::DamagedLog { .. } => {
                "If this node is the only voter, nobody else has its data: restore a backup."
            }
            Self::DamagedFolder { .. } | Self::Tables { .. } => {
                "Remove this node from its cluster and add it again, under a new number and with an \
                 empty folder; if it is the only voter, restore a backup."
            }
            Self::Address { .. } => "Stop whatever uses the port, or choose another one.",
            Self::System { .. } => "Check the limits on threads and open files.",
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unwritable { error, .. }
            | Self::Unreadable { error, .. }
            | Self::Address { error, .. }
            | Self::System { error } => Some(error),
            Self::Tables { fault } => Some(fault),
            _ => None,
        }
    }
}

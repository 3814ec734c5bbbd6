//! What a host is told at its start: one struct, every bound in it.

use std::{fmt, path::PathBuf, sync::Arc};

use kernel::{ClusterId, Membership, NodeId};

/// What to do with the data folder.
#[derive(Clone, Debug)]
pub enum Begin {
    /// The folder must hold this node already.
    Resume,
    /// An empty folder becomes this member of a new cluster. A folder that is this member already
    /// goes on; the membership given here then means nothing.
    Bootstrap {
        /// The new cluster's id, the same for all its first members.
        cluster: ClusterId,
        /// The first members, the same for all of them.
        membership: Membership,
    },
    /// An empty folder becomes a node that waits to be added to a running cluster. A folder that
    /// belongs to the cluster already goes on.
    Join {
        /// The running cluster's id.
        cluster: ClusterId,
    },
}

impl Begin {
    /// The cluster that the folder must belong to, if it matters.
    #[must_use]
    pub const fn cluster(&self) -> Option<ClusterId> {
        match self {
            Self::Resume => None,
            Self::Bootstrap { cluster, .. } | Self::Join { cluster } => Some(*cluster),
        }
    }
}

/// Where sentences for people go: a refused peer, a full disk. Each is said once.
#[derive(Clone)]
pub struct Notify(Arc<dyn Fn(&str) + Send + Sync>);

impl Notify {
    /// Gives each sentence to `listener`, which must not block.
    pub fn new(listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    /// Says `sentence`.
    pub fn say(&self, sentence: &str) {
        (self.0)(sentence);
    }
}

impl Default for Notify {
    /// To standard error, a line each.
    fn default() -> Self {
        Self::new(|sentence| eprintln!("{sentence}"))
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Notify")
    }
}

/// All bounds of a host. Beyond them requests are refused as [`Busy`](kernel::Refusal::Busy) and
/// messages are dropped: back-pressure is an error, never memory.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Size of a log segment, bytes. An existing log may have segments of other sizes.
    pub segment_bytes: u64,
    /// Memory that the engine under the tables may use as a cache, bytes.
    pub tables_cache_bytes: usize,
    /// The tables are flushed when this many bytes of writes wait in memory.
    pub flush_bytes: u64,
    /// The largest message between nodes, bytes.
    pub frame_bytes_max: u32,
    /// What may wait to be sent to one peer, bytes; beyond it messages are dropped.
    pub peer_queue_bytes_max: usize,
    /// Connections from other nodes at a time, the ones that have not said who they are included.
    pub incoming_max: usize,
    /// Requests that may wait for their outcome.
    pub requests_waiting_max: usize,
    /// What may wait to be written to the log, bytes, before requests are refused.
    pub log_queue_bytes_max: u64,
    /// What may wait to be applied, bytes, before requests are refused.
    pub apply_queue_bytes_max: u64,
    /// Room that stays free on the disk for the tables when a log segment is made, bytes: some two
    /// flushes, or the tables can no longer free the log on a disk that is full.
    pub reserve_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            tables_cache_bytes: 64 << 20,
            flush_bytes: 16 << 20,
            frame_bytes_max: 16 << 20,
            peer_queue_bytes_max: 32 << 20,
            incoming_max: 256,
            requests_waiting_max: 65_536,
            log_queue_bytes_max: 64 << 20,
            apply_queue_bytes_max: 64 << 20,
            reserve_bytes: 32 << 20,
        }
    }
}

/// What a host is told at its start.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The data folder.
    pub folder: PathBuf,
    /// Which node this is.
    pub node: NodeId,
    /// What people call it.
    pub name: String,
    /// What a new folder says of the system that its tables are of.
    pub system: String,
    /// What to do with the folder.
    pub begin: Begin,
    /// `host:port` to listen on for other nodes; port 0 takes any.
    pub peer_listen: String,
    /// `host:port` at which other nodes reach it; empty for the address that was bound.
    pub peer_advertised: String,
    /// All bounds.
    pub limits: Limits,
    /// Where sentences for people go.
    pub notify: Notify,
}

impl HostConfig {
    /// A host of `node` in `folder`, listening on any port of this machine.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, node: NodeId, begin: Begin) -> Self {
        Self {
            folder: folder.into(),
            node,
            name: format!("node{node}"),
            system: String::new(),
            begin,
            peer_listen: String::from("127.0.0.1:0"),
            peer_advertised: String::new(),
            limits: Limits::default(),
            notify: Notify::default(),
        }
    }
}

//! What one process takes on: connections, bytes, time. Beyond it, a clear refusal.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that a node needs besides its clients' connections: log, tables, peers.
const OPEN_FILES_BESIDES: u64 = 256;

/// The bounds of the HTTP front.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many clients may be connected at once.
    pub connections_max: u32,
    /// How long a connection may be silent, and how long a request's head or body may take to arrive.
    pub client_timeout: Duration,
    /// How long a request may take inside; the node's own request timeout is shorter.
    pub answer_timeout: Duration,
    /// How many bytes of large request bodies may be in memory at once, over all connections.
    pub bodies_bytes_max: u32,
    /// How large the file of the tables may be, in bytes, before an alarm is raised; nothing is no limit.
    pub tables_bytes_max: Option<u64>,
    /// How long earlier revisions can be read at least; nothing is as long as nobody compacts them.
    pub history_kept: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            client_timeout: Duration::from_secs(30),
            answer_timeout: Duration::from_secs(10),
            bodies_bytes_max: 64 << 20,
            tables_bytes_max: None,
            history_kept: Some(Duration::from_secs(3600)),
        }
    }
}

/// Lets this process open as many files as `connections` clients need, as far as the system's hard
/// limit allows. Gives how many clients can be served.
#[must_use]
pub fn raise_open_files(connections: u32) -> u32 {
    let wanted = u64::from(connections) + OPEN_FILES_BESIDES;
    let limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.unwrap_or(u64::MAX).min(wanted);
    if limit.current.is_some_and(|current| current < allowed) {
        let raised = Rlimit { current: Some(allowed), maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!("The limit of open files stays as it is: {error}.");
        }
    }
    let open = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let clients = open.saturating_sub(OPEN_FILES_BESIDES).clamp(16, u64::from(connections));
    u32::try_from(clients).expect("clamped to a u32 from above")
}

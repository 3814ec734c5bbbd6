//! Starts a host: the folder is opened, the log read back, the threads set going.

use std::{
    fs, io,
    net::{TcpListener, ToSocketAddrs},
};

use kernel::{
    Entry, EntryId, Fault, HardState, Image, Index, Instant, Membership, Node, Peer, Stamp,
    StateMachine, Tables, Wire,
};
use replica::Applier;

use crate::{
    clock::Clock,
    config::HostConfig,
    entropy::draw_u64,
    folder::Folder,
    recover::{self, Contents, FirstTables},
    running::Running,
    start_error::StartError,
    transport::KnownPeers,
    world::World,
};

/// A node that can live on several threads: its messages, requests and status go from one to another.
/// A copy of it is taken now and then on the thread of consensus, so a clone is cheap; its last inputs
/// and an image of it are written down if it breaks an invariant.
pub trait Hosted:
    Node<Message: Send, Request: Wire + Send, Status: Send + Sync> + Image + Clone + Send + 'static
{
}

impl<N> Hosted for N where
    N: Node<Message: Send, Request: Wire + Send, Status: Send + Sync>
        + Image
        + Clone
        + Send
        + 'static
{
}

/// What a node is made from: what its folder held.
#[derive(Clone, Debug)]
pub struct Boot {
    /// The node, in the life that begins now; that it has begun is durable.
    pub me: Peer,
    /// Where its chances start; different in each life.
    pub seed: u64,
    /// Now, by the clock that the node will live by.
    pub now: Instant,
    /// Term, vote and commit.
    pub hard: HardState,
    /// The entry at which the log begins.
    pub base: EntryId,
    /// That entry's stamp.
    pub base_stamp: Stamp,
    /// The configuration as of that entry.
    pub membership: Membership,
    /// All entries after it.
    pub entries: Vec<Entry>,
    /// How far the durable tables have been applied.
    pub applied: Index,
    /// The end of the log is in doubt: the node must not vote before it has reached this index.
    pub uncertain_until: Option<EntryId>,
}

/// Starts a node in a data folder. `boot` makes the node and its state machine from what the folder
/// holds. Returns when the node runs; blocks for as long as reading the log takes.
///
/// # Errors
/// [`StartError`] says why it did not start, and what to do. Nothing was said in the node's name.
pub fn start<N, S, F>(config: HostConfig, boot: F) -> Result<Running<N>, StartError>
where
    N: Hosted,
    S: StateMachine,
    F: FnOnce(Boot) -> (N, S),
{
    let mut folder = Folder::open(&config)?;
    let known = read_peers(&folder)?;
    let listener = listen(&config.peer_listen)?;
    let contents = recover::open(&config, &mut folder)?;
    let clock = Clock::start();
    let me = Peer { node: config.node, incarnation: contents.incarnation };
    let (node, machine) = boot(boot_of(me, clock, &contents));
    let base = contents.tables.moment().map_err(|fault| StartError::Tables { fault })?;
    let tables = Tables::new(base, contents.tables_meta.clone());
    let mut applier =
        Applier::new(me, machine, tables).map_err(|fault| StartError::Tables { fault })?;
    applier.set_flush_bytes(config.limits.flush_bytes);
    let world = World { config, folder, clock, me, known, listener, contents };
    world.set_going(node, applier).map_err(|error| StartError::System { error })
}

/// Makes the data folder of a first member whose tables hold something from the start; all first members must be
/// given the same. Blocks until all is on disk; the node itself is not started.
///
/// # Errors
/// [`StartError`] if the folder holds a node already or cannot be written, or what `fill` says.
pub fn found(
    config: &HostConfig,
    fill: &mut dyn FnMut(&mut FirstTables) -> Result<(), Fault>,
) -> Result<(), StartError> {
    let mut folder = Folder::open(config)?;
    if folder.is_complete() {
        let (folder, found) = (config.folder.clone(), format!("the data of {}", config.name));
        return Err(StartError::NotEmpty { folder, found });
    }
    let incarnation = recover::found(config, &folder, fill)?;
    folder.begin_life(incarnation)
}

fn boot_of(me: Peer, clock: Clock, contents: &Contents) -> Boot {
    Boot {
        me,
        seed: draw_u64(),
        now: clock.now(),
        hard: contents.hard,
        base: contents.base,
        base_stamp: contents.base_stamp,
        membership: contents.membership.clone(),
        entries: contents.entries.clone(),
        applied: contents.tables_meta.applied.index,
        uncertain_until: contents.uncertain_until,
    }
}

fn read_peers(folder: &Folder) -> Result<KnownPeers, StartError> {
    let path = folder.layout.peers();
    match fs::read_to_string(&path) {
        Ok(text) => KnownPeers::decode(&text)
            .map_err(|what| StartError::DamagedFolder { path, what: String::from(what) }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(KnownPeers::default()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(StartError::DamagedFolder { path, what: String::from("it is not text") })
        }
        Err(error) => Err(StartError::reading(path, error)),
    }
}

fn listen(address: &str) -> Result<TcpListener, StartError> {
    let bind = || {
        let addresses: Vec<_> = address.to_socket_addrs()?.collect();
        let listener = TcpListener::bind(addresses.as_slice())?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    bind().map_err(|error| StartError::Address { address: String::from(address), error })
}

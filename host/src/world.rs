//! The parts of a host, put together and set going: which thread has what.

use std::{
    io,
    net::TcpListener as SystemListener,
    sync::{Arc, atomic::AtomicBool},
};

use kernel::{Peer, StateMachine};
use mio::{Poll, net::TcpListener};
use replica::{Applier, Keeper, SnapshotReceiver};

use crate::{
    applier_thread::ApplierThread,
    base::{FlushThread, VerifyThread},
    clock::Clock,
    config::HostConfig,
    consensus_thread::{ConsensusThread, Round},
    entropy::draw_u64,
    errands::Errands,
    folder::Folder,
    generations::Generations,
    inbox::Inbox,
    last_inputs::Recorder,
    log_thread::{LogState, LogThread},
    metrics::Metrics,
    recover::Contents,
    running::{Crew, Running},
    segment_thread::SegmentThread,
    shared::{Board, Mail, Shared},
    snapshot_thread::{SnapshotThread, Streams},
    start::Hosted,
    tickets::Tickets,
    transport::{Introduction, KnownPeers, Transport, TransportLimits, WAKER},
};

/// All that a host is made of, before its threads run.
pub(crate) struct World {
    pub(crate) config: HostConfig,
    pub(crate) folder: Folder,
    pub(crate) clock: Clock,
    pub(crate) me: Peer,
    pub(crate) known: KnownPeers,
    pub(crate) listener: SystemListener,
    pub(crate) contents: Contents,
}

impl World {
    /// Puts the parts together and sets the threads going.
    pub(crate) fn set_going<N, S>(self, node: N, applier: Applier<S>) -> io::Result<Running<N>>
    where
        N: Hosted,
        S: StateMachine,
    {
        let address = self.listener.local_addr()?;
        let identity = self.folder.identity().clone();
        let introduction = Introduction {
            cluster: identity.cluster,
            node: identity.node,
            disk: identity.disk,
            incarnation: self.me.incarnation,
            address: match self.config.peer_advertised.as_str() {
                "" => address.to_string(),
                advertised => String::from(advertised),
            },
        };
        let Self { config, folder, clock, me, known, listener, contents } = self;
        let poll = Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), WAKER)?;
        let metrics = Arc::new(Metrics::default());
        metrics.tables_file_bytes.set(contents.tables.place().bytes());
        let transport = Transport::new(
            poll.registry().try_clone()?,
            TcpListener::from_std(listener),
            introduction,
            known,
            TransportLimits::of(&config.limits),
            (Arc::clone(&metrics), config.notify.clone(), draw_u64()),
        )?;
        let shared = Arc::new(Shared {
            me,
            clock,
            layout: folder.layout.clone(),
            limits: config.limits,
            notify: config.notify,
            inbox: Inbox::new(waker),
            mail: Mail::default(),
            tickets: Tickets::new(Arc::clone(&metrics)),
            metrics,
            generations: Generations::default(),
            board: Board::new(node.status(), transport.links()),
            has_failed: AtomicBool::new(false),
        });
        let errands = Errands::new(Arc::clone(&shared));
        let consensus = ConsensusThread {
            shared: Arc::clone(&shared),
            recorder: Recorder::new(&node),
            node,
            poll,
            transport,
            errands,
            round: Round::default(),
        };
        let mut crew = Crew::new(Arc::clone(&shared), folder);
        set_disk_going(&shared, &mut crew, contents, applier)?;
        let thread = crew.lead(consensus)?;
        Ok(Running::new(shared, thread, identity, address))
    }
}

/// The threads around the consensus thread, all of which have to do with the disk.
fn set_disk_going<N, S>(
    shared: &Arc<Shared<N>>,
    crew: &mut Crew<N>,
    contents: Contents,
    applier: Applier<S>,
) -> io::Result<()>
where
    N: Hosted,
    S: StateMachine,
{
    let Contents { log, disk, generation, tables, .. } = contents;
    shared.generations.insert(generation, Arc::clone(&tables));
    let segments = SegmentThread { shared: Arc::clone(shared) };
    crew.add("segments", move || segments.run())?;
    let mut log = LogThread {
        shared: Arc::clone(shared),
        keeper: Keeper::new(log),
        disk,
        state: LogState::default(),
    };
    crew.add("log", move || log.run())?;
    let flush = FlushThread { shared: Arc::clone(shared) };
    crew.add("flush", move || flush.run())?;
    let verify = VerifyThread { shared: Arc::clone(shared) };
    crew.add("verify", move || verify.run())?;
    let mut snapshots = SnapshotThread {
        shared: Arc::clone(shared),
        receiver: SnapshotReceiver::new(generation),
        streams: Streams::default(),
    };
    crew.add("snapshots", move || snapshots.run())?;
    let mut applier =
        ApplierThread { shared: Arc::clone(shared), applier, file: tables, outputs: Vec::new() };
    crew.add("applier", move || applier.run())
}

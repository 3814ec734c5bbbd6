//! What the threads of one host share, and what handles see of it.

use std::sync::{Arc, Mutex, atomic::AtomicBool};

use kernel::{Fault, Index, Node, Peer};
use log::DiskOperation;
use tokio::sync::watch;

use crate::{
    applier_thread::ApplierWork,
    base::{FlushWork, Flushed},
    clock::Clock,
    config::{Limits, Notify},
    folder::Layout,
    generations::Generations,
    inbox::Inbox,
    log_thread::LogWork,
    mailbox::{Mailbox, lock},
    metrics::Metrics,
    snapshot_thread::SnapshotWork,
    tickets::Tickets,
    transport::LinkStatus,
};

/// What the threads of one host share.
#[derive(Debug)]
pub(crate) struct Shared<N: Node> {
    pub(crate) me: Peer,
    pub(crate) clock: Clock,
    pub(crate) layout: Layout,
    pub(crate) limits: Limits,
    pub(crate) notify: Notify,
    pub(crate) inbox: Inbox<N>,
    pub(crate) mail: Mail,
    pub(crate) tickets: Tickets,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) generations: Generations,
    pub(crate) board: Board<N>,
    /// Set when the node has failed: nothing more of it becomes durable.
    pub(crate) has_failed: AtomicBool,
}

/// The queues between the threads; the consensus thread has its [`Inbox`].
#[derive(Debug, Default)]
pub(crate) struct Mail {
    pub(crate) log: Mailbox<LogWork>,
    pub(crate) segments: Mailbox<DiskOperation>,
    pub(crate) applier: Mailbox<ApplierWork>,
    pub(crate) flushes: Mailbox<FlushWork>,
    pub(crate) flushed: Mailbox<Flushed>,
    pub(crate) snapshots: Mailbox<SnapshotWork>,
    /// Nothing is sent to who verifies the tables but the end.
    pub(crate) verify: Mailbox<()>,
}

impl Mail {
    /// Lets every thread end, whoever was to tell it.
    pub(crate) fn close(&self) {
        self.log.close();
        self.segments.close();
        self.applier.close();
        self.flushes.close();
        self.flushed.close();
        self.snapshots.close();
        self.verify.close();
    }

    /// Drops what nobody will take any more.
    pub(crate) fn clear(&self) {
        self.log.discard();
        self.segments.discard();
        self.applier.discard();
        self.flushes.discard();
        self.flushed.discard();
        self.snapshots.discard();
        self.verify.discard();
    }
}

/// What the consensus thread shows to everybody.
#[derive(Debug)]
pub(crate) struct Board<N: Node> {
    status: Mutex<Arc<N::Status>>,
    links: Arc<Mutex<Vec<LinkStatus>>>,
    /// Nothing while the node runs; how it ended afterwards.
    ended: watch::Sender<Option<Option<Fault>>>,
    /// The last entry that has been applied.
    applied: watch::Sender<Index>,
}

impl<N: Node> Board<N> {
    pub(crate) fn new(status: N::Status, links: Arc<Mutex<Vec<LinkStatus>>>) -> Self {
        Self {
            status: Mutex::new(Arc::new(status)),
            links,
            ended: watch::Sender::new(None),
            applied: watch::Sender::new(Index(0)),
        }
    }

    pub(crate) fn publish(&self, status: N::Status) {
        *lock(&self.status) = Arc::new(status);
    }

    pub(crate) fn status(&self) -> Arc<N::Status> {
        Arc::clone(&lock(&self.status))
    }

    pub(crate) fn links(&self) -> Vec<LinkStatus> {
        lock(&self.links).clone()
    }

    pub(crate) fn has_applied(&self, index: Index) {
        self.applied.send_replace(index);
    }

    pub(crate) fn applied(&self) -> watch::Receiver<Index> {
        self.applied.subscribe()
    }

    /// The node has ended: with a fault, or as it was asked to.
    pub(crate) fn end(&self, fault: Option<Fault>) {
        self.ended.send_replace(Some(fault));
    }

    pub(crate) fn ended(&self) -> watch::Receiver<Option<Option<Fault>>> {
        self.ended.subscribe()
    }
}

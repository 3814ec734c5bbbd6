//! [`Running`]: a host that has been started, its threads, and its end.

use std::{
    any::Any,
    io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
};

use kernel::{ClusterId, DiskId, Fault, Node, Peer};

use crate::{
    consensus_thread::{ConsensusThread, End},
    folder::{Folder, Layout},
    handle::Handle,
    identity::FolderIdentity,
    inbox::Event,
    last_inputs::Recorder,
    shared::Shared,
    start::Hosted,
};

/// A host that has been started. Dropping it does not stop the node: see [`Running::stop`].
#[derive(Debug)]
pub struct Running<N: Node> {
    shared: Arc<Shared<N>>,
    thread: JoinHandle<()>,
    identity: FolderIdentity,
    address: SocketAddr,
}

impl<N: Node> Running<N> {
    pub(crate) const fn new(
        shared: Arc<Shared<N>>,
        thread: JoinHandle<()>,
        identity: FolderIdentity,
        address: SocketAddr,
    ) -> Self {
        Self { shared, thread, identity, address }
    }

    /// Talks to the node.
    #[must_use]
    pub fn handle(&self) -> Handle<N> {
        Handle::new(Arc::clone(&self.shared))
    }

    /// The node and its present life.
    #[must_use]
    pub fn me(&self) -> Peer {
        self.shared.me
    }

    /// The node's cluster.
    #[must_use]
    pub const fn cluster(&self) -> ClusterId {
        self.identity.cluster
    }

    /// The data folder's own id.
    #[must_use]
    pub const fn disk(&self) -> DiskId {
        self.identity.disk
    }

    /// The address that is listened on for other nodes.
    #[must_use]
    pub const fn peer_address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the node has ended and let its folder go; with the fault if it failed.
    #[must_use]
    pub fn join(self) -> Option<Fault> {
        // How it ended stands on the board, even if the thread panicked at its very end.
        let _ = self.thread.join();
        let ended = self.shared.board.ended().borrow().clone();
        ended.flatten()
    }

    /// Stops the node cleanly and waits for it; with the fault if it failed.
    #[must_use]
    pub fn stop(self) -> Option<Fault> {
        self.handle().stop();
        self.join()
    }
}

/// The threads of a host, ended in order by the one that leads.
pub(crate) struct Crew<N: Node> {
    shared: Arc<Shared<N>>,
    threads: Vec<JoinHandle<()>>,
    /// Let go at the very end.
    folder: Folder,
}

impl<N: Hosted> Crew<N> {
    pub(crate) const fn new(shared: Arc<Shared<N>>, folder: Folder) -> Self {
        Self { shared, threads: Vec::new(), folder }
    }

    /// Sets a thread going. If it panics, the node fails.
    pub(crate) fn add(
        &mut self,
        name: &str,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let guarded = move || {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(body)) {
                shared.inbox.push(Event::Fail(broken_invariant(&*payload)));
            }
        };
        self.threads.push(thread::Builder::new().name(String::from(name)).spawn(guarded)?);
        Ok(())
    }

    /// Sets the consensus thread going, which ends all others when it ends itself.
    pub(crate) fn lead(self, mut consensus: ConsensusThread<N>) -> io::Result<JoinHandle<()>> {
        let body = move || {
            let end = catch_unwind(AssertUnwindSafe(|| consensus.run()));
            let end = end.unwrap_or_else(|payload| End::Broken(broken_invariant(&*payload)));
            // Nothing that it says from now on may leave.
            let recorder = consensus.into_recorder();
            self.end(end, &recorder);
        };
        thread::Builder::new().name(String::from("consensus")).spawn(body)
    }

    fn end(self, end: End, recorder: &Recorder<N>) {
        let Self { shared, threads, folder } = self;
        let is_broken = matches!(end, End::Broken(_));
        let fault = match end {
            End::Stopped => None,
            End::Failed(fault) | End::Broken(fault) => Some(fault),
        };
        if fault.is_some() {
            shared.has_failed.store(true, Ordering::Release);
        }
        for (ticket, _) in shared.inbox.close().requests {
            shared.tickets.stopped(ticket);
        }
        // The log and the applier finish what they have; the others end when these two do.
        shared.mail.log.close();
        shared.mail.applier.close();
        shared.mail.verify.close();
        if fault.is_some() {
            // A thread that panicked has not told those that wait for it.
            shared.mail.close();
        }
        for thread in threads.into_iter().rev() {
            // A panic was reported by the thread itself.
            let _ = thread.join();
        }
        shared.mail.clear();
        shared.generations.clear();
        if let Some(fault) = &fault {
            shared.notify.say(&format!("Node {} stops: {fault}.", shared.me.node));
            if is_broken {
                let written = recorder.to_file(shared.me, &fault.to_string());
                shared.notify.say(&keep_last_inputs(&shared.layout, shared.me, &written));
            }
        }
        drop(folder);
        shared.board.end(fault);
        shared.tickets.end_all();
    }
}

/// Writes the file of last inputs; a sentence that says where it is.
fn keep_last_inputs(layout: &Layout, me: Peer, file: &[u8]) -> String {
    let path = layout.last_inputs(me.incarnation);
    let shown = path.display();
    match layout.replace(&path, file) {
        Ok(()) => {
            layout.remove_old_last_inputs();
            format!("Its last inputs are kept: `archipel replay {shown}` runs them again.")
        }
        Err(error) => format!("Its last inputs cannot be kept in {shown}: {error}."),
    }
}

/// Lets the threads that answer go first: what this one does can wait.
pub(crate) fn yield_to_others() {
    const NICE: i32 = 5;
    #[cfg(target_os = "linux")]
    {
        // Without the right to do so it is as nice as before, which is no harm.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
    }
}

fn broken_invariant(payload: &(dyn Any + Send)) -> Fault {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    Fault::StateMachine(format!(
        "an invariant of the node is broken: {}",
        text.unwrap_or("see the message above")
    ))
}

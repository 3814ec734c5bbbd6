//! What the transport wants done that could block: looking up a name, storing the file `peers`.

use std::{net::ToSocketAddrs, sync::Arc, thread};

use kernel::Node;

use crate::{inbox::Event, mailbox::Mailbox, shared::Shared, start::Hosted, transport::Errand};

/// Hands errands to a thread of their own, which is started with the first one: where all addresses
/// are numbers and all peers are known there is none.
pub(crate) struct Errands<N: Node> {
    shared: Arc<Shared<N>>,
    work: Arc<Mailbox<Errand>>,
    is_running: bool,
}

impl<N: Hosted> Errands<N> {
    pub(crate) fn new(shared: Arc<Shared<N>>) -> Self {
        Self { shared, work: Arc::default(), is_running: false }
    }

    pub(crate) fn run(&mut self, errand: Errand) {
        self.work.push(errand);
        if self.is_running {
            return;
        }
        let work = Arc::clone(&self.work);
        let shared = Arc::clone(&self.shared);
        let body = move || {
            let mut errands = Vec::new();
            while work.take(&mut errands) {
                for errand in errands.drain(..) {
                    carry_out(errand, &shared);
                }
            }
        };
        // Without a thread the errand waits for the next one: nothing but a connection is late.
        self.is_running = thread::Builder::new().name("errands".into()).spawn(body).is_ok();
    }
}

impl<N: Node> Drop for Errands<N> {
    fn drop(&mut self) {
        self.work.close();
    }
}

fn carry_out<N: Node>(errand: Errand, shared: &Shared<N>) {
    match errand {
        Errand::Resolve { node, address } => {
            let addresses = address.to_socket_addrs().map(Iterator::collect).unwrap_or_default();
            shared.inbox.push(Event::Resolved { node, addresses });
        }
        Errand::RememberPeers(text) => {
            let layout = &shared.layout;
            if let Err(error) = layout.replace(&layout.peers(), text.as_bytes()) {
                shared.notify.say(&format!(
                    "Cannot store which disks the other nodes have: {error}. \
                     They are remembered until this node stops."
                ));
            }
        }
    }
}

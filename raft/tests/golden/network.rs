//! Messages on their way: they arrive when the script says so, or never.

use std::collections::{BTreeMap, BTreeSet};

use archipel_raft::Message;
use kernel::{NodeId, Peer};

use crate::print;

/// One message on its way.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) from: Peer,
    pub(crate) to: NodeId,
    pub(crate) message: Message,
}

/// Which messages are meant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) from: Option<u64>,
    pub(crate) to: Option<u64>,
    pub(crate) kind: Option<String>,
    pub(crate) count: Option<usize>,
}

/// All links, in one queue: what was sent first arrives first.
#[derive(Debug, Default)]
pub(crate) struct Network {
    queue: Vec<Packet>,
    held: BTreeMap<String, Vec<Packet>>,
    cut: BTreeSet<(NodeId, NodeId)>,
}

impl Filter {
    fn fits(&self, packet: &Packet) -> bool {
        self.from.is_none_or(|from| packet.from.node.0 == from)
            && self.to.is_none_or(|to| packet.to.0 == to)
            && self.kind.as_ref().is_none_or(|kind| print::kind(&packet.message) == kind)
    }
}

impl Network {
    /// False if the link is cut and the message is lost.
    pub(crate) fn send(&mut self, packet: Packet) -> bool {
        let arrives = self.is_open(packet.from.node, packet.to);
        if arrives {
            self.queue.push(packet);
        }
        arrives
    }

    pub(crate) fn is_open(&self, from: NodeId, to: NodeId) -> bool {
        !self.cut.contains(&(from, to))
    }

    /// Takes the messages that are meant.
    pub(crate) fn take(&mut self, filter: &Filter) -> Vec<Packet> {
        let mut left = filter.count.unwrap_or(usize::MAX);
        let is_taken = |packet: &mut Packet| {
            let fits = left > 0 && filter.fits(packet);
            left -= usize::from(fits);
            fits
        };
        self.queue.extract_if(.., is_taken).collect()
    }

    /// Holds messages back under a name; with `copy` they also go on their way.
    pub(crate) fn hold(&mut self, name: &str, filter: &Filter, copy: bool) -> Vec<Packet> {
        let before = self.queue.clone();
        let taken = self.take(filter);
        if copy {
            self.queue = before;
        }
        self.held.entry(name.into()).or_default().extend(taken.clone());
        taken
    }

    /// Lets go of what was held back.
    pub(crate) fn release(&mut self, name: &str) -> Vec<Packet> {
        let released = self.held.remove(name).unwrap_or_default();
        self.queue.extend(released.clone());
        released
    }

    /// Cuts a link in one direction; what is on it is lost.
    pub(crate) fn cut(&mut self, from: NodeId, to: NodeId) {
        self.cut.insert((from, to));
        self.queue.retain(|packet| (packet.from.node, packet.to) != (from, to));
    }

    /// All links are whole again.
    pub(crate) fn heal(&mut self) {
        self.cut.clear();
    }
}

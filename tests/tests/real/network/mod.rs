//! A network that can be cut for real: a proxy stands in each link from one node to another.
//!
//! A link carries what one node says to another one; the way back is a link of its own. On a link that
//! is cut nothing moves and nothing is refused, as when a cable is out: what was sent is delivered once
//! the link is whole again, or is lost with the connection.

mod link;

use std::{collections::BTreeMap, time::Duration};

use link::{Link, State};

/// The links between all nodes of a cluster, by the places of the node that speaks and of the one that
/// listens.
#[derive(Debug)]
pub(crate) struct Network {
    links: BTreeMap<(usize, usize), Link>,
}

impl Network {
    /// Whole links between nodes that listen for each other on `ports`.
    pub(crate) fn new(ports: &[u16]) -> Self {
        let mut links = BTreeMap::new();
        for from in 0..ports.len() {
            for (to, port) in ports.iter().enumerate().filter(|(to, _)| *to != from) {
                links.insert((from, to), Link::new(*port));
            }
        }
        Self { links }
    }

    /// Where the node `from` reaches the node `to`.
    pub(crate) fn port(&self, from: usize, to: usize) -> u16 {
        self.links[&(from, to)].port()
    }

    /// Cuts all links between these nodes and all others, both ways.
    pub(crate) fn cut_off(&self, places: &[usize]) {
        for ((from, to), link) in &self.links {
            if places.contains(from) != places.contains(to) {
                link.set(State::Cut);
            }
        }
    }

    /// Cuts one link, one way.
    pub(crate) fn cut(&self, from: usize, to: usize) {
        self.links[&(from, to)].set(State::Cut);
    }

    /// Makes all that this node says and hears arrive this much later.
    pub(crate) fn slow_down(&self, place: usize, delay: Duration) {
        for ((from, to), link) in &self.links {
            if *from == place || *to == place {
                link.set(State::Whole { delay });
            }
        }
    }

    /// Makes all links whole.
    pub(crate) fn heal(&self) {
        for link in self.links.values() {
            link.set(State::Whole { delay: Duration::ZERO });
        }
    }
}

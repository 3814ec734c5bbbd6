//! A network of nodes in virtual time: latencies, losses and deaths from a seed.

use std::collections::{BTreeMap, BTreeSet};

use dht::{Dht, Id, Outcome, Request, Scope, Settings};
use kernel::{
    Datagram, Effect, Endpoint, Incarnation, Input, Instant, Node as _, Peer, Rng, Ticket,
    Wire as _,
};

const MILLISECOND: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1000 * MILLISECOND;

/// A network and the nodes that are on it.
pub(crate) struct Network {
    now: Instant,
    rng: Rng,
    /// Datagrams lost, out of a hundred.
    pub(crate) loss: u64,
    pub(crate) nodes: BTreeMap<Endpoint, Dht>,
    under_way: BTreeMap<(Instant, u64), (Endpoint, Endpoint, Datagram)>,
    sent: u64,
    outcomes: BTreeMap<Ticket, Outcome>,
}

/// The address of the node with this number.
pub(crate) fn endpoint(number: usize) -> Endpoint {
    let [high, low] = u16::try_from(number).expect("there are few nodes").to_be_bytes();
    Endpoint { ip: [127, 1, high, low], port: 6881 }
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: Instant(0),
            rng: Rng::new(seed),
            loss: 0,
            nodes: BTreeMap::new(),
            under_way: BTreeMap::new(),
            sent: 0,
            outcomes: BTreeMap::new(),
        }
    }

    /// A network of `count` nodes, each of which has joined by another one.
    pub(crate) fn of(seed: u64, count: usize) -> Self {
        let mut network = Self::new(seed);
        for number in 0..count {
            network.join(number);
            network.run(SECOND / 2);
        }
        network.run(20 * SECOND);
        network
    }

    /// A node comes; it knows the address of one that is there.
    pub(crate) fn join(&mut self, number: usize) {
        let known: Vec<Endpoint> = self.nodes.keys().copied().collect();
        let settings = Settings {
            id: Id::hash(&[&self.rng.next().to_be_bytes()]),
            endpoint: endpoint(number),
            scope: Scope::Loopback,
            bootstrap: self.rng.pick(&known).copied().into_iter().collect(),
            is_read_only: false,
        };
        let secret = Id::hash(&[b"secret", &self.rng.next().to_be_bytes()]).0;
        self.nodes.insert(endpoint(number), Dht::new(settings, secret));
    }

    /// A node is gone from one moment to the next.
    pub(crate) fn kill(&mut self, at: Endpoint) {
        self.nodes.remove(&at).expect("it was there");
    }

    /// Asks a node; gives what came of it.
    pub(crate) fn ask(&mut self, at: Endpoint, request: Request) -> Outcome {
        self.sent += 1;
        let ticket = Ticket(self.sent);
        self.handle(at, Input::Request { ticket, request, wall_ms: 0 });
        let end = self.now.0 + 120 * SECOND;
        while self.now.0 < end {
            if let Some(outcome) = self.outcomes.remove(&ticket) {
                return outcome;
            }
            self.step();
        }
        panic!("a request came to no end");
    }

    /// Lets time pass, in nanoseconds.
    pub(crate) fn run(&mut self, nanoseconds: u64) {
        let end = Instant(self.now.0 + nanoseconds);
        while self.next().is_some_and(|next| next <= end) {
            self.step();
        }
        self.now = end;
    }

    /// Any node that is there.
    pub(crate) fn any(&mut self) -> Endpoint {
        let all: Vec<Endpoint> = self.nodes.keys().copied().collect();
        *self.rng.pick(&all).expect("there are nodes")
    }

    /// Those who hold the value under an id.
    pub(crate) fn holders(&self, target: Id) -> BTreeSet<Id> {
        let holding = self.nodes.values().filter(|node| node.has(target));
        holding.map(|node| node.status().id).collect()
    }

    /// The nearest `count` nodes to an id: the dumb version of a lookup.
    pub(crate) fn nearest(&self, target: Id, count: usize) -> BTreeSet<Id> {
        let mut ids: Vec<Id> = self.nodes.values().map(|node| node.status().id).collect();
        ids.sort_by_key(|id| id.distance(target));
        ids.into_iter().take(count).collect()
    }

    fn next(&self) -> Option<Instant> {
        let arrival = self.under_way.keys().next().map(|(at, _)| *at);
        let deadline = self.nodes.values().filter_map(Dht::deadline).min();
        arrival.into_iter().chain(deadline).min()
    }

    fn step(&mut self) {
        let next = self.next().expect("nodes always have something to do");
        self.now = self.now.max(next);
        if let Some(entry) = self.under_way.first_entry().filter(|entry| entry.key().0 <= self.now)
        {
            let (from, to, message) = entry.remove();
            let from = Peer { node: from.node(), incarnation: Incarnation(0) };
            self.handle(to, Input::Message { from, message });
            return;
        }
        let due =
            self.nodes.iter().find(|(_, node)| node.deadline().is_some_and(|at| at <= self.now));
        if let Some(at) = due.map(|(at, _)| *at) {
            self.handle(at, Input::Timeout);
        }
    }

    fn handle(&mut self, at: Endpoint, input: Input<Datagram, Request>) {
        let Some(node) = self.nodes.get_mut(&at) else {
            return;
        };
        let mut effects = Vec::new();
        node.handle(self.now, input, &mut effects);
        node.check();
        for effect in effects {
            match effect {
                Effect::Send { to, message, .. } => self.send(at, to, message),
                Effect::Answer { ticket, answer } => {
                    let outcome = Outcome::from_bytes(answer).expect("an answer is an outcome");
                    self.outcomes.insert(ticket, outcome);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn send(&mut self, from: Endpoint, to: kernel::NodeId, message: Datagram) {
        let to = Endpoint::of_node(to).expect("an address");
        if self.rng.chance(self.loss, 100) {
            return;
        }
        self.sent += 1;
        let latency = self.rng.between(MILLISECOND, 100 * MILLISECOND);
        self.under_way.insert((Instant(self.now.0 + latency), self.sent), (from, to, message));
    }
}

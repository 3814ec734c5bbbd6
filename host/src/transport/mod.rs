//! Connections between nodes: TCP, one connection for each ordered pair. Each node dials for what it
//! sends itself; what it receives comes over connections that the others have dialed.
//!
//! ```text
//! dialer                      acceptor
//!   hello    ───────────────▶            who I am, whom I want to reach
//!            ◀───────────────  answer    who I am; welcome, or refused with a reason
//!   frame frame frame ──────▶            many with each write
//! ```
//! Everything here is polled by the consensus thread and never blocks it. A message may be lost; one
//! that arrives is whole, and comes after those sent before it over the same connection.

mod frame;
mod hello;
mod incoming;
mod known_peers;
mod outgoing;
mod status;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use kernel::{Instant, Membership, NodeId, Peer, Rng, Wire};
use mio::{Interest, Registry, Token, event::Event, net::TcpListener};

use crate::{
    config::{Limits, Notify},
    mailbox::lock,
    metrics::Metrics,
};
use incoming::Incoming;
use outgoing::{Outgoing, Progress};

pub(crate) use frame::group_payload;
use hello::Greeting;
pub(crate) use hello::Introduction;
pub(crate) use known_peers::KnownPeers;
pub use status::{LinkState, LinkStatus};

/// The token under which the consensus thread is woken.
pub(crate) const WAKER: Token = Token(0);
const LISTENER: Token = Token(1);
const FIRST_CONNECTION: usize = 2;

/// How long a connection may take to say who it is.
const GREETING_MAX: Duration = Duration::from_secs(5);

/// How long to wait before accepting again when the system has no more file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How many different complaints are remembered, so that each is said once.
const COMPLAINTS_MAX: usize = 1024;

/// A payload that has come from another node.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) from: Peer,
    /// The connection, to be closed if the payload makes no sense.
    pub(crate) connection: Token,
    pub(crate) payload: Bytes,
}

/// What the consensus thread is to do for the transport.
#[derive(Debug)]
pub(crate) enum Errand {
    /// Look up the host name of a node without blocking.
    Resolve { node: NodeId, address: String },
    /// Store which disk each node has.
    RememberPeers(String),
}

/// Bounds of the transport.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransportLimits {
    pub(crate) frame_bytes_max: u32,
    pub(crate) queue_bytes_max: usize,
    pub(crate) incoming_max: usize,
}

impl TransportLimits {
    pub(crate) const fn of(limits: &Limits) -> Self {
        Self {
            frame_bytes_max: limits.frame_bytes_max,
            queue_bytes_max: limits.peer_queue_bytes_max,
            incoming_max: limits.incoming_max,
        }
    }
}

/// All connections of one node.
pub(crate) struct Transport {
    registry: Registry,
    listener: TcpListener,
    introduction: Introduction,
    limits: TransportLimits,
    known: KnownPeers,
    members: BTreeSet<NodeId>,
    addresses: BTreeMap<NodeId, String>,
    outgoing: BTreeMap<NodeId, Outgoing>,
    incoming: BTreeMap<Token, Incoming>,
    next_token: usize,
    tokens: BTreeMap<Token, NodeId>,
    rng: Rng,
    accept_at: Option<Instant>,
    complaints: BTreeSet<String>,
    /// Connections that have something to read.
    unread: BTreeSet<Token>,
    received: VecDeque<Received>,
    unreachable: BTreeSet<NodeId>,
    errands: Vec<Errand>,
    links: Arc<Mutex<Vec<LinkStatus>>>,
    metrics: Arc<Metrics>,
    notify: Notify,
}

impl Transport {
    pub(crate) fn new(
        registry: Registry,
        mut listener: TcpListener,
        introduction: Introduction,
        known: KnownPeers,
        limits: TransportLimits,
        (metrics, notify, seed): (Arc<Metrics>, Notify, u64),
    ) -> io::Result<Self> {
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            registry,
            listener,
            introduction,
            limits,
            known,
            members: BTreeSet::new(),
            addresses: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            incoming: BTreeMap::new(),
            next_token: FIRST_CONNECTION,
            tokens: BTreeMap::new(),
            rng: Rng::new(seed),
            accept_at: None,
            complaints: BTreeSet::new(),
            unread: BTreeSet::new(),
            received: VecDeque::new(),
            unreachable: BTreeSet::new(),
            errands: Vec::new(),
            links: Arc::default(),
            metrics,
            notify,
        })
    }

    /// The state of all links, kept up to date for other threads.
    pub(crate) fn links(&self) -> Arc<Mutex<Vec<LinkStatus>>> {
        Arc::clone(&self.links)
    }

    /// Connects to the members from now on, and to nobody else of its own accord.
    pub(crate) fn members(&mut self, membership: &Membership, now: Instant) {
        let me = self.introduction.node;
        self.members = membership.members.keys().copied().filter(|node| *node != me).collect();
        for (node, member) in &membership.members {
            if *node == me || member.peer_address.is_empty() {
                continue;
            }
            if member.disk.0 != 0 && self.known.learn(*node, member.disk) {
                self.errands.push(Errand::RememberPeers(self.known.encode()));
            }
            self.set_address(*node, &member.peer_address);
        }
        let members = &self.members;
        self.outgoing.retain(|node, link| members.contains(node) || link.is_open());
        let outgoing = &self.outgoing;
        self.tokens.retain(|_, node| outgoing.contains_key(node));
        self.tick(now);
    }

    /// Where `node` is reached from now on.
    fn set_address(&mut self, node: NodeId, address: &str) {
        if self.addresses.get(&node).is_none_or(|known| known != address) {
            self.addresses.insert(node, String::from(address));
            if let Some(link) = self.outgoing.remove(&node) {
                self.tokens.remove(&link.token());
            }
        }
        self.outgoing.entry(node).or_insert_with(|| Outgoing::new(node, address));
    }

    /// Queues a message. It leaves with the next [`flush`](Self::flush), if it leaves.
    pub(crate) fn send(&mut self, to: NodeId, message: &impl Wire) {
        let limits = self.limits;
        if !self.outgoing.contains_key(&to)
            && let Some(address) = self.addresses.get(&to)
        {
            self.outgoing.insert(to, Outgoing::new(to, address));
        }
        let link = self.outgoing.get_mut(&to);
        let queued = link.is_some_and(|link| link.send(message, limits));
        if queued {
            self.metrics.messages_out.add(1);
        } else {
            self.metrics.messages_dropped.add(1);
            if self.outgoing.get_mut(&to).is_none_or(Outgoing::begins_to_drop) {
                self.unreachable.insert(to);
            }
        }
    }

    /// Writes what is queued, many messages with one call.
    pub(crate) fn flush(&mut self, now: Instant) {
        let busy: Vec<NodeId> = self
            .outgoing
            .iter()
            .filter(|(_, link)| link.has_to_write())
            .map(|(node, _)| *node)
            .collect();
        for node in busy {
            self.advance(node, now);
        }
    }

    /// Handles what the system reports of a socket.
    pub(crate) fn ready(&mut self, event: &Event, now: Instant) {
        let token = event.token();
        if token == LISTENER {
            self.accept(now);
        } else if let Some(node) = self.tokens.get(&token).copied() {
            if let Some(link) = self.outgoing.get_mut(&node).filter(|link| link.token() == token) {
                link.ready(event.is_readable(), event.is_writable());
                self.advance(node, now);
            }
        } else {
            self.unread.insert(token);
        }
    }

    /// Reads what has come, a bounded amount of each connection; true if there is more.
    pub(crate) fn receive(&mut self, now: Instant) -> bool {
        for token in std::mem::take(&mut self.unread) {
            self.read(token, now);
        }
        !self.unread.is_empty()
    }

    /// The next payload that has come.
    pub(crate) fn next_received(&mut self) -> Option<Received> {
        self.received.pop_front()
    }

    /// The peers that could not be reached since the last call.
    pub(crate) fn take_unreachable(&mut self) -> BTreeSet<NodeId> {
        std::mem::take(&mut self.unreachable)
    }

    pub(crate) fn take_errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.errands)
    }

    /// When [`tick`](Self::tick) is next needed.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let outgoing = self.outgoing.values().filter_map(Outgoing::deadline);
        let incoming = self.incoming.values().filter_map(Incoming::deadline);
        outgoing.chain(incoming).chain(self.accept_at).min()
    }

    /// Dials those whose time has come, and gives up those who took too long.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.accept_at.is_some_and(|at| at <= now) {
            self.accept(now);
        }
        let late = |link: &Incoming| link.deadline().is_some_and(|deadline| deadline <= now);
        let late: Vec<Token> =
            self.incoming.iter().filter(|(_, link)| late(link)).map(|(token, _)| *token).collect();
        for token in late {
            self.drop_incoming(token);
        }
        let due: Vec<NodeId> = self
            .outgoing
            .iter()
            .filter(|(_, link)| link.deadline().is_some_and(|deadline| deadline <= now))
            .map(|(node, _)| *node)
            .collect();
        for node in due {
            self.advance(node, now);
        }
    }

    /// A host name was looked up.
    pub(crate) fn resolved(&mut self, node: NodeId, addresses: Vec<SocketAddr>, now: Instant) {
        let Some(mut link) = self.outgoing.remove(&node) else {
            return;
        };
        if addresses.is_empty() {
            self.failed(&mut link, now);
        } else {
            link.resolved(addresses);
        }
        self.outgoing.insert(node, link);
    }

    /// A payload made no sense: nothing more is taken from this connection.
    pub(crate) fn reject(&mut self, connection: Token, what: &str) {
        self.metrics.frames_damaged.add(1);
        let from = self.incoming.get(&connection).and_then(Incoming::peer);
        let name =
            from.map_or_else(|| String::from("somebody"), |peer| format!("node {}", peer.node));
        self.complain(format!("A connection from {name} was closed: it sent {what}."));
        self.drop_incoming(connection);
    }

    /// Takes the link to `node` as far as it goes now.
    fn advance(&mut self, node: NodeId, now: Instant) {
        let Some(mut link) = self.outgoing.remove(&node) else {
            return;
        };
        let is_wanted = self.members.contains(&node) || link.has_to_write();
        match link.advance(now, &self.introduction, is_wanted) {
            Progress::None => {}
            Progress::Gone => {
                self.tokens.remove(&link.token());
                return;
            }
            Progress::Dial(address) => self.dial(&mut link, address, now),
            Progress::Resolve(address) => self.errands.push(Errand::Resolve { node, address }),
            Progress::Greeted(introduction) => {
                match self.known.judge(&self.introduction, &introduction, Some(node)) {
                    Ok(is_new) => self.opened(&mut link, is_new),
                    Err(reason) => self.refused(&mut link, reason, now),
                }
                // It may write at once what has gathered.
                link.advance(now, &self.introduction, is_wanted);
            }
            Progress::Refused(reason) => self.refused(&mut link, reason, now),
            Progress::Failed => self.failed(&mut link, now),
        }
        self.metrics.message_bytes_out.add(link.take_bytes_written());
        let has_changed = link.take_changed();
        self.outgoing.insert(node, link);
        if has_changed {
            self.publish();
        }
    }

    fn dial(&mut self, link: &mut Outgoing, address: SocketAddr, now: Instant) {
        self.tokens.remove(&link.token());
        let token = self.draw_token();
        self.tokens.insert(token, link.node());
        if link.dial(&self.registry, token, address, now).is_err() {
            self.failed(link, now);
        }
    }

    fn opened(&mut self, link: &mut Outgoing, is_new: bool) {
        link.open();
        if is_new {
            self.errands.push(Errand::RememberPeers(self.known.encode()));
        }
    }

    fn refused(&mut self, link: &mut Outgoing, reason: String, now: Instant) {
        self.metrics.peers_refused.add(1);
        self.complain(format!("No connection to node {}: {reason}", link.node()));
        link.refuse(reason);
        self.failed(link, now);
    }

    fn failed(&mut self, link: &mut Outgoing, now: Instant) {
        let jitter = self.rng.below(1 << 20);
        let dropped = link.fail(now, jitter);
        self.metrics.messages_dropped.add(dropped);
        self.unreachable.insert(link.node());
    }

    fn accept(&mut self, now: Instant) {
        self.accept_at = None;
        loop {
            let (stream, address) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(_) => {
                    self.accept_at = Some(now.after(ACCEPT_AGAIN));
                    return;
                }
            };
            if self.incoming.len() >= self.limits.incoming_max {
                self.complain(String::from(
                    "A connection was closed at once: too many others are open on the address for nodes.",
                ));
                continue;
            }
            let token = self.draw_token();
            let deadline = now.after(GREETING_MAX);
            if let Ok(link) = Incoming::new(stream, address, &self.registry, token, deadline) {
                self.incoming.insert(token, link);
            }
        }
    }

    /// Reads what a connection has, as far as one turn goes.
    fn read(&mut self, token: Token, now: Instant) {
        let Some(mut link) = self.incoming.remove(&token) else {
            return;
        };
        let mut payloads = Vec::new();
        let result = link.read(self.limits.frame_bytes_max, &mut payloads);
        if let Some(greeting) = link.take_greeting()
            && !self.greet(&mut link, &greeting, now)
        {
            return;
        }
        // Nothing counts before the hello has been accepted.
        if let Some(from) = link.peer() {
            self.metrics.messages_in.add(payloads.len() as u64);
            for payload in payloads {
                self.metrics.message_bytes_in.add(payload.len() as u64);
                self.received.push_back(Received { from, connection: token, payload });
            }
        }
        self.incoming.insert(token, link);
        match result {
            Ok(false) => {}
            Ok(true) => {
                self.unread.insert(token);
            }
            Err(incoming::End::Closed) => self.drop_incoming(token),
            Err(incoming::End::Nonsense(what)) => self.reject(token, what),
        }
    }

    /// Answers a greeting; false if the connection is refused.
    fn greet(&mut self, link: &mut Incoming, greeting: &Greeting, now: Instant) -> bool {
        let hello = &greeting.introduction;
        let verdict = self.judge(greeting);
        let refusal = verdict.as_ref().err().map_or("", String::as_str);
        link.answer(&self.introduction, hello, refusal);
        let is_new = match verdict {
            Ok(is_new) => is_new,
            Err(reason) => {
                self.metrics.peers_refused.add(1);
                let address = link.address().ip();
                self.complain(format!("A connection from {address} was refused: {reason}"));
                return false;
            }
        };
        if is_new {
            self.errands.push(Errand::RememberPeers(self.known.encode()));
        }
        let from = Peer { node: hello.node, incarnation: hello.incarnation };
        // The newest connection of a node is the one it uses; an older one may hang in a dead network.
        self.incoming.retain(|_, other| other.peer().is_none_or(|peer| peer.node != from.node));
        link.open(from);
        if !self.members.contains(&from.node) && !hello.address.is_empty() {
            self.set_address(from.node, &hello.address);
        }
        if let Some(outgoing) = self.outgoing.get_mut(&from.node) {
            // It is up: there is no reason to wait with dialing.
            outgoing.hurry(now);
        }
        true
    }

    fn judge(&mut self, greeting: &Greeting) -> Result<bool, String> {
        let me = &self.introduction;
        let verdict = self.known.judge(me, &greeting.introduction, None)?;
        if greeting.to != me.node {
            let (from, to) = (greeting.introduction.node, greeting.to);
            return Err(format!(
                "node {from} looks for node {to} at {}, which is node {}. Check the addresses.",
                me.address, me.node
            ));
        }
        Ok(verdict)
    }

    fn drop_incoming(&mut self, token: Token) {
        self.incoming.remove(&token);
    }

    fn draw_token(&mut self) -> Token {
        let token = Token(self.next_token);
        self.next_token += 1;
        token
    }

    /// Says a sentence unless it has been said before.
    fn complain(&mut self, sentence: String) {
        if self.complaints.len() < COMPLAINTS_MAX && !self.complaints.contains(&sentence) {
            self.notify.say(&sentence);
            self.complaints.insert(sentence);
        }
    }

    /// Publishes the state of the links if it has changed.
    fn publish(&self) {
        let links = self.outgoing.values().map(Outgoing::status).collect();
        *lock(&self.links) = links;
    }
}

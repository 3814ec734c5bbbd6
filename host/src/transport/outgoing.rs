//! The connection that this node dials to send to another one.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::SocketAddr,
    time::Duration,
};

use kernel::{GroupId, Instant, NodeId, Wire, Writer};
use mio::{Interest, Registry, Token, net::TcpStream};

use super::{
    TransportLimits,
    frame::append,
    hello::{Greeting, Introduction},
    status::{LinkState, LinkStatus},
};
use crate::GROUP;

/// How long dialing and greeting may take together, and looking up a name.
const CONNECT_MAX: Duration = Duration::from_secs(1);

/// How long sent bytes may go without acknowledgement before the connection is given up.
const SILENCE_MAX: Duration = Duration::from_secs(3);

const BACKOFF_MIN: Duration = Duration::from_millis(20);
const BACKOFF_MAX: Duration = Duration::from_millis(500);

/// A connection to one node, at every stage of its life.
#[derive(Debug)]
pub(super) struct Outgoing {
    node: NodeId,
    address: String,
    /// Where the address leads, the next to try in front.
    candidates: VecDeque<SocketAddr>,
    state: State,
    token: Token,
    is_readable: bool,
    is_writable: bool,
    /// Messages on their way to `sending`.
    queue: Writer,
    queued: u64,
    /// Bytes on their way to the socket, those before `sent` done.
    sending: Vec<u8>,
    sent: usize,
    written: u64,
    backoff: Duration,
    /// True from a failure until the next success: messages are dropped.
    is_down: bool,
    is_overflowing: bool,
    refusal: Option<String>,
    has_changed: bool,
}

#[derive(Debug)]
enum State {
    Waiting { until: Instant },
    Resolving { deadline: Instant },
    Connecting { stream: TcpStream, deadline: Instant },
    Greeting { stream: TcpStream, received: Vec<u8>, deadline: Instant },
    Open { stream: TcpStream },
}

/// What the transport is to do about a link.
#[derive(Debug)]
pub(super) enum Progress {
    /// Nothing.
    None,
    /// Nobody wants it any more: drop it.
    Gone,
    /// Dial this address.
    Dial(SocketAddr),
    /// Look up this address.
    Resolve(String),
    /// The other side has said who it is and welcomes this node.
    Greeted(Introduction),
    /// The other side refuses this node.
    Refused(String),
    /// It broke, or could not be made.
    Failed,
}

impl Outgoing {
    /// A link that is dialed at once.
    pub(super) fn new(node: NodeId, address: &str) -> Self {
        Self {
            node,
            address: String::from(address),
            candidates: VecDeque::new(),
            state: State::Waiting { until: Instant(0) },
            token: Token(usize::MAX),
            is_readable: false,
            is_writable: false,
            queue: Writer::default(),
            queued: 0,
            sending: Vec::new(),
            sent: 0,
            written: 0,
            backoff: BACKOFF_MIN,
            is_down: false,
            is_overflowing: false,
            refusal: None,
            has_changed: true,
        }
    }

    pub(super) const fn node(&self) -> NodeId {
        self.node
    }

    pub(super) const fn token(&self) -> Token {
        self.token
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    pub(super) const fn has_to_write(&self) -> bool {
        self.queued > 0 || self.sent < self.sending.len()
    }

    pub(super) fn status(&self) -> LinkStatus {
        let state = match (&self.refusal, &self.state) {
            (Some(reason), _) => LinkState::Refused(reason.clone()),
            (None, State::Open { .. }) => LinkState::Connected,
            (None, _) if self.is_down => LinkState::Down,
            (None, _) => LinkState::Connecting,
        };
        LinkStatus { node: self.node, address: self.address.clone(), state }
    }

    /// True once after each change of the status.
    pub(super) const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.has_changed, false)
    }

    /// How many bytes went out since the last call.
    pub(super) const fn take_bytes_written(&mut self) -> u64 {
        std::mem::replace(&mut self.written, 0)
    }

    /// When [`advance`](Self::advance) is next needed.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { until } => Some(until),
            State::Resolving { deadline }
            | State::Connecting { deadline, .. }
            | State::Greeting { deadline, .. } => Some(deadline),
            State::Open { .. } => None,
        }
    }

    /// Queues a message; false if it is dropped.
    pub(super) fn send(&mut self, message: &impl Wire, limits: TransportLimits) -> bool {
        if self.is_down {
            return false;
        }
        let waiting = self.queue.len() + self.sending.len() - self.sent;
        if waiting >= limits.queue_bytes_max {
            return false;
        }
        let group: GroupId = GROUP;
        let is_queued = append(&mut self.queue, group, message, limits.frame_bytes_max);
        self.queued += u64::from(is_queued);
        is_queued
    }

    /// A message was dropped; true if it is the first one since the link worked.
    pub(super) const fn begins_to_drop(&mut self) -> bool {
        !self.is_down && !std::mem::replace(&mut self.is_overflowing, true)
    }

    /// The system reports the socket as ready.
    pub(super) const fn ready(&mut self, is_readable: bool, is_writable: bool) {
        self.is_readable |= is_readable;
        self.is_writable |= is_writable;
    }

    /// The other node is up: there is no reason to wait.
    pub(super) fn hurry(&mut self, now: Instant) {
        if let State::Waiting { until } = &mut self.state {
            *until = now;
            self.backoff = BACKOFF_MIN;
        }
    }

    pub(super) fn resolved(&mut self, addresses: Vec<SocketAddr>) {
        if matches!(self.state, State::Resolving { .. }) {
            self.candidates = addresses.into();
            self.state = State::Waiting { until: Instant(0) };
        }
    }

    /// Begins to connect.
    pub(super) fn dial(
        &mut self,
        registry: &Registry,
        token: Token,
        address: SocketAddr,
        now: Instant,
    ) -> io::Result<()> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let silence_ms = u32::try_from(SILENCE_MAX.as_millis()).expect("a few seconds");
        rustix::net::sockopt::set_tcp_user_timeout(&stream, silence_ms)?;
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        self.token = token;
        self.is_readable = false;
        self.is_writable = false;
        self.state = State::Connecting { stream, deadline: now.after(CONNECT_MAX) };
        Ok(())
    }

    /// The other side is accepted: messages may go.
    pub(super) fn open(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Waiting { until: Instant(0) });
        if let State::Greeting { stream, .. } = state {
            self.state = State::Open { stream };
        }
        self.backoff = BACKOFF_MIN;
        self.is_down = false;
        self.refusal = None;
        self.has_changed = true;
    }

    /// One side refuses the other.
    pub(super) fn refuse(&mut self, reason: String) {
        self.refusal = Some(reason);
        self.backoff = BACKOFF_MAX;
    }

    /// The connection is gone, with all that waited for it; how many messages that were, those that the
    /// system had taken not counted. `jitter` is below 2^20.
    pub(super) fn fail(&mut self, now: Instant, jitter: u64) -> u64 {
        let backoff = u64::try_from(self.backoff.as_nanos()).expect("a short time");
        let wait = backoff / 2 + (backoff >> 21) * jitter;
        self.state = State::Waiting { until: now.after(Duration::from_nanos(wait)) };
        self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
        self.sending = Vec::new();
        self.sent = 0;
        self.queue = Writer::default();
        self.is_down = true;
        self.is_overflowing = false;
        self.has_changed = true;
        std::mem::take(&mut self.queued)
    }

    /// Goes as far as it can now.
    pub(super) fn advance(&mut self, now: Instant, me: &Introduction, is_wanted: bool) -> Progress {
        match &self.state {
            State::Waiting { until } if *until <= now && !is_wanted => Progress::Gone,
            State::Waiting { until } if *until <= now => self.choose_address(now),
            State::Waiting { .. } => Progress::None,
            State::Open { .. } => self.transfer(),
            State::Resolving { deadline }
            | State::Connecting { deadline, .. }
            | State::Greeting { deadline, .. }
                if *deadline <= now =>
            {
                Progress::Failed
            }
            State::Resolving { .. } => Progress::None,
            State::Connecting { .. } => self.connect(me),
            State::Greeting { .. } => self.read_greeting(),
        }
    }

    fn choose_address(&mut self, now: Instant) -> Progress {
        if let Ok(address) = self.address.parse() {
            return Progress::Dial(address);
        }
        if let Some(address) = self.candidates.pop_front() {
            return Progress::Dial(address);
        }
        self.state = State::Resolving { deadline: now.after(CONNECT_MAX) };
        Progress::Resolve(self.address.clone())
    }

    /// Greets as soon as there is a connection.
    fn connect(&mut self, me: &Introduction) -> Progress {
        let State::Connecting { stream, deadline } = &mut self.state else {
            return Progress::None;
        };
        if !self.is_writable {
            return Progress::None;
        }
        if !matches!(stream.take_error(), Ok(None)) || stream.peer_addr().is_err() {
            return Progress::Failed;
        }
        let greeting =
            Greeting { introduction: me.clone(), to: self.node, refusal: String::new() }.to_wire();
        if stream.write_all(&greeting).is_err() {
            return Progress::Failed;
        }
        let deadline = *deadline;
        let old = std::mem::replace(&mut self.state, State::Waiting { until: deadline });
        if let State::Connecting { stream, .. } = old {
            self.state = State::Greeting { stream, received: Vec::new(), deadline };
        }
        self.read_greeting()
    }

    fn read_greeting(&mut self) -> Progress {
        let State::Greeting { stream, received, .. } = &mut self.state else {
            return Progress::None;
        };
        if !std::mem::take(&mut self.is_readable) {
            return Progress::None;
        }
        let is_over = read_all(stream, received);
        match Greeting::parse(received) {
            Ok(Some((greeting, _))) if greeting.refusal.is_empty() => {
                Progress::Greeted(greeting.introduction)
            }
            Ok(Some((greeting, _))) => Progress::Refused(greeting.refusal),
            Ok(None) if is_over => Progress::Failed,
            Ok(None) => Progress::None,
            Err(what) => Progress::Refused(format!("{} answers with {what}.", self.address)),
        }
    }

    /// Writes what waits, and notices the end of the connection.
    fn transfer(&mut self) -> Progress {
        let State::Open { stream } = &mut self.state else {
            return Progress::None;
        };
        if std::mem::take(&mut self.is_readable) && read_all(stream, &mut Vec::new()) {
            return Progress::Failed;
        }
        while self.is_writable {
            if self.sent == self.sending.len() {
                if self.queued == 0 {
                    break;
                }
                self.sending = std::mem::take(&mut self.queue).into_vec();
                self.sent = 0;
                self.queued = 0;
            }
            match stream.write(&self.sending[self.sent..]) {
                Ok(count) => {
                    self.sent += count;
                    self.written += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.is_writable = false,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Progress::Failed,
            }
        }
        self.is_overflowing &= self.has_to_write();
        Progress::None
    }
}

/// Reads what there is to the end of `received`; true if the connection is over.
fn read_all(stream: &mut TcpStream, received: &mut Vec<u8>) -> bool {
    let mut piece = [0; 1024];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => return true,
            Ok(count) => received.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return true,
        }
    }
}

//! A connection that another node has dialed: its greeting, then its frames.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
};

use bytes::Bytes;
use kernel::{Instant, Peer};
use mio::{Interest, Registry, Token, net::TcpStream};

use super::{
    frame::{FrameReader, Nonsense},
    hello::{Greeting, Introduction},
};

/// How much is read of one connection before the others have their turn.
const TURN_BYTES: usize = 4 << 20;

/// Why a connection has ended.
#[derive(Debug)]
pub(super) enum End {
    /// The other side closed it, or it broke.
    Closed,
    /// What came over it makes no sense.
    Nonsense(Nonsense),
}

/// A connection that another node has dialed.
#[derive(Debug)]
pub(super) struct Incoming {
    stream: TcpStream,
    address: SocketAddr,
    reader: FrameReader,
    greeting: Option<Greeting>,
    peer: Option<Peer>,
    deadline: Instant,
}

impl Incoming {
    pub(super) fn new(
        mut stream: TcpStream,
        address: SocketAddr,
        registry: &Registry,
        token: Token,
        deadline: Instant,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        registry.register(&mut stream, token, Interest::READABLE)?;
        let reader = FrameReader::new();
        Ok(Self { stream, address, reader, greeting: None, peer: None, deadline })
    }

    /// Who it is, once that is known and accepted.
    pub(super) const fn peer(&self) -> Option<Peer> {
        self.peer
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Until when it must have said who it is.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.peer.is_none().then_some(self.deadline)
    }

    /// Reads what has come; true if there may be more. What was whole before an end is in `bodies` all
    /// the same.
    pub(super) fn read(&mut self, bytes_max: u32, bodies: &mut Vec<Bytes>) -> Result<bool, End> {
        let mut turn = 0;
        while turn < TURN_BYTES {
            let space = self.reader.space();
            let wanted = space.len();
            let count = match self.stream.read(space) {
                Ok(0) => return Err(End::Closed),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(End::Closed),
            };
            turn += count;
            self.reader.read(count);
            self.cut(bytes_max, bodies).map_err(End::Nonsense)?;
            // A read that did not fill the space has emptied the socket: what comes later is reported.
            if count < wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn cut(&mut self, bytes_max: u32, bodies: &mut Vec<Bytes>) -> Result<(), Nonsense> {
        if self.peer.is_none() && self.greeting.is_none() {
            let Some((greeting, length)) = Greeting::parse(self.reader.rest())? else {
                return Ok(());
            };
            self.reader.skip(length);
            self.greeting = Some(greeting);
        }
        while let Some(body) = self.reader.next(bytes_max)? {
            bodies.push(body);
        }
        Ok(())
    }

    /// What it said of itself, once.
    pub(super) const fn take_greeting(&mut self) -> Option<Greeting> {
        self.greeting.take()
    }

    /// Answers its greeting.
    pub(super) fn answer(&mut self, me: &Introduction, to: &Introduction, refusal: &str) {
        let refusal = String::from(refusal);
        let answer = Greeting { introduction: me.clone(), to: to.node, refusal };
        // A new connection takes these few bytes at once; if it does not, its dialer tries again.
        let _ = self.stream.write_all(&answer.to_wire());
    }

    /// It is accepted: what it sends counts.
    pub(super) const fn open(&mut self, peer: Peer) {
        self.peer = Some(peer);
    }
}

//! Runs a node of an open network: datagrams over UDP, one thread, no log.
//!
//! ```text
//!   socket ─▶ Message ─┐                    ┌─▶ Send ─▶ socket
//!   handle ─▶ Request ─┼─▶ Node::handle ─▶──┤
//!   clock  ─▶ Timeout ─┘                    └─▶ Answer, Refused ─▶ whoever asked
//! ```
//! Such a node asks for nothing to be written, so nothing is held back. The socket is bound to one address, and
//! to the loopback unless the caller says otherwise.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddrV4},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};

use kernel::{
    Bytes, Datagram, Effect, Effects, Endpoint, Incarnation, Input, Node, Peer, Refusal, Ticket,
};
use mio::{Events, Interest, Poll, Token, Waker, net::UdpSocket};

use crate::clock::{Clock, wall_ms};

const SOCKET: Token = Token(0);
const WAKER: Token = Token(1);
/// The longest datagram that is looked at: no protocol of ours sends longer ones.
const DATAGRAM_BYTES_MAX: usize = 2048;
/// Datagrams taken before the clock is looked at again.
const BURST_MAX: usize = 256;

/// A socket that waits for its node: bound first, since a node may want to know its address.
#[derive(Debug)]
pub struct DatagramSocket {
    socket: UdpSocket,
    endpoint: Endpoint,
}

impl DatagramSocket {
    /// Binds to the address; port 0 draws a free one.
    ///
    /// # Errors
    /// The system's, most often that the port is taken.
    pub fn bind(endpoint: Endpoint) -> io::Result<Self> {
        let socket = UdpSocket::bind(address(endpoint).into())?;
        let port = socket.local_addr()?.port();
        Ok(Self { socket, endpoint: Endpoint { port, ..endpoint } })
    }

    /// Where it is bound.
    #[must_use]
    pub const fn endpoint(&self) -> Endpoint {
        self.endpoint
    }
}

/// How a request ended.
pub type DatagramAnswer = Result<Bytes, Refusal>;

enum Call<N: Node> {
    Request(N::Request, mpsc::Sender<DatagramAnswer>),
    Status(mpsc::Sender<N::Status>),
    Stop,
}

/// A running node; it stops when this is dropped.
#[derive(Debug)]
pub struct DatagramHost<N: Node> {
    calls: mpsc::Sender<Call<N>>,
    waker: Arc<Waker>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<N> DatagramHost<N>
where
    N: Node<Message = Datagram> + Send + 'static,
    N::Request: Send,
    N::Status: Send,
{
    /// Starts the node on a thread of its own.
    ///
    /// # Errors
    /// If the system has no event queue or no thread left.
    pub fn start(node: N, socket: DatagramSocket) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let mut socket = socket.socket;
        poll.registry().register(&mut socket, SOCKET, Interest::READABLE)?;
        let (calls, called) = mpsc::channel();
        let clock = Clock::start();
        let mut running =
            Running { node, socket, clock, called, waiting: HashMap::new(), last_ticket: 0 };
        let thread =
            thread::Builder::new().name("datagrams".to_owned()).spawn(move || running.run(poll))?;
        Ok(Self { calls, waker, thread: Mutex::new(Some(thread)) })
    }

    /// Asks the node for something and waits until it has come to an end, or for `patience`. Nothing if it has
    /// not by then, or if the node has stopped.
    #[must_use]
    pub fn ask(&self, request: N::Request, patience: Duration) -> Option<DatagramAnswer> {
        let (answer, answered) = mpsc::channel();
        self.call(Call::Request(request, answer));
        answered.recv_timeout(patience).ok()
    }

    /// What the node says about itself; nothing if it has stopped.
    #[must_use]
    pub fn status(&self) -> Option<N::Status> {
        let (status, told) = mpsc::channel();
        self.call(Call::Status(status));
        told.recv().ok()
    }

    /// True until the node has stopped, by itself or by a broken invariant.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    fn call(&self, call: Call<N>) {
        // A node that has stopped drops the call, and with it the channel for its end.
        let _ = self.calls.send(call);
        let _ = self.waker.wake();
    }
}

impl<N: Node> Drop for DatagramHost<N> {
    fn drop(&mut self) {
        let _ = self.calls.send(Call::Stop);
        let _ = self.waker.wake();
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        thread.map(JoinHandle::join);
    }
}

struct Running<N: Node> {
    node: N,
    socket: UdpSocket,
    clock: Clock,
    called: mpsc::Receiver<Call<N>>,
    waiting: HashMap<Ticket, mpsc::Sender<DatagramAnswer>>,
    last_ticket: u64,
}

impl<N: Node<Message = Datagram>> Running<N> {
    fn run(&mut self, mut poll: Poll) {
        let mut events = Events::with_capacity(8);
        loop {
            let has_more = self.receive();
            if self.take_calls().is_none() {
                return;
            }
            let wait = self.time_out();
            // The socket tells of what is there only once.
            let wait = if has_more { Some(Duration::ZERO) } else { wait };
            match poll.poll(&mut events, wait) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
                _ => {}
            }
        }
    }

    /// Gives the node what has arrived, up to a limit; says whether there may be more.
    fn receive(&mut self) -> bool {
        let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
        for _ in 0..BURST_MAX {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) if length <= DATAGRAM_BYTES_MAX => {
                    let std::net::SocketAddr::V4(from) = from else {
                        continue;
                    };
                    let endpoint = Endpoint { ip: from.ip().octets(), port: from.port() };
                    let from = Peer { node: endpoint.node(), incarnation: Incarnation(0) };
                    let message = Datagram(Bytes::copy_from_slice(&buffer[..length]));
                    self.give(Input::Message { from, message });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // Somebody we have sent to is not there: the datagram is lost, as any may be.
                Err(_) => {}
            }
        }
        true
    }

    /// Carries out what was asked of the node; nothing if it is to stop.
    fn take_calls(&mut self) -> Option<()> {
        loop {
            match self.called.try_recv() {
                Ok(Call::Request(request, answer)) => {
                    self.last_ticket += 1;
                    let ticket = Ticket(self.last_ticket);
                    self.waiting.insert(ticket, answer);
                    self.give(Input::Request { ticket, request, wall_ms: wall_ms() });
                }
                Ok(Call::Status(status)) => drop(status.send(self.node.status())),
                Err(mpsc::TryRecvError::Empty) => return Some(()),
                Ok(Call::Stop) | Err(mpsc::TryRecvError::Disconnected) => return None,
            }
        }
    }

    /// Gives the node its timeout if it is due; says how long to wait for the next one.
    fn time_out(&mut self) -> Option<Duration> {
        if self.node.deadline().is_some_and(|deadline| deadline <= self.clock.now()) {
            self.give(Input::Timeout);
        }
        let deadline = self.node.deadline()?;
        Some(deadline.since(self.clock.now()))
    }

    fn give(&mut self, input: Input<Datagram, N::Request>) {
        let mut effects = Effects::new();
        self.node.handle(self.clock.now(), input, &mut effects);
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect<Datagram>) {
        match effect {
            Effect::Send { to, message, .. } => {
                let to = Endpoint::of_node(to).expect("a node of an open network is its address");
                // It may be lost; so a socket that takes nothing now is no fault.
                let _ = self.socket.send_to(&message.0, address(to).into());
            }
            Effect::Answer { ticket, answer } => self.end(ticket, Ok(answer)),
            Effect::Refused { ticket, refusal } => self.end(ticket, Err(refusal)),
            other => panic!("a node of an open network has no log: {other:?}"),
        }
    }

    fn end(&mut self, ticket: Ticket, answer: DatagramAnswer) {
        if let Some(waiting) = self.waiting.remove(&ticket) {
            // Whoever asked may have lost patience.
            let _ = waiting.send(answer);
        }
    }
}

fn address(endpoint: Endpoint) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::from(endpoint.ip), endpoint.port)
}

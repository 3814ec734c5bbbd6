//! One link: a port that leads to another port, through a switch.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// How a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It carries all, each piece this much later.
    Whole { delay: Duration },
    /// It carries nothing.
    Cut,
    /// It is no more.
    Gone,
}

/// What the threads of a link wait at.
#[derive(Debug)]
struct Switch {
    state: Mutex<State>,
    changed: Condvar,
}

/// A link in one direction.
#[derive(Debug)]
pub(super) struct Link {
    address: SocketAddr,
    switch: Arc<Switch>,
}

impl Link {
    /// A whole link to the port `to`.
    pub(super) fn new(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the system gives a port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let switch = Arc::new(Switch {
            state: Mutex::new(State::Whole { delay: Duration::ZERO }),
            changed: Condvar::new(),
        });
        let accepting = Arc::clone(&switch);
        thread::spawn(move || accept(&listener, to, &accepting));
        Self { address, switch }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Turns the switch, for connections that exist and for new ones.
    pub(super) fn set(&self, state: State) {
        *self.switch.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.switch.changed.notify_all();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.set(State::Gone);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Switch {
    /// Waits until the link carries something, and as long as it takes to carry it; false if it never
    /// will.
    fn pass(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while *state == State::Cut {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let State::Whole { delay } = *state else {
            return false;
        };
        drop(state);
        thread::sleep(delay);
        true
    }
}

fn accept(listener: &TcpListener, to: u16, switch: &Arc<Switch>) {
    for incoming in listener.incoming() {
        let Ok(incoming) = incoming else {
            continue;
        };
        if *switch.state.lock().unwrap_or_else(PoisonError::into_inner) == State::Gone {
            return;
        }
        let switch = Arc::clone(switch);
        thread::spawn(move || carry(incoming, to, &switch));
    }
}

/// Carries one connection until either side closes it.
fn carry(incoming: TcpStream, to: u16, switch: &Arc<Switch>) {
    if !switch.pass() {
        return;
    }
    let connected = TcpStream::connect(("127.0.0.1", to)).and_then(|outgoing| {
        outgoing.set_nodelay(true)?;
        incoming.set_nodelay(true)?;
        Ok((incoming.try_clone()?, outgoing.try_clone()?, outgoing))
    });
    let Ok((answers_to, answers_from, outgoing)) = connected else {
        return;
    };
    let back = Arc::clone(switch);
    thread::spawn(move || pump(answers_from, answers_to, &back));
    pump(incoming, outgoing, switch);
}

fn pump(mut from: TcpStream, mut to: TcpStream, switch: &Switch) {
    let _ = copy(&mut from, &mut to, switch);
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

fn copy(from: &mut TcpStream, to: &mut TcpStream, switch: &Switch) -> io::Result<()> {
    let mut piece = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut piece)?;
        // An end is news as well: it does not get through a cut.
        if !switch.pass() || length == 0 {
            return Ok(());
        }
        to.write_all(&piece[..length])?;
    }
}

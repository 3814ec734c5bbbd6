//! Taking connections, and letting them go.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

use crate::{beanstalkd, connection, error::ApiError, etcd::Etcd, front::Front, system::System};

/// How long open connections may take to finish their request when the server stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long to wait after the system had no connection to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How many clients may wait to be taken: one of a crowd that finds the queue full tries again only after
/// a second.
const BACKLOG: u32 = 4096;
/// How long it may take to turn a client away.
const TURN_AWAY: Duration = Duration::from_millis(500);
/// How many clients may be turned away at once; more are just dropped.
const TURNED_AWAY_MAX: usize = 64;
/// How much a client that is turned away may still say.
const LISTENED_BYTES_MAX: u64 = 64 << 10;

/// Listens on `address`, `ip:port`.
///
/// # Errors
/// What the system says, above all that the port is taken.
pub fn listen(address: &str) -> io::Result<TcpListener> {
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves `front` on `listener` until `stop` becomes true or its sender is gone; requests under way are
/// then answered.
pub async fn serve(listener: TcpListener, front: Arc<Front>, stop: watch::Receiver<bool>) {
    let door = Arc::new(Semaphore::new(TURNED_AWAY_MAX));
    let etcd = (front.system == System::Kv).then(|| Etcd::new(&front));
    let connections_max = front.limits.connections_max;
    let welcome = |stream, seats: &_, stop: &_| {
        welcome(stream, (&front, etcd.as_ref()), seats, &door, stop);
    };
    take_all(listener, connections_max, stop, welcome).await;
}

/// Serves clients of beanstalkd on `listener`, as [`serve`]. The front must be that of a node of the work queue.
pub async fn serve_beanstalkd(
    listener: TcpListener,
    front: Arc<Front>,
    stop: watch::Receiver<bool>,
) {
    let server = beanstalkd::Server::new(&front);
    let connections_max = front.limits.connections_max;
    let welcome = |stream, seats: &Arc<Semaphore>, stop: &_| {
        // Who finds no seat is let go: the protocol has no word for it.
        let Ok(seat) = Arc::clone(seats).try_acquire_owned() else {
            front.traffic.turned_away.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let conversation = Arc::clone(&server).serve(stream, watch::Receiver::clone(stop));
        let front = Arc::clone(&front);
        tokio::spawn(async move {
            front.traffic.connections.fetch_add(1, Ordering::Relaxed);
            conversation.await;
            front.traffic.connections.fetch_sub(1, Ordering::Relaxed);
            drop(seat);
        });
    };
    take_all(listener, connections_max, stop, welcome).await;
}

/// Takes clients in until `stop` becomes true or its sender is gone, and sees those out who have a seat.
async fn take_all(
    listener: TcpListener,
    connections_max: u32,
    mut stop: watch::Receiver<bool>,
    welcome: impl Fn(TcpStream, &Arc<Semaphore>, &watch::Receiver<bool>),
) {
    let seats = Arc::new(Semaphore::new(connections_max as usize));
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => welcome(stream, &seats, &stop),
            Err(error) => {
                tracing::warn!("A client could not connect: {error}.");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let _ = timeout(FAREWELL, seats.acquire_many(connections_max)).await;
}

/// Waits until the server stops.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

fn welcome(
    stream: TcpStream,
    (front, etcd): (&Arc<Front>, Option<&Etcd>),
    seats: &Arc<Semaphore>,
    door: &Arc<Semaphore>,
    stop: &watch::Receiver<bool>,
) {
    let front = Arc::clone(front);
    let Ok(seat) = Arc::clone(seats).try_acquire_owned() else {
        front.traffic.turned_away.fetch_add(1, Ordering::Relaxed);
        if let Ok(place) = Arc::clone(door).try_acquire_owned() {
            tokio::spawn(async move {
                turn_away(stream).await;
                drop(place);
            });
        }
        return;
    };
    let (etcd, stop) = (etcd.cloned(), stop.clone());
    tokio::spawn(async move {
        front.traffic.connections.fetch_add(1, Ordering::Relaxed);
        connection::serve(stream, &front, etcd.as_ref(), stop).await;
        front.traffic.connections.fetch_sub(1, Ordering::Relaxed);
        drop(seat);
    });
}

/// Says no, and listens for a moment so that the client hears it.
async fn turn_away(mut stream: TcpStream) {
    let error = ApiError::unavailable(
        "too_many_connections",
        "This node has as many connections as it can serve; try another node, or again soon.",
    );
    let farewell = async {
        stream.write_all(&connection::raw(error)).await?;
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(LISTENED_BYTES_MAX), &mut tokio::io::sink()).await
    };
    let _ = timeout(TURN_AWAY, farewell).await;
}

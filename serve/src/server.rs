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

use crate::{connection, error::ApiError, etcd::Etcd, front::Front};

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
pub async fn serve(listener: TcpListener, front: Arc<Front>, mut stop: watch::Receiver<bool>) {
    let connections_max = front.limits.connections_max;
    let seats = Arc::new(Semaphore::new(connections_max as usize));
    let door = Arc::new(Semaphore::new(TURNED_AWAY_MAX));
    let etcd = Etcd::new(&front);
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => welcome(stream, (&front, &etcd), &seats, &door, &stop),
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
    (front, etcd): (&Arc<Front>, &Etcd),
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
    let (etcd, stop) = (etcd.clone(), stop.clone());
    tokio::spawn(async move {
        front.traffic.connections.fetch_add(1, Ordering::Relaxed);
        connection::serve(stream, &front, &etcd, stop).await;
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

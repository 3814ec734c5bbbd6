//! Taking connections, and letting them go.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};

use crate::{connection, error::ApiError, front::Front};

/// How long open connections may take to finish their request when the server stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long to wait after the system had no connection to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `front` on `listener` until `stop` becomes true or its sender is gone; requests under way are
/// then answered.
pub async fn serve(listener: TcpListener, front: Arc<Front>, mut stop: watch::Receiver<bool>) {
    let connections_max = front.limits.connections_max;
    let seats = Arc::new(Semaphore::new(connections_max as usize));
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => welcome(stream, &front, &seats, &stop),
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
    front: &Arc<Front>,
    seats: &Arc<Semaphore>,
    stop: &watch::Receiver<bool>,
) {
    let front = Arc::clone(front);
    let Ok(seat) = Arc::clone(seats).try_acquire_owned() else {
        front.traffic.turned_away.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(turn_away(stream));
        return;
    };
    let stop = stop.clone();
    tokio::spawn(async move {
        front.traffic.connections.fetch_add(1, Ordering::Relaxed);
        connection::serve(stream, &front, stop).await;
        front.traffic.connections.fetch_sub(1, Ordering::Relaxed);
        drop(seat);
    });
}

async fn turn_away(mut stream: TcpStream) {
    let error = ApiError::unavailable(
        "too_many_connections",
        "This node has as many connections as it can serve; try another node, or again soon.",
    );
    let _ = timeout(ACCEPT_PAUSE, stream.write_all(&connection::raw(error))).await;
}

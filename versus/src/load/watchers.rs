//! Many watchers of one key: how many events a second reach them, and how late the last one has each.

use std::time::{Duration, Instant};

use bytes::Bytes;
use etcd::etcdserverpb::{
    PutRequest, WatchCreateRequest, WatchRequest, kv_client::KvClient, watch_client::WatchClient,
    watch_request::RequestUnion,
};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use super::{VALUE_BYTES, connect};

/// Connections of all watchers.
const CONNECTIONS: usize = 16;
/// How often the key is written, as fast as it is answered.
const PUTS: usize = 200;
/// No event may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What was delivered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivered {
    pub(crate) events: u64,
    /// From the first put until all watchers had all events.
    pub(crate) took: Duration,
}

/// Has `watchers` watch a key that is then written.
///
/// # Errors
/// If a watch cannot be made, or an event does not come.
pub(crate) async fn deliver(addresses: &[String], watchers: usize) -> Result<Delivered, String> {
    let channels = connect(addresses, CONNECTIONS).await?;
    let (ready, mut are_ready) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for channel in channels.iter().cycle().take(watchers) {
        tasks.spawn(watch(WatchClient::new(channel.clone()), ready.clone()));
    }
    for _ in 0..watchers {
        let one = timeout(PATIENCE, are_ready.recv()).await;
        one.map_err(|_| String::from("a watch was not made in time"))?;
    }
    let start = Instant::now();
    let mut kv = KvClient::new(channels[0].clone());
    for _ in 0..PUTS {
        let value = Bytes::from(vec![b'w'; VALUE_BYTES]);
        let put = PutRequest { key: watched(), value, ..PutRequest::default() };
        kv.put(put).await.map_err(|status| format!("a put: {status}"))?;
    }
    while let Some(task) = tasks.join_next().await {
        task.map_err(|error| format!("a watcher ended: {error}"))??;
    }
    Ok(Delivered { events: (watchers * PUTS) as u64, took: start.elapsed() })
}

/// Watches until all events have come.
async fn watch(
    mut client: WatchClient<Channel>,
    ready: mpsc::UnboundedSender<()>,
) -> Result<(), String> {
    let (requests, receiver) = mpsc::channel(1);
    let create = WatchCreateRequest { key: watched(), ..WatchCreateRequest::default() };
    let request = WatchRequest { request_union: Some(RequestUnion::CreateRequest(create)) };
    requests.send(request).await.map_err(|_| String::from("the stream has ended"))?;
    let stream = client.watch(ReceiverStream::new(receiver)).await;
    let mut stream = stream.map_err(|status| format!("a watch: {status}"))?.into_inner();
    let mut events = 0;
    while events < PUTS {
        let next = timeout(PATIENCE, stream.message()).await;
        let next = next.map_err(|_| format!("a watcher has {events} events of {PUTS}"))?;
        let next = next.map_err(|status| format!("a watch: {status}"))?;
        let response = next.ok_or("a watch has ended")?;
        if response.created {
            // Nobody waits any more if another watch could not be made.
            let _ = ready.send(());
        }
        events += response.events.len();
    }
    Ok(())
}

fn watched() -> Bytes {
    Bytes::from_static(b"watched")
}

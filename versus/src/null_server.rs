//! The null server: puts are written to a file and flushed, all that have come together at once, and are then
//! answered. Ranges are answered at once. There is no Raft, no index and no memory of anything, so nobody
//! who speaks gRPC with this library can be faster.

use std::{
    fs::File,
    io::Write,
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use etcd::{
    etcdserverpb::{
        CompactionRequest, CompactionResponse, DeleteRangeRequest, DeleteRangeResponse, PutRequest,
        PutResponse, RangeRequest, RangeResponse, ResponseHeader, TxnRequest, TxnResponse,
        WatchRequest, WatchResponse,
        kv_server::{Kv, KvServer},
        watch_request::RequestUnion,
        watch_server::{Watch, WatchServer},
    },
    mvccpb::{Event, KeyValue},
};
use tokio::sync::{broadcast, oneshot};
use tokio_stream::{Stream, StreamExt, wrappers::BroadcastStream};
use tonic::{Request, Response, Status, Streaming, transport::Server};

/// How many events a slow watcher may be behind.
const EVENTS_MAX: usize = 65_536;

/// Serves until the process ends.
///
/// # Errors
/// If the port or the file cannot be had.
pub(crate) fn serve(port: u16, file: &Path) -> Result<(), String> {
    let log = File::create(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let (puts, waiting) = channel();
    let (events, _) = broadcast::channel(EVENTS_MAX);
    let heard = events.clone();
    thread::spawn(move || write_batches(log, &waiting, &heard));
    let service = Null { puts, events, revision: Arc::new(AtomicI64::new(1)) };
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let served = Server::builder()
        .add_service(KvServer::new(service.clone()))
        .add_service(WatchServer::new(service))
        .serve(([127, 0, 0, 1], port).into());
    runtime.block_on(served).map_err(|error| format!("port {port}: {error}"))
}

/// A put that waits for the disk.
struct Put {
    request: PutRequest,
    revision: i64,
    done: oneshot::Sender<bool>,
}

/// What came while the last batch was flushed is the next batch.
fn write_batches(mut log: File, waiting: &Receiver<Put>, events: &broadcast::Sender<Event>) {
    while let Ok(first) = waiting.recv() {
        let mut batch = vec![first];
        batch.extend(waiting.try_iter());
        let mut bytes = Vec::new();
        for put in &batch {
            bytes.extend_from_slice(&put.request.key);
            bytes.extend_from_slice(&put.request.value);
        }
        let is_durable = log.write_all(&bytes).and_then(|()| log.sync_data()).is_ok();
        for put in batch {
            // Whoever has gone needs no answer, and nobody may be watching.
            if events.receiver_count() > 0 {
                let _ = events.send(event(put.request, put.revision));
            }
            let _ = put.done.send(is_durable);
        }
    }
}

fn event(put: PutRequest, revision: i64) -> Event {
    let kv =
        KeyValue { key: put.key, value: put.value, mod_revision: revision, ..KeyValue::default() };
    Event { kv: Some(kv), ..Event::default() }
}

fn header(revision: i64) -> Option<ResponseHeader> {
    Some(ResponseHeader { cluster_id: 1, member_id: 1, revision, raft_term: 1 })
}

#[derive(Clone, Debug)]
struct Null {
    puts: Sender<Put>,
    events: broadcast::Sender<Event>,
    revision: Arc<AtomicI64>,
}

#[tonic::async_trait]
impl Kv for Null {
    async fn put(&self, request: Request<PutRequest>) -> Result<Response<PutResponse>, Status> {
        let (done, durable) = oneshot::channel();
        let revision = self.revision.fetch_add(1, Ordering::Relaxed) + 1;
        let put = Put { request: request.into_inner(), revision, done };
        let sent = self.puts.send(put);
        sent.map_err(|_| Status::unavailable("the writer has ended"))?;
        match durable.await {
            Ok(true) => Ok(Response::new(PutResponse { header: header(revision), prev_kv: None })),
            _ => Err(Status::data_loss("the file could not be written")),
        }
    }

    async fn range(
        &self,
        request: Request<RangeRequest>,
    ) -> Result<Response<RangeResponse>, Status> {
        let kv = KeyValue {
            key: request.into_inner().key,
            value: vec![b'v'; 256].into(),
            version: 1,
            ..KeyValue::default()
        };
        let header = header(self.revision.load(Ordering::Relaxed));
        Ok(Response::new(RangeResponse { header, kvs: vec![kv], more: false, count: 1 }))
    }

    async fn delete_range(
        &self,
        _: Request<DeleteRangeRequest>,
    ) -> Result<Response<DeleteRangeResponse>, Status> {
        Err(Status::unimplemented("the null server does not delete"))
    }

    async fn txn(&self, _: Request<TxnRequest>) -> Result<Response<TxnResponse>, Status> {
        Err(Status::unimplemented("the null server has no transactions"))
    }

    async fn compact(
        &self,
        _: Request<CompactionRequest>,
    ) -> Result<Response<CompactionResponse>, Status> {
        Err(Status::unimplemented("the null server has nothing to compact"))
    }
}

#[tonic::async_trait]
impl Watch for Null {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

    /// Each request to watch is granted, and each stream is given all events.
    async fn watch(
        &self,
        request: Request<Streaming<WatchRequest>>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let created =
            request.into_inner().filter_map(|request| match request.ok()?.request_union {
                Some(RequestUnion::CreateRequest(create)) => Some(Ok(WatchResponse {
                    header: header(1),
                    created: true,
                    watch_id: create.watch_id,
                    ..WatchResponse::default()
                })),
                _ => None,
            });
        let events = BroadcastStream::new(self.events.subscribe()).map(|event| {
            let event = event.map_err(|_| Status::resource_exhausted("the watcher is too slow"))?;
            let revision = event.kv.as_ref().map_or(0, |kv| kv.mod_revision);
            Ok(WatchResponse {
                header: header(revision),
                events: vec![event],
                ..WatchResponse::default()
            })
        });
        Ok(Response::new(Box::pin(created.merge(events))))
    }
}

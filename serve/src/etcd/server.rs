//! gRPC on a connection: a path is a service and a method.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use etcd::{
    etcdserverpb::{
        auth_server::AuthServer, cluster_server::ClusterServer, kv_server::KvServer,
        lease_server::LeaseServer, maintenance_server::MaintenanceServer,
        watch_server::WatchServer,
    },
    health::health_server::HealthServer,
    v3electionpb::election_server::ElectionServer,
    v3lockpb::lock_server::LockServer,
};
use http::{Request, Response};
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::watch};
use tonic::{Status, body::Body, codegen::Service};

use super::{Etcd, authority::Lenient, leader::no_leader};
use crate::server::stopped;

/// How large a message may be on its way in, in bytes: a little more than is taken, so that it can be
/// refused in etcd's words.
const READ_BYTES_MAX: usize = 2 * super::MESSAGE_BYTES_MAX;

/// How many requests a connection may have under way.
const STREAMS_MAX: u32 = 4096;

/// Serves a connection until the client leaves or `stop` becomes true.
pub(crate) async fn serve(stream: TcpStream, etcd: Etcd, mut stop: watch::Receiver<bool>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let etcd = etcd.clone();
        async move { etcd.answer(request).await }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .serve_connection(TokioIo::new(Lenient::new(stream)), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped(&mut stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

impl Etcd {
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let etcd = self.for_request(request.headers());
        if etcd.wants_leader && !etcd.has_leader() {
            return Ok(no_leader().into_http());
        }
        let service = request.uri().path().split('/').nth(1).unwrap_or_default();
        match service {
            "etcdserverpb.KV" => {
                call(KvServer::new(etcd).max_decoding_message_size(READ_BYTES_MAX), request).await
            }
            "etcdserverpb.Watch" => call(WatchServer::new(etcd), request).await,
            "etcdserverpb.Lease" => call(LeaseServer::new(etcd), request).await,
            "etcdserverpb.Auth" => call(AuthServer::new(etcd), request).await,
            "etcdserverpb.Cluster" => call(ClusterServer::new(etcd), request).await,
            "etcdserverpb.Maintenance" => call(MaintenanceServer::new(etcd), request).await,
            "v3lockpb.Lock" => call(LockServer::new(etcd), request).await,
            "v3electionpb.Election" => call(ElectionServer::new(etcd), request).await,
            "grpc.health.v1.Health" => call(HealthServer::new(etcd), request).await,
            other => {
                let status = Status::unimplemented(format!("unknown service {other}"));
                Ok(status.into_http())
            }
        }
    }
}

async fn call<S>(mut service: S, request: Request<Incoming>) -> Result<Response<Body>, Infallible>
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
{
    std::future::poll_fn(|context: &mut Context<'_>| -> Poll<Result<(), Infallible>> {
        service.poll_ready(context)
    })
    .await?;
    service.call(request).await
}

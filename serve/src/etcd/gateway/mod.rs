//! The JSON gateway: etcd's services for who speaks HTTP/1.1 and JSON, under `/v3/`.
//!
//! ```text
//!   request ─▶ call ─▶ routes ─▶ a method of the services ─▶ reply     one message
//!               └ read: JSON to messages                    ├▶ lines     a line for each message of a stream
//!                                                           └▶ refusal   why there is none
//! ```
//! It is a translator: what a method does is the service's affair, and the same over gRPC. What is strange here is
//! so in etcd's gateway too, and clients live with it: a stream's answer has no head before its first message, a broken
//! request on a stream is a fault of the server, and what follows the first object of a plain request is not
//! looked at. The tests say what was seen of etcd 3.4.

mod call;
mod lines;
mod read;
mod refusal;
mod reply;
mod routes;

#[cfg(test)]
mod tests;

use std::error::Error;

use etcd::{
    etcdserverpb::{
        auth_server::Auth, cluster_server::Cluster, kv_server::Kv, lease_server::Lease,
        maintenance_server::Maintenance, watch_server::Watch,
    },
    v3electionpb::election_server::Election,
    v3lockpb::lock_server::Lock,
};
use http_body_util::Full;
use hyper::{Method, Request, Response, body::Incoming};
use tokio::time::Instant;
use tonic::body::Body;

use super::Etcd;
use crate::body;
use call::Call;
use refusal::Refusal;

/// All that a node serves of etcd's interface. Whoever has the eight services has this.
pub(crate) trait Services:
    Kv + Watch + Lease + Cluster + Maintenance + Auth + Lock + Election
{
}

impl<S> Services for S where S: Kv + Watch + Lease + Cluster + Maintenance + Auth + Lock + Election {}

/// How a connection begins whose client calls a method of the gateway.
pub(crate) const BEGINS: &[u8] = b"POST /v3/";

/// True if requests for `path` are for the gateway.
pub(crate) fn is_for(path: &str) -> bool {
    path.starts_with("/v3/")
}

impl Etcd {
    /// Answers one request for the gateway.
    pub(crate) async fn answer_json(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, incoming) = request.into_parts();
        let front = &self.front;
        let deadline = Instant::now() + front.limits.client_timeout;
        let answer = match body::receive(incoming, deadline, &front.room_for_bodies).await {
            Ok(body) => {
                let etcd = self.clone().for_request(&head.headers);
                answer(&etcd, Request::from_parts(head, Full::new(body.bytes.clone()))).await
            }
            Err(error) => error.into_answer().into_response().map(Body::new),
        };
        front.traffic.count(answer.status());
        answer
    }
}

/// Answers one request by asking `services`. An answer that is a stream takes as long as it likes: no
/// time limit may hold for its first message.
pub(crate) async fn answer<S, B>(services: &S, request: Request<B>) -> Response<Body>
where
    S: Services,
    B: hyper::body::Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if request.method() == Method::OPTIONS {
        return reply::options();
    }
    let answered = match Call::receive(request).await {
        Ok(call) => routes::carry_out(services, call).await,
        Err(refusal) => Err(refusal),
    };
    answered.unwrap_or_else(Refusal::into_answer)
}

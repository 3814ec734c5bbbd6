//! [`Front`]: from one HTTP request to one answer.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, Response, StatusCode, body::Incoming};
use kernel::ClusterId;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use crate::{
    answer::Answer,
    body,
    call::{Call, Query},
    error::ApiError,
    kv,
    limits::Limits,
    members, observe,
    route::Resource,
};

/// The node behind the front.
pub type Node = host::Handle<raft::Raft>;

/// Serves one node over HTTP/JSON.
#[derive(Debug)]
pub struct Front {
    pub(crate) node: Node,
    pub(crate) cluster: ClusterId,
    /// What the node is called, also while it is no member yet.
    pub(crate) name: String,
    pub(crate) limits: Limits,
    pub(crate) started: Instant,
    pub(crate) traffic: Traffic,
    pub(crate) room_for_bodies: Arc<Semaphore>,
}

/// What has come and gone.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Connections open now.
    pub(crate) connections: AtomicU64,
    /// Connections turned away because there were too many.
    pub(crate) turned_away: AtomicU64,
    /// Answers by the hundreds of their status: 2xx, 4xx, 5xx.
    pub(crate) answers: [AtomicU64; 3],
}

impl Front {
    /// The front of `node`, which is called `name` and belongs to `cluster`.
    #[must_use]
    pub fn new(node: Node, cluster: ClusterId, name: String, limits: Limits) -> Self {
        let room = Semaphore::new(limits.bodies_bytes_max as usize);
        Self {
            node,
            cluster,
            name,
            limits,
            started: Instant::now(),
            traffic: Traffic::default(),
            room_for_bodies: Arc::new(room),
        }
    }

    /// Answers one request. Every request has an answer, within a bounded time.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let answer = self.handle(request).await.unwrap_or_else(ApiError::into_answer);
        self.traffic.count(answer.status());
        Ok(answer.into_response())
    }

    async fn handle(&self, request: Request<Incoming>) -> Result<Answer, ApiError> {
        let (head, incoming) = request.into_parts();
        let deadline = Instant::now() + self.limits.client_timeout;
        let resource = Resource::of(head.uri.path());
        let body = body::receive(incoming, deadline, &self.room_for_bodies).await?;
        let call = Call {
            method: if head.method == Method::HEAD { Method::GET } else { head.method },
            query: Query::parse(head.uri.query().unwrap_or_default())?,
            headers: head.headers,
            body: body.bytes.clone(),
        };
        let resource = resource?;
        let is_write = call.method != Method::GET;
        let answered = timeout(self.limits.answer_timeout, self.dispatch(resource, &call)).await;
        answered.unwrap_or_else(|_| Err(crate::outcome::out_of_time(is_write)))
    }

    async fn dispatch(&self, resource: Resource, call: &Call) -> Result<Answer, ApiError> {
        let method = &call.method;
        match resource {
            Resource::Index if method == Method::GET => Ok(observe::index()),
            Resource::Pairs if method == Method::GET => kv::list(self, call).await,
            Resource::Pairs if method == Method::POST => kv::put(self, call).await,
            Resource::Pair(key) if method == Method::GET => kv::get(self, call, key).await,
            Resource::Pair(key) if method == Method::DELETE => kv::delete(self, call, key).await,
            Resource::Debug if method == Method::GET => observe::debug(self).await,
            Resource::Health if method == Method::GET => observe::health(self),
            Resource::Ready if method == Method::GET => observe::ready(self).await,
            Resource::Status if method == Method::GET => Ok(observe::status(self)),
            Resource::Metrics if method == Method::GET => Ok(observe::metrics(self)),
            Resource::Version if method == Method::GET => Ok(observe::version()),
            Resource::Members if method == Method::GET => Ok(members::list(self)),
            Resource::Members if method == Method::POST => members::add(self, call).await,
            Resource::Member(who) if method == Method::DELETE => members::remove(self, &who).await,
            Resource::Promote(who) if method == Method::POST => {
                members::promote(self, call, &who).await
            }
            Resource::Transfer if method == Method::POST => members::transfer(self, call).await,
            other => Err(ApiError::method_not_allowed(other.allow())),
        }
    }
}

impl Traffic {
    pub(crate) fn count(&self, status: StatusCode) {
        let class = match status.as_u16() {
            500.. => 2,
            400.. => 1,
            _ => 0,
        };
        self.answers[class].fetch_add(1, Ordering::Relaxed);
    }
}

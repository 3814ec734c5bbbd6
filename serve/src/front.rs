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
    queue::{self, Desk},
    route::Resource,
    system::System,
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
    pub(crate) system: System,
    /// Where consumers wait, on a node that runs the work queue.
    desk: Option<Arc<Desk>>,
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
    /// The front of `node`, which runs `system`, is called `name` and belongs to `cluster`. Within a runtime, since
    /// some systems have work of their own to do at every node.
    #[must_use]
    pub fn new(
        node: Node,
        cluster: ClusterId,
        (name, system): (String, System),
        limits: Limits,
    ) -> Self {
        let desk = match system {
            System::Kv => None,
            System::Queue => Some(Desk::start(node.clone())),
        };
        let room = Semaphore::new(limits.bodies_bytes_max as usize);
        Self {
            node,
            cluster,
            name,
            system,
            desk,
            limits,
            started: Instant::now(),
            traffic: Traffic::default(),
            room_for_bodies: Arc::new(room),
        }
    }

    /// Where consumers wait.
    pub(crate) fn desk(&self) -> &Arc<Desk> {
        self.desk.as_ref().expect("only a node that runs the work queue is asked for its desk")
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
        let resource = Resource::of(head.uri.path(), self.system);
        let body = body::receive(incoming, deadline, &self.room_for_bodies).await?;
        // A look has no effect; where a GET has one, HEAD is no method.
        let looks = |resource: &Resource| resource.allow().contains("HEAD");
        let is_look = head.method == Method::HEAD && resource.as_ref().is_ok_and(looks);
        let call = Call {
            method: if is_look { Method::GET } else { head.method },
            query: Query::parse(head.uri.query().unwrap_or_default())?,
            headers: head.headers,
            body: body.bytes.clone(),
        };
        let resource = resource?;
        let is_write = call.method != Method::GET;
        let patience = self.limits.answer_timeout + resource.waits(&call)?;
        let answered = timeout(patience, self.dispatch(resource, &call)).await;
        answered.unwrap_or_else(|_| Err(crate::outcome::out_of_time(is_write)))
    }

    async fn dispatch(&self, resource: Resource, call: &Call) -> Result<Answer, ApiError> {
        let method = &call.method;
        match resource {
            Resource::Index if method == Method::GET => Ok(observe::index(self.system)),
            Resource::Kv(resource) => kv::answer(self, call, resource).await,
            Resource::Queue(resource) => queue::answer(self, call, resource).await,
            Resource::Health if method == Method::GET => observe::health(self),
            Resource::Ready if method == Method::GET => observe::ready(self).await,
            Resource::Status if method == Method::GET => Ok(observe::status(self)),
            Resource::Metrics if method == Method::GET => Ok(observe::metrics(self).await),
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

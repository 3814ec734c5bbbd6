//! [`Queue`]: what a worker asks of the cluster.

use std::{cell::Cell, time::Duration};

use serde_json::{Value, json};
use serve::encode;

use super::WorkOptions;
use crate::{
    client::{Cluster, Reply, Request, session_headers},
    exit::{Exit, Outcome},
};

/// For how long a node keeps a worker waiting, in seconds.
const WAIT_S: u64 = 20;

/// How long an answer may take besides.
const PATIENCE: Duration = Duration::from_secs(5);

/// The cluster, and what is taken from it.
#[derive(Debug)]
pub(super) struct Queue {
    cluster: Cluster,
    /// The path that takes a task, without how long to wait.
    path: String,
    queues: Vec<String>,
    /// The node that is asked next.
    next: Cell<usize>,
}

/// A task that this worker holds.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) lease: String,
    pub(super) lease_ms: u64,
    pub(super) body: Value,
}

impl Queue {
    pub(super) fn new(options: &WorkOptions) -> Outcome<Self> {
        let mut path = "/dequeue?".to_owned();
        for queue in &options.queue {
            path.push_str(&format!("queue={}&", encode(queue)));
        }
        for kind in &options.kind {
            path.push_str(&format!("type={}&", encode(kind)));
        }
        if let Some(lease_ms) = options.lease_ms {
            path.push_str(&format!("leaseMs={lease_ms}&"));
        }
        let cluster = options.cluster.cluster()?;
        Ok(Self { cluster, path, queues: options.queue.clone(), next: Cell::new(0) })
    }

    /// Takes a task; waits for one unless `only_now`. Nothing if there is none. Asks one node only: the next one is
    /// asked if it does not answer.
    ///
    /// # Errors
    /// [`Exit::Unavailable`] if the node does not answer well; anything else is final.
    pub(super) async fn take(&self, only_now: bool) -> Outcome<Option<Task>> {
        let wait_s = if only_now { 0 } else { WAIT_S };
        let path = format!("{}wait={wait_s}", self.path);
        let address = &self.cluster.addresses[self.next.get() % self.cluster.addresses.len()];
        let patience = PATIENCE + Duration::from_secs(wait_s);
        let reply = self.cluster.ask_one(address, &Request::get(&path), patience).await;
        let reply = reply.map_err(|_| {
            self.next.set(self.next.get() + 1);
            crate::exit::Failure::new(Exit::Unavailable, format!("{address} does not answer."))
        })?;
        if reply.status == 204 {
            return Ok(None);
        }
        let reply = reply.done().inspect_err(|_| self.next.set(self.next.get() + 1))?;
        Ok(Some(Task::of(reply.body)))
    }

    /// The task is done.
    pub(super) async fn complete(&self, task: &Task, result: Value) -> Outcome<Reply> {
        self.end("complete", task, json!({ "lease": task.lease, "result": result })).await
    }

    /// The attempt failed.
    pub(super) async fn fail(&self, task: &Task, error: &str) -> Outcome<Reply> {
        self.end("fail", task, json!({ "lease": task.lease, "error": error })).await
    }

    /// The task is given back.
    pub(super) async fn release(&self, task: &Task) -> Outcome<Reply> {
        self.end("release", task, json!({ "lease": task.lease })).await
    }

    /// The lease begins again.
    pub(super) async fn extend(&self, task: &Task) -> Outcome<Reply> {
        self.end("extend", task, json!({ "lease": task.lease })).await
    }

    async fn end(&self, how: &str, task: &Task, body: Value) -> Outcome<Reply> {
        let (path, body) = (format!("/{how}/{}", task.id), body.to_string());
        // Asked again after an answer was lost, it is the same request, and gets the same answer.
        let headers = session_headers();
        let request = Request { method: "POST", path: &path, headers: &headers, body: &body };
        self.cluster.ask(&request).await
    }

    /// How many tasks are left to do; nothing if nobody says.
    pub(super) async fn left(&self) -> Option<usize> {
        let mut left = 0;
        for queue in &self.queues {
            let path = format!("/stats?consistency=stale&queue={}", encode(queue));
            let stats = self.cluster.ask(&Request::get(&path)).await.ok()?.body;
            left += stats["pending"].as_u64()? + stats["processing"].as_u64()?;
        }
        usize::try_from(left).ok()
    }
}

impl Task {
    fn of(body: Value) -> Self {
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let lease_ms = body["leaseMs"].as_u64().unwrap_or(1000);
        Self { id: text("id"), lease: text("lease"), lease_ms, body }
    }
}

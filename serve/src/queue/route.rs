//! What a node of the work queue has besides what every node has.

use std::time::Duration;

use queue::TaskId;

use super::{dequeue, end::End};
use crate::{call::Call, error::ApiError, route::text};

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// `/task`: where tasks are put.
    Tasks,
    /// `/task/{id}`: one task.
    Task(TaskId),
    /// `/dequeue`: where tasks are handed out.
    Dequeue,
    /// `/complete/{id}`, `/fail/{id}`, `/extend/{id}`, `/release/{id}`: what becomes of a delivery.
    End(End, TaskId),
    /// `/peek`: the task that is next.
    Peek,
    /// `/stats`: how many tasks stand where.
    Stats,
    /// `/dead`: dead letters.
    Dead,
    /// `/dead/retry`: all dead letters of a queue are tried again.
    RetryAll,
    /// `/dead/{id}/retry`: one of them is.
    Retry(TaskId),
    /// `/queues`: all queues.
    Queues,
    /// `/queues/{name}`: one queue.
    Queue(String),
    /// `/queues/{name}/pause`: nothing is handed out for a while.
    Pause(String),
    /// `/queues/{name}/resume`: the end of that.
    Resume(String),
}

/// The routes, one line each.
pub(crate) const ROUTES: [&str; 19] = [
    "POST /task  {type, payload, queue?, priority?, delayMs?, executeAt?, leaseMs?, ttlMs?, maxRetries?, \
     backoffMs?, backoffLimitMs?, jitterPercent?, key?}  put a task",
    "GET /task/{id}  a task, its attempts and its result",
    "DELETE /task/{id}  {lease?}  delete a task",
    "GET /dequeue?queue=&type=&wait=&leaseMs=  take a task; wait so many seconds for one",
    "POST /complete/{id}  {lease, result?}  the task is done",
    "POST /fail/{id}  {lease, error}  the attempt failed",
    "POST /extend/{id}  {lease, leaseMs?}  let the lease begin again",
    "POST /release/{id}  {lease, delayMs?, priority?}  give the task back, which is no failure",
    "GET /peek?queue=&state=  the task that is next: ready, delayed or failed",
    "GET /stats?queue=  how many tasks stand where",
    "GET /dead?queue=&limit=&after=  dead letters, the oldest first",
    "DELETE /dead?queue=  delete them all",
    "POST /dead/retry?queue=  try them all again",
    "POST /dead/{id}/retry  try one again",
    "GET /queues?limit=&after=  the names of all queues",
    "GET /queues/{name}  what is in a queue, and its settings",
    "PUT /queues/{name}  {maxLength?, leaseMs?, maxRetries?, backoffMs?, backoffLimitMs?, jitterPercent?, \
     retentionMs?}  give it settings; DELETE for the usual ones",
    "POST /queues/{name}/pause  {forMs?}  hand nothing out",
    "POST /queues/{name}/resume  go on",
];

impl Resource {
    /// What `path` names; nothing if it names nothing of the queue.
    pub(crate) fn of(path: &str) -> Result<Option<Self>, ApiError> {
        let mut parts = path.strip_prefix('/').unwrap_or(path).splitn(3, '/');
        let parts = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        Ok(Some(match parts {
            ("task", None, None) => Self::Tasks,
            ("task", Some(id), None) => Self::Task(task(id)?),
            ("dequeue", None, None) => Self::Dequeue,
            ("peek", None, None) => Self::Peek,
            ("stats", None, None) => Self::Stats,
            ("dead", None, None) => Self::Dead,
            ("dead", Some("retry"), None) => Self::RetryAll,
            ("dead", Some(id), Some("retry")) => Self::Retry(task(id)?),
            ("queues", None, None) => Self::Queues,
            ("queues", Some(name), None) => Self::Queue(text(name)?),
            ("queues", Some(name), Some("pause")) => Self::Pause(text(name)?),
            ("queues", Some(name), Some("resume")) => Self::Resume(text(name)?),
            (how, Some(id), None) => match End::named(how) {
                Some(how) => Self::End(how, task(id)?),
                None => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }

    /// The methods that it knows, as the `Allow` header lists them.
    pub(crate) const fn allow(&self) -> &'static str {
        match self {
            Self::Tasks | Self::End(..) | Self::RetryAll | Self::Retry(_) => "POST",
            Self::Pause(_) | Self::Resume(_) => "POST",
            Self::Task(_) | Self::Dead => "GET, HEAD, DELETE",
            Self::Dequeue => "GET, POST",
            Self::Peek | Self::Stats | Self::Queues => "GET, HEAD",
            Self::Queue(_) => "GET, HEAD, PUT, DELETE",
        }
    }

    /// For how long a call asks to be kept waiting if there is nothing to answer yet.
    pub(crate) fn waits(&self, call: &Call) -> Result<Duration, ApiError> {
        match self {
            Self::Dequeue => dequeue::wait_of(call),
            _ => Ok(Duration::ZERO),
        }
    }
}

fn task(id: &str) -> Result<TaskId, ApiError> {
    id.parse().map(TaskId).map_err(|_| {
        let message =
            format!("{id:?} is no task's number: a task's number is what POST /task gave.");
        ApiError::bad("bad_path", message)
    })
}

#[cfg(test)]
mod tests {
    use super::{End, Resource, TaskId};

    #[test]
    fn a_path_names_one_thing() {
        let of = |path| Resource::of(path).unwrap();
        assert_eq!(of("/task"), Some(Resource::Tasks));
        assert_eq!(of("/task/7"), Some(Resource::Task(TaskId(7))));
        assert_eq!(of("/complete/7"), Some(Resource::End(End::Complete, TaskId(7))));
        assert_eq!(of("/dead/retry"), Some(Resource::RetryAll));
        assert_eq!(of("/dead/7/retry"), Some(Resource::Retry(TaskId(7))));
        assert_eq!(of("/queues/a%2Fb/pause"), Some(Resource::Pause("a/b".to_owned())));
        for nothing in ["/", "/tasks", "/complete", "/dead/7", "/queues/a/b", "/task/7/8"] {
            assert_eq!(of(nothing), None, "{nothing}");
        }
        for wrong in ["/task/x", "/task/-1", "/fail/", "/dead/x/retry", "/queues/%ff"] {
            assert!(Resource::of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_route_that_is_listed_is_there() {
        for line in super::ROUTES {
            let path = line.split(' ').nth(1).unwrap().split('?').next().unwrap();
            let path = path.replace("{id}", "7").replace("{name}", "mail");
            let resource = Resource::of(&path).unwrap().expect(line);
            assert!(resource.allow().contains(line.split(' ').next().unwrap()), "{line}");
        }
    }
}

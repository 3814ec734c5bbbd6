//! From a path to what it names. One table, so that 404 and 405 cannot contradict it; what a system has of its
//! own stands in a table of its module.

use std::{borrow::Cow, time::Duration};

use hyper::StatusCode;

use crate::{call::Call, error::ApiError, kv, percent, queue, system::System};

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// `/`: what there is.
    Index,
    /// Of the key/value store.
    Kv(kv::Resource),
    /// Of the work queue.
    Queue(queue::Resource),
    /// `/health`: the process is alive.
    Health,
    /// `/ready`: a leader is known and reads work.
    Ready,
    /// `/status`: all that a node knows of its group.
    Status,
    /// `/metrics`: numbers for Prometheus.
    Metrics,
    /// `/members`: who belongs to the group.
    Members,
    /// `/members/{id or name}`: one member.
    Member(String),
    /// `/members/{id or name}/promote`: a learner becomes a voter.
    Promote(String),
    /// `/leader/transfer`: leadership is handed over.
    Transfer,
}

impl Resource {
    /// What `path` names on a node that runs `system`.
    pub(crate) fn of(path: &str, system: System) -> Result<Self, ApiError> {
        if let Some(member) = path.strip_prefix("/members/") {
            return match member.split_once('/') {
                None => text(member).map(Self::Member),
                Some((member, "promote")) => text(member).map(Self::Promote),
                Some(_) => Err(no_such_route(path, system)),
            };
        }
        Ok(match path {
            "/" => Self::Index,
            "/health" => Self::Health,
            "/ready" => Self::Ready,
            "/status" => Self::Status,
            "/metrics" => Self::Metrics,
            "/members" => Self::Members,
            "/leader/transfer" => Self::Transfer,
            _ => {
                let own = match system {
                    System::Kv => kv::Resource::of(path)?.map(Self::Kv),
                    System::Queue => queue::Resource::of(path)?.map(Self::Queue),
                };
                return own.ok_or_else(|| no_such_route(path, system));
            }
        })
    }

    /// For how long a call asks to be kept waiting if there is nothing to answer yet.
    pub(crate) fn waits(&self, call: &Call) -> Result<Duration, ApiError> {
        match self {
            Self::Queue(resource) => resource.waits(call),
            _ => Ok(Duration::ZERO),
        }
    }

    /// The methods that it knows, as the `Allow` header lists them.
    pub(crate) const fn allow(&self) -> &'static str {
        match self {
            Self::Kv(resource) => resource.allow(),
            Self::Queue(resource) => resource.allow(),
            Self::Members => "GET, HEAD, POST",
            Self::Member(_) => "DELETE",
            Self::Promote(_) | Self::Transfer => "POST",
            Self::Index | Self::Health | Self::Ready | Self::Status | Self::Metrics => "GET, HEAD",
        }
    }
}

/// The text that a part of a path stands for.
pub(crate) fn text(encoded: &str) -> Result<String, ApiError> {
    percent::decode(encoded)
        .map(Cow::into_owned)
        .ok_or_else(|| ApiError::bad("bad_path", "The path is not percent-encoded UTF-8 text."))
}

fn no_such_route(path: &str, system: System) -> ApiError {
    let message =
        format!("There is nothing at {path} on a node of {system}; GET / lists what there is.");
    ApiError::new(StatusCode::NOT_FOUND, "no_such_route", message)
}

#[cfg(test)]
mod tests {
    use super::{Resource, System};

    #[test]
    fn a_path_names_one_thing_on_every_system() {
        for system in System::ALL {
            let of = |path| Resource::of(path, system).unwrap();
            assert_eq!(of("/status"), Resource::Status);
            assert_eq!(of("/members/node1"), Resource::Member("node1".to_owned()));
            assert_eq!(of("/members/7/promote"), Resource::Promote("7".to_owned()));
        }
    }

    #[test]
    fn what_is_not_in_the_table_is_not_there() {
        for path in ["/nothing", "/kv2", "/members/1/demote", "/kv/%ff", "/debug/", "/task/%ff"] {
            for system in System::ALL {
                assert!(Resource::of(path, system).is_err(), "{path}");
            }
        }
    }

    #[test]
    fn a_system_does_not_have_what_belongs_to_another() {
        assert!(Resource::of("/kv/a", System::Queue).is_err());
        assert!(Resource::of("/dequeue", System::Kv).is_err());
    }
}

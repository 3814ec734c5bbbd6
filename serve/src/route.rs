//! From a path to what it names. One table, so that 404 and 405 cannot contradict it.

use std::borrow::Cow;

use hyper::StatusCode;

use crate::{error::ApiError, percent};

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// `/`: what there is.
    Index,
    /// `/kv`: all pairs.
    Pairs,
    /// `/kv/{key}`: one pair.
    Pair(String),
    /// `/debug`: the course's view of a node.
    Debug,
    /// `/health`: the process is alive.
    Health,
    /// `/ready`: a leader is known and reads work.
    Ready,
    /// `/status`: all that a node knows of its group.
    Status,
    /// `/metrics`: numbers for Prometheus.
    Metrics,
    /// `/version`: which version of etcd's interface is spoken.
    Version,
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
    /// What `path` names.
    pub(crate) fn of(path: &str) -> Result<Self, ApiError> {
        if let Some(key) = path.strip_prefix("/kv/") {
            return text(key).map(Self::Pair);
        }
        if let Some(member) = path.strip_prefix("/members/") {
            return match member.split_once('/') {
                None => text(member).map(Self::Member),
                Some((member, "promote")) => text(member).map(Self::Promote),
                Some(_) => Err(no_such_route(path)),
            };
        }
        Ok(match path {
            "/" => Self::Index,
            "/kv" => Self::Pairs,
            "/debug" => Self::Debug,
            "/health" => Self::Health,
            "/ready" => Self::Ready,
            "/status" => Self::Status,
            "/metrics" => Self::Metrics,
            "/version" => Self::Version,
            "/members" => Self::Members,
            "/leader/transfer" => Self::Transfer,
            _ => return Err(no_such_route(path)),
        })
    }

    /// The methods that it knows, as the `Allow` header lists them.
    pub(crate) const fn allow(&self) -> &'static str {
        match self {
            Self::Pairs | Self::Members => "GET, HEAD, POST",
            Self::Pair(_) => "GET, HEAD, DELETE",
            Self::Member(_) => "DELETE",
            Self::Promote(_) | Self::Transfer => "POST",
            Self::Index
            | Self::Debug
            | Self::Health
            | Self::Ready
            | Self::Status
            | Self::Metrics
            | Self::Version => "GET, HEAD",
        }
    }
}

fn text(encoded: &str) -> Result<String, ApiError> {
    percent::decode(encoded)
        .map(Cow::into_owned)
        .ok_or_else(|| ApiError::bad("bad_path", "The path is not percent-encoded UTF-8 text."))
}

fn no_such_route(path: &str) -> ApiError {
    let message = format!("There is nothing at {path}; GET / lists what there is.");
    ApiError::new(StatusCode::NOT_FOUND, "no_such_route", message)
}

#[cfg(test)]
mod tests {
    use super::Resource;

    #[test]
    fn a_path_names_one_thing() {
        let of = |path| Resource::of(path).unwrap();
        assert_eq!(of("/kv"), Resource::Pairs);
        assert_eq!(of("/kv/foo"), Resource::Pair("foo".to_owned()));
        assert_eq!(of("/kv/"), Resource::Pair(String::new()));
        assert_eq!(of("/kv/cl%C3%A9%2Fa/b"), Resource::Pair("clé/a/b".to_owned()));
        assert_eq!(of("/members/node1"), Resource::Member("node1".to_owned()));
        assert_eq!(of("/members/7/promote"), Resource::Promote("7".to_owned()));
    }

    #[test]
    fn what_is_not_in_the_table_is_not_there() {
        for path in ["/nothing", "/kv2", "/members/1/demote", "/kv/%ff", "/debug/"] {
            assert!(Resource::of(path).is_err(), "{path}");
        }
    }
}

//! What a node of the key/value store has besides what every node has.

use crate::{error::ApiError, route::text};

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// `/kv`: all pairs.
    Pairs,
    /// `/kv/{key}`: one pair.
    Pair(String),
    /// `/debug`: the course's view of a node.
    Debug,
    /// `/version`: which version of etcd's interface is spoken.
    Version,
}

/// The routes, one line each.
pub(crate) const ROUTES: [&str; 6] = [
    "POST /kv  {key, value, expect?}  write a pair; expect: null, a text or {revision}",
    "GET /kv/{key}  read a pair; ?consistency=stale for this node's own copy",
    "DELETE /kv/{key}  remove a pair",
    "GET /kv?prefix=&limit=&after=  list pairs in the order of their keys",
    "GET /debug  the course's view of this node",
    "GET /version  which version of etcd's interface is spoken, by gRPC on this port",
];

impl Resource {
    /// What `path` names; nothing if it names nothing of the store.
    pub(crate) fn of(path: &str) -> Result<Option<Self>, ApiError> {
        if let Some(key) = path.strip_prefix("/kv/") {
            return text(key).map(Self::Pair).map(Some);
        }
        Ok(match path {
            "/kv" => Some(Self::Pairs),
            "/debug" => Some(Self::Debug),
            "/version" => Some(Self::Version),
            _ => None,
        })
    }

    /// The methods that it knows, as the `Allow` header lists them.
    pub(crate) const fn allow(&self) -> &'static str {
        match self {
            Self::Pairs => "GET, HEAD, POST",
            Self::Pair(_) => "GET, HEAD, DELETE",
            Self::Debug | Self::Version => "GET, HEAD",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Resource;

    #[test]
    fn a_path_names_one_thing() {
        let of = |path| Resource::of(path).unwrap().unwrap();
        assert_eq!(of("/kv"), Resource::Pairs);
        assert_eq!(of("/kv/foo"), Resource::Pair("foo".to_owned()));
        assert_eq!(of("/kv/"), Resource::Pair(String::new()));
        assert_eq!(of("/kv/cl%C3%A9%2Fa/b"), Resource::Pair("clé/a/b".to_owned()));
    }
}

//! `GET /version`: which version of etcd's interface is spoken. Its clients choose their paths by it.

use serde_json::json;

use crate::{
    answer::Answer,
    etcd::{CLUSTER_VERSION, VERSION},
};

/// Both versions.
pub(crate) fn version() -> Answer {
    Answer::ok(&json!({ "etcdserver": VERSION, "etcdcluster": CLUSTER_VERSION }))
}

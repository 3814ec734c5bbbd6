//! etcd's v3 interface.

#[allow(dead_code, reason = "the services that it asks come next")]
pub(crate) mod gateway;

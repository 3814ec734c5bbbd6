//! The etcd v3 protocol: messages, services, and their JSON.
//!
//! ```text
//!   proto/*.proto ─ protox ─▶ descriptors ─┬─ tonic-prost-build ─▶ messages, service traits, clients
//!      (ours)                              └─ pbjson-build ─▶ their JSON, as etcd's gateway speaks it
//! ```
//! The proto files are the reference: each message, field and path stands there with what it means. A module
//! here is a package there, under the package's own name. Numbers, names and paths are etcd's, version 3.5, and
//! the fields that 3.6 adds; bytes are [`bytes::Bytes`]. Where a service `Kv` is served, `kv_server::Kv` is the
//! trait to implement and `kv_server::KvServer` what makes a server of it. `kv_client::KvClient` asks one, over
//! any channel.
//!
//! JSON is that of etcd's gateway: numbers of 64 bits are strings, bytes are base64, names are written as the
//! proto files have them, and what is zero is left out. In the other direction numbers may be numbers, base64 may be
//! the one for URLs, names may be in camel case, and unknown names are skipped.

/// A package: its messages and services, and the JSON of its messages.
macro_rules! package {
    ($(#[$doc:meta])* $module:ident) => {
        $(#[$doc])*
        #[allow(
            missing_docs,
            unused_qualifications,
            unreachable_pub,
            elided_lifetimes_in_paths,
            clippy::all,
            clippy::use_self,
            clippy::or_fun_call,
            clippy::semicolon_if_nothing_returned,
            reason = "generated code has the generators' style"
        )]
        pub mod $module {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($module), ".rs"));
            include!(concat!(env!("OUT_DIR"), "/", stringify!($module), ".serde.rs"));
        }
    };
}

package! {
    /// The store itself: the services KV, Watch, Lease, Cluster, Maintenance and Auth.
    etcdserverpb
}

package! {
    /// A pair of the store, and what happens to one.
    mvccpb
}

package! {
    /// Users, roles and permissions.
    authpb
}

package! {
    /// The service Lock.
    v3lockpb
}

package! {
    /// The service Election.
    v3electionpb
}

/// The service Health, which every gRPC server has: package `grpc.health.v1`.
#[allow(
    missing_docs,
    unused_qualifications,
    clippy::all,
    reason = "generated code has the generators' style"
)]
pub mod health {
    include!(concat!(env!("OUT_DIR"), "/grpc.health.v1.rs"));
}

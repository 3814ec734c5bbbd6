//! Why not, in etcd's own words: its clients look the texts up.

use ::kv::{AuthFailure, Failure};
use host::RequestError;
use kernel::{Fault, Refusal};
use tonic::Status;

/// What the store refuses.
pub(super) fn of(failure: Failure) -> Status {
    match failure {
        Failure::KeyNotFound => Status::invalid_argument("etcdserver: key not found"),
        Failure::KeyEmpty => Status::invalid_argument("etcdserver: key is not provided"),
        Failure::DuplicateKey => {
            Status::invalid_argument("etcdserver: duplicate key given in txn request")
        }
        Failure::TooManyOperations => {
            Status::invalid_argument("etcdserver: too many operations in txn request")
        }
        Failure::LeaseNotFound => Status::not_found("etcdserver: requested lease not found"),
        Failure::LeaseExists => Status::failed_precondition("etcdserver: lease already exists"),
        Failure::LeaseTooLong => Status::out_of_range("etcdserver: too large lease TTL"),
        Failure::Compacted => Status::out_of_range(COMPACTED),
        Failure::FutureRevision => {
            Status::out_of_range("etcdserver: mvcc: required revision is a future revision")
        }
        Failure::NoSpace => no_space(),
        Failure::Corrupt => Status::data_loss("etcdserver: corrupt cluster"),
        Failure::Auth(failure) => of_auth(failure),
    }
}

/// What the store refuses of users and roles, or to a user.
fn of_auth(failure: AuthFailure) -> Status {
    let unmet = Status::failed_precondition;
    match failure {
        AuthFailure::UserEmpty => Status::invalid_argument("etcdserver: user name is empty"),
        AuthFailure::UserNotFound => unmet("etcdserver: user name not found"),
        AuthFailure::UserExists => unmet("etcdserver: user name already exists"),
        AuthFailure::RoleEmpty => Status::invalid_argument("etcdserver: role name is empty"),
        AuthFailure::RoleNotFound => unmet("etcdserver: role name not found"),
        AuthFailure::RoleExists => unmet("etcdserver: role name already exists"),
        AuthFailure::RoleNotGranted => unmet("etcdserver: role is not granted to the user"),
        AuthFailure::PermissionNotGranted => {
            unmet("etcdserver: permission is not granted to the role")
        }
        AuthFailure::PermissionDenied => Status::permission_denied("etcdserver: permission denied"),
        AuthFailure::RootMissing => unmet("etcdserver: root user does not exist"),
        AuthFailure::RootWithoutRole => unmet("etcdserver: root user does not have root role"),
        AuthFailure::InvalidManagement => {
            Status::invalid_argument("etcdserver: invalid auth management")
        }
        AuthFailure::OldRevision => {
            Status::invalid_argument("etcdserver: revision of auth store is old")
        }
    }
}

/// A token that is none, or no longer one: clients say again who they are.
pub(super) fn invalid_token() -> Status {
    Status::unauthenticated("etcdserver: invalid auth token")
}

/// There is nothing to be authenticated for.
pub(super) fn auth_not_enabled() -> Status {
    Status::failed_precondition("etcdserver: authentication is not enabled")
}

/// There is no such user, or with another password.
pub(super) fn not_authenticated() -> Status {
    Status::invalid_argument("etcdserver: authentication failed, invalid user ID or password")
}

/// The user has no password. Of this etcd has no text that clients look up.
pub(super) fn no_password() -> Status {
    Status::unknown("auth: authentication failed, password was given for no password user")
}

/// What a role may do is missing.
pub(super) fn permission_not_given() -> Status {
    Status::invalid_argument("etcdserver: permission not given")
}

fn no_space() -> Status {
    Status::resource_exhausted("etcdserver: mvcc: database space exceeded")
}

/// The revision has been compacted away.
pub(super) const COMPACTED: &str = "etcdserver: mvcc: required revision has been compacted";

/// Nobody leads.
pub(super) fn no_leader() -> Status {
    Status::unavailable("etcdserver: no leader")
}

/// The request is beyond the limit.
pub(super) fn too_large() -> Status {
    Status::invalid_argument("etcdserver: request is too large")
}

/// The message is beyond what etcd reads.
pub(super) fn too_long_a_message(bytes: usize, bytes_max: usize) -> Status {
    let text = format!("grpc: received message larger than max ({bytes} vs. {bytes_max})");
    Status::resource_exhausted(text)
}

/// How a write, or another request through the log, ended without an answer. Where it may have happened
/// the code is one after which clients do not repeat it.
pub(super) fn of_write(error: RequestError) -> Status {
    match error {
        RequestError::Unknown => Status::unavailable("etcdserver: request timed out"),
        other => of_read(other),
    }
}

/// How a read ended without an answer.
pub(super) fn of_read(error: RequestError) -> Status {
    match error {
        RequestError::Refused(refusal) => refused(&refusal),
        RequestError::Stopped => Status::unavailable("etcdserver: server stopped"),
        _ => Status::unavailable("etcdserver: request timed out"),
    }
}

fn refused(refusal: &Refusal) -> Status {
    match refusal {
        Refusal::NoLeader => no_leader(),
        Refusal::LeadershipLost | Refusal::Transferring => {
            Status::unavailable("etcdserver: leader changed")
        }
        Refusal::Busy => Status::resource_exhausted("etcdserver: too many requests"),
        Refusal::Stopping => Status::unavailable("etcdserver: server stopped"),
        Refusal::DiskFull => no_space(),
        Refusal::TooLarge { .. } => too_large(),
        Refusal::ChangeUnderWay => Status::unavailable("etcdserver: unhealthy cluster"),
        Refusal::TooFewVoters => Status::failed_precondition(
            "etcdserver: re-configuration failed due to not enough started members",
        ),
        Refusal::NotCaughtUp { .. } => Status::failed_precondition(
            "etcdserver: can only promote a learner member which is in sync with leader",
        ),
        Refusal::BadChange(why) => Status::invalid_argument(format!("etcdserver: {why}")),
    }
}

/// A status where only a text can stand, as etcd's clients read it there.
pub(super) fn as_text(status: &Status) -> String {
    format!("rpc error: code = {:?} desc = {}", status.code(), status.message())
}

/// The tables could not be read: this node is about to stop.
pub(super) fn damaged(fault: &Fault) -> Status {
    tracing::error!("A read failed: {fault}.");
    Status::data_loss("etcdserver: corrupt cluster")
}

/// A bug, told as one.
pub(super) fn broken(what: &str) -> Status {
    tracing::error!("The store cannot be understood: {what}.");
    Status::internal(format!("etcdserver: {what}"))
}

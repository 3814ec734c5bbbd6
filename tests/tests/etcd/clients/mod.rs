//! Clients that other people wrote, as people use them.

mod etcdctl;
mod gateway;
mod history;
mod kubernetes;
mod leader;
mod libraries;

/// A request with the header that says: fail rather than serve without a leader.
fn with_leader<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("hasleader", "true".parse().unwrap());
    request
}

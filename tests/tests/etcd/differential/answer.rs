//! What a server said, without what differs from server to server and from run to run.

use std::fmt::Debug;

use etcd::etcdserverpb::{LeaseLeasesResponse, LeaseTimeToLiveResponse, ResponseHeader};
use tonic::{Response, Status};

use super::text::brief;

/// How much of a lease's time may have gone by within a run.
const RUN_S: i64 = 600;

/// An answer to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The message without zeros, or the error's code and text.
    pub(crate) text: String,
    /// The revision of its header.
    pub(crate) revision: i64,
}

impl Answer {
    /// An answer that is only text.
    pub(crate) const fn of_text(text: String) -> Self {
        Self { text, revision: 0 }
    }

    /// The answer to a call. `header` finds the header in a message.
    pub(crate) fn of<T: Debug>(
        result: Result<Response<T>, Status>,
        header: impl FnOnce(&mut T) -> Option<&mut ResponseHeader>,
    ) -> Self {
        let mut message = match result {
            Ok(answer) => answer.into_inner(),
            Err(status) => return Self::of_text(of_status(&status)),
        };
        let revision = normalize(header(&mut message));
        Self { text: brief(&message), revision }
    }
}

/// An error as text.
pub(crate) fn of_status(status: &Status) -> String {
    format!("{:?}: {}", status.code(), status.message())
}

/// Takes out of a header what names the server and the term; gives the revision.
pub(crate) fn normalize(header: Option<&mut ResponseHeader>) -> i64 {
    let Some(header) = header else { return 0 };
    *header = ResponseHeader { revision: header.revision, ..ResponseHeader::default() };
    header.revision
}

/// The time that is left is not compared, but it is no more than was granted. Keys have no order.
pub(crate) fn without_time(mut answer: LeaseTimeToLiveResponse) -> LeaseTimeToLiveResponse {
    answer.keys.sort();
    let granted = answer.granted_ttl;
    if (granted - RUN_S..=granted).contains(&answer.ttl) && answer.ttl > 0 {
        answer.ttl = granted;
    }
    answer
}

/// Leases are listed by the time that is left, which for some is the same.
pub(crate) fn without_order(mut answer: LeaseLeasesResponse) -> LeaseLeasesResponse {
    answer.leases.sort_by_key(|lease| lease.id);
    answer
}

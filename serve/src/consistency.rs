//! Which of two reads a client wants: of what is committed, or of this node's own copy.

use kernel::Reading;
use raft::Request;

use crate::{call::Call, error::ApiError, front::Front, outcome};

/// The parameter that says so.
pub(crate) const CONSISTENCY: &str = "consistency";

/// One moment of the tables, as fresh as the client asks for.
pub(crate) async fn reading(front: &Front, call: &Call) -> Result<Reading, ApiError> {
    match call.query.get(CONSISTENCY) {
        None | Some("linearizable") => {
            front.node.read(Request::Read).await.map_err(outcome::of_read)
        }
        Some("stale") => front.node.stale().await.map_err(outcome::of_read),
        Some(_) => Err(ApiError::bad(
            "bad_query",
            "The consistency of a read is \"linearizable\", which is the default, or \"stale\".",
        )),
    }
}

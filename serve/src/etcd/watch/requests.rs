//! What a client asks for on a stream of watches.

use etcd::etcdserverpb::{WatchCreateRequest, watch_create_request::FilterType};
use kv::{Interest, Keys};

use super::super::messages::positive;

/// A watch as its stream knows it.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// What it wants.
    pub(super) interest: Interest,
    /// The first revision that it wants; nothing for whatever comes from now on.
    pub(super) from: Option<u64>,
    /// What was there before is wanted.
    pub(super) previous: bool,
    /// A revision may be split.
    pub(super) may_split: bool,
    /// It wants to hear now and then how far it is.
    pub(super) wants_progress: bool,
}

impl Wish {
    pub(super) fn of(request: WatchCreateRequest) -> Self {
        let filters = request.filters;
        let lacks = |filter: FilterType| filters.contains(&i32::from(filter));
        // An empty key is the first one there can be.
        let key =
            if request.key.is_empty() { bytes::Bytes::from_static(b"\0") } else { request.key };
        Self {
            interest: Interest {
                puts: !lacks(FilterType::Noput),
                deletions: !lacks(FilterType::Nodelete),
                keys: Keys::from_etcd(key, request.range_end),
            },
            from: (request.start_revision != 0).then(|| positive(request.start_revision).max(1)),
            previous: request.prev_kv,
            may_split: request.fragment,
            wants_progress: request.progress_notify,
        }
    }
}

//! Watches: made, cancelled and asked for progress, on a few streams.

use etcd::etcdserverpb::WatchCreateRequest;

use super::Drawer;
use crate::differential::{operation::Operation, stream::STREAMS};

impl Drawer {
    pub(super) fn watch(&mut self) -> Operation {
        let stream = usize::try_from(self.rng.below(STREAMS)).expect("there are few streams");
        match self.rng.below(10) {
            0..6 => Operation::Watch { stream, create: self.watch_create() },
            6..9 => Operation::CancelWatch { stream, watch: self.between(0, 12) },
            _ => Operation::Progress { stream },
        }
    }

    fn watch_create(&mut self) -> WatchCreateRequest {
        WatchCreateRequest {
            key: self.key(),
            range_end: self.end(),
            start_revision: if self.chance(1, 3) { self.revision() } else { 0 },
            filters: self.one_of::<&[i32]>(&[&[], &[], &[], &[0], &[1], &[0, 1]]).to_vec(),
            prev_kv: self.chance(1, 2),
            watch_id: if self.chance(1, 4) { self.between(1, 12) } else { 0 },
            fragment: self.chance(1, 4),
            progress_notify: self.chance(1, 8),
        }
    }
}

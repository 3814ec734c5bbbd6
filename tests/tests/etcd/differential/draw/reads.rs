//! Ranges, to read and to delete.

use etcd::etcdserverpb::{DeleteRangeRequest, RangeRequest};

use super::Drawer;

impl Drawer {
    pub(super) fn range(&mut self) -> RangeRequest {
        let mut range = RangeRequest {
            key: self.key(),
            range_end: self.end(),
            serializable: self.chance(1, 10),
            keys_only: self.chance(1, 8),
            count_only: self.chance(1, 10),
            ..RangeRequest::default()
        };
        if self.chance(1, 3) {
            range.limit = self.between(1, 4);
        }
        if self.chance(1, 3) {
            range.revision = self.revision();
        }
        if self.chance(1, 3) {
            range.sort_order = self.one_of(&[0, 1, 2]);
            range.sort_target = self.one_of(&[0, 1, 2, 3, 4]);
        }
        if self.chance(1, 4) {
            self.bound(&mut range);
        }
        range
    }

    /// Bounds on the revisions of what is answered.
    fn bound(&mut self, range: &mut RangeRequest) {
        let revision = self.revision();
        match self.rng.below(5) {
            0 => range.min_mod_revision = revision,
            1 => range.max_mod_revision = revision,
            2 => range.min_create_revision = revision,
            3 => range.max_create_revision = revision,
            _ => {
                range.min_mod_revision = revision;
                range.max_create_revision = self.revision();
            }
        }
    }

    pub(super) fn delete_range(&mut self) -> DeleteRangeRequest {
        DeleteRangeRequest { key: self.key(), range_end: self.end(), prev_kv: self.chance(1, 2) }
    }
}

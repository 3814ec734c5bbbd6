//! Transactions, in transactions.

use bytes::Bytes;
use etcd::etcdserverpb::{
    Compare, RangeRequest, RequestOp, TxnRequest, compare::TargetUnion, request_op::Request,
};

use super::Drawer;
use crate::differential::operation::step;

/// How deep transactions lie in each other.
const DEPTH_MAX: u64 = 2;

impl Drawer {
    pub(super) fn txn(&mut self) -> TxnRequest {
        self.txn_at(0)
    }

    fn txn_at(&mut self, depth: u64) -> TxnRequest {
        let compares = self.one_of(&[0, 1, 1, 1, 2, 3]);
        TxnRequest {
            compare: (0..compares).map(|_| self.compare()).collect(),
            success: self.steps(depth),
            failure: self.steps(depth),
        }
    }

    fn steps(&mut self, depth: u64) -> Vec<RequestOp> {
        let count = self.one_of(&[0, 1, 1, 2, 2, 3]);
        (0..count).map(|_| self.step(depth)).collect()
    }

    fn step(&mut self, depth: u64) -> RequestOp {
        match self.rng.below(20) {
            0..9 => step(Request::RequestPut(self.put())),
            9..13 => step(Request::RequestRange(self.range_in_txn())),
            13..16 => step(Request::RequestDeleteRange(self.delete_range())),
            16..19 if depth < DEPTH_MAX => step(Request::RequestTxn(self.txn_at(depth + 1))),
            19 if self.chance(1, 6) => RequestOp { request: None },
            _ => step(Request::RequestPut(self.put())),
        }
    }

    /// A range that mostly reads the newest state: what the transaction itself has written is seen there.
    fn range_in_txn(&mut self) -> RangeRequest {
        let mut range = self.range();
        if self.chance(1, 2) {
            range.revision = 0;
        }
        range
    }

    fn compare(&mut self) -> Compare {
        let (target, target_union) = match self.rng.below(5) {
            0 => (0, TargetUnion::Version(self.between(0, 3))),
            1 => (1, TargetUnion::CreateRevision(self.revision_or_none())),
            2 => (2, TargetUnion::ModRevision(self.revision_or_none())),
            3 => (3, TargetUnion::Value(self.value())),
            _ => (4, TargetUnion::Lease(self.one_of(&[0, 1001, 1002]))),
        };
        // At times nothing to compare with is given, which is compared as zero or empty.
        let target_union = Some(target_union).filter(|_| !self.chance(1, 25));
        Compare {
            result: self.one_of(&[0, 1, 2, 3]),
            target,
            key: self.key(),
            range_end: if self.chance(1, 3) { self.end() } else { Bytes::new() },
            target_union,
        }
    }

    fn revision_or_none(&mut self) -> i64 {
        if self.chance(1, 3) { 0 } else { self.revision() }
    }
}

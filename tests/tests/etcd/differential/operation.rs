//! What is done to both servers, one operation after the other.
//!
//! Revisions in an operation are relative, so that it keeps its meaning when others before it are left out:
//!
//! ```text
//!    0   none           1   the newest revision    2   the one before    ...
//!   -1   the next one  -2   the one after that     ...
//! ```

use etcd::etcdserverpb::{
    Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest,
    WatchCreateRequest, compare, request_op,
};

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operation {
    Put(PutRequest),
    Range(RangeRequest),
    DeleteRange(DeleteRangeRequest),
    Txn(TxnRequest),
    Compact {
        revision: i64,
        physical: bool,
    },
    Grant {
        lease: i64,
        ttl_s: i64,
    },
    /// A lease that is gone again before its time to live matters.
    GrantAndRevoke {
        lease: i64,
        ttl_s: i64,
    },
    Revoke {
        lease: i64,
    },
    KeepAlive {
        lease: i64,
    },
    TimeToLive {
        lease: i64,
        keys: bool,
    },
    Leases,
    Watch {
        stream: usize,
        create: WatchCreateRequest,
    },
    CancelWatch {
        stream: usize,
        watch: i64,
    },
    Progress {
        stream: usize,
    },
    Sleep {
        seconds: u64,
    },
    /// Waits until all watches have everything, compares what they were given, and compares the hashes.
    Checkpoint,
}

impl Operation {
    /// The operation with real revisions, where `newest` is the newest one.
    pub(crate) fn resolved(&self, newest: i64) -> Self {
        let mut resolved = self.clone();
        match &mut resolved {
            Self::Range(range) => resolve_range(range, newest),
            Self::Txn(txn) => resolve_txn(txn, newest),
            Self::Compact { revision, .. } => resolve(revision, newest),
            Self::Watch { create, .. } => resolve(&mut create.start_revision, newest),
            _ => {}
        }
        resolved
    }
}

fn resolve(revision: &mut i64, newest: i64) {
    *revision = match *revision {
        0 => 0,
        back if back > 0 => newest + 1 - back,
        ahead => newest - ahead,
    };
}

fn resolve_range(range: &mut RangeRequest, newest: i64) {
    resolve(&mut range.revision, newest);
    for bound in [
        &mut range.min_mod_revision,
        &mut range.max_mod_revision,
        &mut range.min_create_revision,
        &mut range.max_create_revision,
    ] {
        resolve(bound, newest);
    }
}

fn resolve_txn(txn: &mut TxnRequest, newest: i64) {
    for compare in &mut txn.compare {
        resolve_compare(compare, newest);
    }
    for step in txn.success.iter_mut().chain(&mut txn.failure) {
        match &mut step.request {
            Some(request_op::Request::RequestRange(range)) => resolve_range(range, newest),
            Some(request_op::Request::RequestTxn(inner)) => resolve_txn(inner, newest),
            _ => {}
        }
    }
}

fn resolve_compare(compare: &mut Compare, newest: i64) {
    if let Some(
        compare::TargetUnion::CreateRevision(revision)
        | compare::TargetUnion::ModRevision(revision),
    ) = &mut compare.target_union
    {
        resolve(revision, newest);
    }
}

/// A step of a transaction.
pub(crate) fn step(request: request_op::Request) -> RequestOp {
    RequestOp { request: Some(request) }
}

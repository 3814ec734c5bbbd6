//! Wrong servers, made from right ones: on the second, some operations are changed a little. Each must be
//! found, or the test could not see such a mistake of ours.

use etcd::etcdserverpb::compare::{CompareResult, TargetUnion};

use super::operation::Operation;

/// A way to be wrong.
pub(crate) struct Flaw {
    pub(crate) name: &'static str,
    /// What is done to the second server instead of an operation.
    pub(crate) change: fn(Operation) -> Operation,
}

/// Some of the mistakes that a server could make.
pub(crate) const FLAWS: &[Flaw] = &[
    Flaw { name: "a limit of three gives two", change: limits_too_much },
    Flaw { name: "a put with a lease forgets the lease", change: forgets_leases },
    Flaw { name: "greater is taken for greater or equal", change: compares_loosely },
    Flaw { name: "a watch of puts alone sees deletions", change: ignores_filters },
    Flaw { name: "a watch from the past starts one too late", change: starts_late },
    Flaw { name: "a compaction stops one short", change: compacts_less },
];

fn limits_too_much(mut operation: Operation) -> Operation {
    if let Operation::Range(range) = &mut operation
        && range.limit == 3
    {
        range.limit = 2;
    }
    operation
}

fn forgets_leases(mut operation: Operation) -> Operation {
    if let Operation::Put(put) = &mut operation {
        put.lease = 0;
    }
    operation
}

/// A version above n is one of at least n + 1.
fn compares_loosely(mut operation: Operation) -> Operation {
    if let Operation::Txn(txn) = &mut operation {
        for compare in &mut txn.compare {
            if let Some(TargetUnion::Version(version)) = &mut compare.target_union
                && compare.result == CompareResult::Greater as i32
            {
                *version -= 1;
            }
        }
    }
    operation
}

fn ignores_filters(mut operation: Operation) -> Operation {
    if let Operation::Watch { create, .. } = &mut operation {
        create.filters.retain(|filter| *filter == 0);
    }
    operation
}

fn starts_late(mut operation: Operation) -> Operation {
    if let Operation::Watch { create, .. } = &mut operation
        && create.start_revision > 0
    {
        create.start_revision += 1;
    }
    operation
}

fn compacts_less(mut operation: Operation) -> Operation {
    if let Operation::Compact { revision, .. } = &mut operation {
        *revision -= 1;
    }
    operation
}

/// Whether an operation is changed at all.
pub(crate) fn touches(flaw: &Flaw, operation: &Operation) -> bool {
    (flaw.change)(operation.clone()) != *operation
}

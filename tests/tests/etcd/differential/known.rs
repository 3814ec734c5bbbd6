//! The differences between etcd 3.4.23, which Debian has, and etcd 3.5.21, which is what we report to be.
//!
//! The sources of both were compared, file by file, for what the operations here can reach: `v3rpc/key.go`,
//! `v3rpc/watch.go`, `v3rpc/lease.go`, `apply.go`, `v3_server.go`, `mvcc/` and `lease/lessor.go`. What is not in this
//! table is the same in both.

use std::collections::BTreeSet;

use etcd::etcdserverpb::{RangeRequest, TxnRequest, request_op::Request};

use super::{answer::Answer, operation::Operation};

/// What was done before, as far as it explains something.
#[derive(Debug, Default)]
pub(crate) struct Situation {
    /// The newest revision.
    pub(crate) newest: i64,
    /// Up to where history is compacted.
    pub(crate) compacted: i64,
    /// What was refused, and watches that were not made.
    pub(crate) refusals: BTreeSet<String>,
}

impl Situation {
    /// Notes what an operation did.
    pub(crate) fn note(&mut self, operation: &Operation, answer: &Answer) {
        self.newest = self.newest.max(answer.revision);
        if let Some((_, reason)) = answer.text.split_once("cancel_reason: ") {
            self.refusals.insert(reason.trim_end_matches([' ', '}']).to_owned());
        }
        if answer.text.contains("etcdserver: ") {
            self.refusals.insert(answer.text.clone());
        }
        if let Operation::Compact { revision, .. } = operation
            && answer.revision > 0
        {
            self.compacted = *revision;
        }
    }
}

/// A difference that is as it should be, or a place where etcd itself does not do the same each time.
pub(crate) struct Known {
    /// What differs, in a sentence.
    pub(crate) sentence: &'static str,
    /// Where it is seen that both are right.
    pub(crate) source: &'static str,
    /// Changes an operation, on both servers, into one that does not show the difference.
    pub(crate) avoid: fn(&Situation, &mut Operation),
}

/// All that are known.
pub(crate) const KNOWN: &[Known] = &[
    Known {
        sentence: "A compaction at a deletion drops the deletion in 3.4.23, some time later, and keeps it in \
                   3.5.21: a watch from that very revision is given it only by the newer one.",
        source: "mvcc/key_index.go, doCompact: 3.5.16 and 3.4.34 keep a tombstone at the compacted revision",
        avoid: start_after_the_compacted,
    },
    Known {
        sentence: "Progress is told at once by 3.4.23, and by 3.5.21 only when all watches of the stream are up \
                   to date: it is asked for when they are.",
        source: "v3rpc/watch.go, recvLoop: 3.5.8 calls RequestProgressAll",
        avoid: |_, _| {},
    },
    Known {
        sentence: "HashKV says which revision it hashed from 3.6 on: what ours says of it is not compared.",
        source: "etcdserverpb/rpc.proto of 3.6, HashKVResponse: field 4",
        avoid: |_, _| {},
    },
    Known {
        sentence: "A deletion at the compacted revision is not part of the hash, in 3.4.23 because it is dropped, \
                   in 3.5.21 because it is skipped: the hashes are the same.",
        source: "mvcc/hash.go, WriteKeyValue: its comment",
        avoid: |_, _| {},
    },
    Known {
        sentence: "etcd overlooks that a transaction changes a key twice, if the deletion is of everything from a \
                   key on, or of a transaction beside the one that puts; ours refuses it.",
        source: "v3rpc/key.go, checkIntervals: the interval of such a deletion is empty, and puts are held against \
                 deletions that come before",
        avoid: delete_once,
    },
    Known {
        sentence: "In a transaction etcd takes a negative revision for one that is compacted, elsewhere for the \
                   present one; for ours it is the present one everywhere.",
        source: "etcdserver/apply.go, checkRequestRange",
        avoid: read_the_present,
    },
    Known {
        sentence: "A put alone that keeps the value of a key that is not there, with a lease that is not there either: \
                   etcd finds the lease missing, and in a transaction the key; ours finds the key missing everywhere.",
        source: "etcdserver/apply.go, Put beside checkRequestPut",
        avoid: keep_without_lease,
    },
];

fn keep_without_lease(_: &Situation, operation: &mut Operation) {
    if let Operation::Put(put) = operation
        && put.ignore_value
    {
        put.lease = 0;
    }
}

fn delete_once(_: &Situation, operation: &mut Operation) {
    each_inner(operation, &mut |inner| {
        if let Request::RequestDeleteRange(delete) = inner {
            delete.range_end.clear();
        }
    });
    if let Operation::Txn(txn) = operation {
        let_one_delete(txn);
    }
}

fn read_the_present(_: &Situation, operation: &mut Operation) {
    each_inner(operation, &mut |inner| {
        if let Request::RequestRange(range) = inner {
            range.revision = range.revision.max(0);
        }
    });
}

/// Of the transactions beside one another only the first deletes; the others read instead.
fn let_one_delete(txn: &mut TxnRequest) {
    for operations in [&mut txn.success, &mut txn.failure] {
        let mut is_first = true;
        for operation in operations {
            if let Some(Request::RequestTxn(inner)) = &mut operation.request {
                let_one_delete(inner);
                if !std::mem::take(&mut is_first) {
                    each_of(inner, &mut read_instead);
                }
            }
        }
    }
}

fn read_instead(request: &mut Request) {
    if let Request::RequestDeleteRange(delete) = request {
        let key = std::mem::take(&mut delete.key);
        *request = Request::RequestRange(RangeRequest { key, ..RangeRequest::default() });
    }
}

/// Changes what lies in a transaction.
fn each_inner(operation: &mut Operation, change: &mut dyn FnMut(&mut Request)) {
    if let Operation::Txn(txn) = operation {
        each_of(txn, change);
    }
}

fn each_of(txn: &mut TxnRequest, change: &mut dyn FnMut(&mut Request)) {
    for inner in txn.success.iter_mut().chain(&mut txn.failure) {
        if let Some(request) = &mut inner.request {
            change(request);
            if let Request::RequestTxn(txn) = request {
                each_of(txn, change);
            }
        }
    }
}

fn start_after_the_compacted(situation: &Situation, operation: &mut Operation) {
    if let Operation::Watch { create, .. } = operation
        && create.start_revision == situation.compacted
        && situation.compacted > 0
    {
        create.start_revision += 1;
    }
}

/// The table as text, for whoever reads a report.
pub(crate) fn table() -> String {
    let line = |known: &Known| format!("  {}\n    ({})\n", known.sentence, known.source);
    KNOWN.iter().map(line).collect()
}

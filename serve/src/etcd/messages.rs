//! Between etcd's messages and the store's commands and answers.

use ::etcd::{
    etcdserverpb::{
        Compare, DeleteRangeRequest, DeleteRangeResponse, PutRequest, PutResponse, RangeRequest,
        RangeResponse, RequestOp, ResponseHeader, ResponseOp, TxnRequest, TxnResponse,
        compare::{CompareResult, CompareTarget, TargetUnion},
        range_request::{SortOrder, SortTarget},
        request_op, response_op,
    },
    mvccpb::KeyValue,
};
use ::kv::{
    Bounds, Comparison, Delete, Found, Item, Keys, LeaseId, Operation, Order, Put, Range, Relation,
    Replies, Reply, ReplyKind, SortBy, Target, Transaction,
};
use tonic::Status;

/// A read.
pub(super) fn range(request: RangeRequest) -> Result<Range, Status> {
    let invalid = |_| Status::invalid_argument("etcdserver: invalid sort option");
    let order = SortOrder::try_from(request.sort_order).map_err(invalid)?;
    let sort_by = SortTarget::try_from(request.sort_target).map_err(invalid)?;
    if request.key.is_empty() {
        return Err(Status::invalid_argument("etcdserver: key is not provided"));
    }
    Ok(Range {
        keys: Keys::from_etcd(request.key, request.range_end),
        // More than can be there is no limit.
        limit: u32::try_from(request.limit).unwrap_or(0),
        revision: positive(request.revision),
        order: match order {
            SortOrder::None => Order::Any,
            SortOrder::Ascend => Order::Ascending,
            SortOrder::Descend => Order::Descending,
        },
        sort_by: match sort_by {
            SortTarget::Key => SortBy::Key,
            SortTarget::Version => SortBy::Version,
            SortTarget::Create => SortBy::Created,
            SortTarget::Mod => SortBy::Modified,
            SortTarget::Value => SortBy::Value,
        },
        keys_only: request.keys_only,
        count_only: request.count_only,
        modified: bounds(request.min_mod_revision, request.max_mod_revision),
        created: bounds(request.min_create_revision, request.max_create_revision),
    })
}

/// A write of one key.
pub(super) fn put(request: PutRequest) -> Result<Put, Status> {
    if request.key.is_empty() {
        return Err(Status::invalid_argument("etcdserver: key is not provided"));
    }
    if request.ignore_value && !request.value.is_empty() {
        return Err(Status::invalid_argument("etcdserver: value is provided"));
    }
    if request.ignore_lease && request.lease != 0 {
        return Err(Status::invalid_argument("etcdserver: lease is provided"));
    }
    Ok(Put {
        key: request.key,
        value: request.value,
        lease: LeaseId(request.lease),
        previous: request.prev_kv,
        keep_value: request.ignore_value,
        keep_lease: request.ignore_lease,
    })
}

/// A deletion.
pub(super) fn delete(request: DeleteRangeRequest) -> Result<Delete, Status> {
    if request.key.is_empty() {
        return Err(Status::invalid_argument("etcdserver: key is not provided"));
    }
    let keys = Keys::from_etcd(request.key, request.range_end);
    Ok(Delete { keys, previous: request.prev_kv })
}

/// A transaction.
pub(super) fn transaction(request: TxnRequest) -> Result<Transaction, Status> {
    Ok(Transaction {
        comparisons: request.compare.into_iter().map(comparison).collect::<Result<_, _>>()?,
        success: request.success.into_iter().map(operation).collect::<Result<_, _>>()?,
        failure: request.failure.into_iter().map(operation).collect::<Result<_, _>>()?,
    })
}

fn operation(request: RequestOp) -> Result<Operation, Status> {
    use request_op::Request;
    match request.request {
        Some(Request::RequestRange(request)) => Ok(Operation::Range(range(request)?)),
        Some(Request::RequestPut(request)) => Ok(Operation::Put(put(request)?)),
        Some(Request::RequestDeleteRange(request)) => Ok(Operation::Delete(delete(request)?)),
        Some(Request::RequestTxn(request)) => Ok(Operation::Transaction(transaction(request)?)),
        None => Err(Status::invalid_argument("etcdserver: key not found")),
    }
}

fn comparison(request: Compare) -> Result<Comparison, Status> {
    if request.key.is_empty() {
        return Err(Status::invalid_argument("etcdserver: key is not provided"));
    }
    let relation = match CompareResult::try_from(request.result) {
        Ok(CompareResult::Greater) => Relation::Greater,
        Ok(CompareResult::Less) => Relation::Less,
        Ok(CompareResult::NotEqual) => Relation::NotEqual,
        _ => Relation::Equal,
    };
    let union = request.target_union;
    // A number of another kind than the target counts as none.
    let target = match (CompareTarget::try_from(request.target), union) {
        (Ok(CompareTarget::Create), Some(TargetUnion::CreateRevision(number))) => {
            Target::Created(number)
        }
        (Ok(CompareTarget::Create), _) => Target::Created(0),
        (Ok(CompareTarget::Mod), Some(TargetUnion::ModRevision(number))) => {
            Target::Modified(number)
        }
        (Ok(CompareTarget::Mod), _) => Target::Modified(0),
        (Ok(CompareTarget::Value), Some(TargetUnion::Value(value))) => Target::Value(value),
        (Ok(CompareTarget::Value), _) => Target::Value(bytes::Bytes::new()),
        (Ok(CompareTarget::Lease), Some(TargetUnion::Lease(lease))) => Target::Lease(lease),
        (Ok(CompareTarget::Lease), _) => Target::Lease(0),
        (_, Some(TargetUnion::Version(number))) => Target::Version(number),
        (_, _) => Target::Version(0),
    };
    Ok(Comparison { keys: Keys::from_etcd(request.key, request.range_end), relation, target })
}

/// A bound that is negative is one all the same: below any revision.
fn bounds(least: i64, greatest: i64) -> Bounds {
    let bound = |revision: i64| match revision {
        0 => 0,
        revision => positive(revision).max(1),
    };
    Bounds { least: bound(least), greatest: bound(greatest) }
}

/// Of revisions, all that is not above 0 stands for none.
pub(super) fn positive(revision: i64) -> u64 {
    u64::try_from(revision).unwrap_or(0)
}

/// An item, as etcd writes it.
pub(super) fn key_value(item: Item) -> KeyValue {
    KeyValue {
        key: item.key,
        create_revision: item.created.cast_signed(),
        mod_revision: item.modified.cast_signed(),
        version: item.version.cast_signed(),
        value: item.value,
        lease: item.lease.0,
    }
}

/// What was found, under a head.
pub(super) fn range_response(found: Found, header: Option<ResponseHeader>) -> RangeResponse {
    RangeResponse {
        header,
        kvs: found.items.into_iter().map(key_value).collect(),
        more: found.more,
        count: found.count.cast_signed(),
    }
}

/// What a transaction came to, under a head.
pub(super) fn txn_response(replies: Replies, header: Option<ResponseHeader>) -> TxnResponse {
    let responses = replies.replies.into_iter().map(response_op).collect();
    TxnResponse { header, succeeded: replies.succeeded, responses }
}

fn response_op(reply: Reply) -> ResponseOp {
    use response_op::Response;
    let revision = reply.revision.cast_signed();
    let header = Some(ResponseHeader { revision, ..ResponseHeader::default() });
    let response = match reply.kind {
        ReplyKind::Range(found) => Response::ResponseRange(range_response(found, header)),
        ReplyKind::Put(previous) => {
            Response::ResponsePut(PutResponse { header, prev_kv: previous.map(key_value) })
        }
        ReplyKind::Deleted { count, previous } => {
            Response::ResponseDeleteRange(DeleteRangeResponse {
                header,
                deleted: count.cast_signed(),
                prev_kvs: previous.into_iter().map(key_value).collect(),
            })
        }
        ReplyKind::Transaction(replies) => {
            let header = Some(ResponseHeader::default());
            Response::ResponseTxn(txn_response(replies, header))
        }
    };
    ResponseOp { response: Some(response) }
}

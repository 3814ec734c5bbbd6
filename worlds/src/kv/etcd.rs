//! Clients that speak etcd's interface: what is recorded as transactions and ranges, and beside it leases,
//! the keys that go with them, and compactions.

use check::Call;
use kernel::{Bytes, Rng, Session, Wire};
use kv::{
    Answer, Command, Comparison, Delete, Keys, LeaseId, Operation, Put, Query, Range, Relation,
    ReplyKind, Target, Transaction,
};
use raft::Request;
use sim::Asked;

/// One of so many requests has one beside it.
const ASIDE_ONE_IN: u64 = 8;

/// The leases that there may be.
const LEASES: u64 = 4;

/// How much history is kept at least, and how much of it more before somebody compacts it.
const KEPT: u64 = 50;
const KEPT_MORE: u64 = 200;

/// The request, and for a read the query, that `call` on `key` becomes.
pub(super) fn ask(key: &[u8], call: &Call, session: Option<Session>) -> Asked<Request> {
    let key = Bytes::copy_from_slice(key);
    let keys = Keys::One(key.clone());
    // An answer that is kept for a repeat must be short.
    let is_long = session.is_none();
    let put = |value: &[u8]| put(key.clone(), value, LeaseId::NONE, is_long);
    let transaction = match call {
        Call::Read => {
            let query = Some(Query::Range(Range::of(keys)).to_bytes());
            return Asked { request: Request::Read, query };
        }
        Call::Write(value) => put(value).alone(),
        Call::CompareAndSet { expected, new } => {
            let target = expected
                .as_ref()
                .map_or(Target::Version(0), |value| Target::Value(value.clone().into()));
            let get = is_long.then(|| Operation::Range(Range::of(keys.clone())));
            Transaction {
                comparisons: vec![Comparison { keys, relation: Relation::Equal, target }],
                success: [put(new)].into_iter().chain(get.clone()).collect(),
                failure: get.into_iter().collect(),
            }
        }
        Call::Delete => Operation::Delete(Delete { keys, previous: is_long }).alone(),
    };
    Asked { request: request(&Command::Do(transaction), session), query: None }
}

/// What the answer to `call` says.
///
/// # Errors
/// What is wrong with it.
pub(super) fn told(call: &Call, answer: Answer) -> Result<check::Answer, String> {
    let replies = match answer {
        Answer::Read { found, .. } => {
            let value = found.items.into_iter().next().map(|item| item.value.to_vec());
            return Ok(check::Answer::Found(value));
        }
        Answer::Done { replies, .. } => replies,
        other => return Err(format!("{other:?}")),
    };
    Ok(match (call, replies.replies.first().map(|reply| &reply.kind)) {
        (Call::Write(_), Some(ReplyKind::Put(_))) => check::Answer::Written,
        (Call::CompareAndSet { .. }, _) if !replies.succeeded => check::Answer::Mismatch,
        (Call::CompareAndSet { .. }, Some(ReplyKind::Put(_))) => check::Answer::Written,
        (Call::Delete, Some(ReplyKind::Deleted { count, .. })) => {
            check::Answer::Deleted(*count > 0)
        }
        _ => return Err(format!("{replies:?}")),
    })
}

/// Once there is much history, somebody compacts it, as the owners of long-lived stores do.
pub(super) fn compaction(latest: u64, compacted: u64, rng: &mut Rng) -> Option<Request> {
    let is_due = latest > compacted + KEPT + KEPT_MORE && rng.chance(1, ASIDE_ONE_IN);
    is_due.then(|| request(&Command::Compact { revision: latest - rng.below(KEPT) }, None))
}

/// Now and then something about leases and keys that go with them.
pub(super) fn aside(rng: &mut Rng) -> Option<Request> {
    if !rng.chance(1, ASIDE_ONE_IN) {
        return None;
    }
    let lease = LeaseId(rng.between(1, LEASES).cast_signed());
    let side = |rng: &mut Rng| Bytes::from(format!("side{}", rng.below(6)));
    let command = match rng.below(11) {
        0..=2 => Command::Grant { lease, seconds: rng.below(5) },
        3..=5 => Command::Do(put(side(rng), b"leased", lease, true).alone()),
        6 => Command::Revoke { lease },
        7 | 8 => Command::KeepAlive { lease },
        9 => Command::TimeLeft { lease, with_keys: true },
        _ => {
            let keys = Keys::Range(side(rng), Bytes::from("side9"));
            Command::Do(Operation::Delete(Delete { keys, previous: true }).alone())
        }
    };
    Some(request(&command, None))
}

fn request(command: &Command, session: Option<Session>) -> Request {
    Request::Command { data: command.to_bytes(), session }
}

fn put(key: Bytes, value: &[u8], lease: LeaseId, previous: bool) -> Operation {
    let value = Bytes::copy_from_slice(value);
    Operation::Put(Put { key, value, lease, previous, keep_value: false, keep_lease: false })
}

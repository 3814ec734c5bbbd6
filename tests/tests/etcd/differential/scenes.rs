//! What takes too long, or too much room, to be drawn: short scripts, done to both servers.

use archipel_tests::is_installed;
use bytes::Bytes;
use etcd::etcdserverpb::{DeleteRangeRequest, PutRequest, RangeRequest, WatchCreateRequest};

use super::{
    operation::Operation,
    report::{Plan, run},
};
use crate::servers::Program;

/// Together more than a message may have, each alone less.
const LARGE_BYTES: usize = 700_000;

fn put(key: &str, value: Bytes, lease: i64) -> Operation {
    let key = Bytes::from(key.to_owned());
    Operation::Put(PutRequest { key, value, lease, ..PutRequest::default() })
}

fn everything() -> (Bytes, Bytes) {
    (Bytes::from_static(b"\0"), Bytes::from_static(b"\0"))
}

/// Runs a scene on etcd and on what is under test.
fn play(scene: &[Operation]) {
    let second = Program::under_test();
    if !is_installed("etcd") {
        return;
    }
    if let Err(difference) = run(Plan { second, members: 1, flaw: None }, scene) {
        panic!("{difference}");
    }
}

#[test]
fn keys_go_when_their_lease_ends() {
    let (key, range_end) = everything();
    let all = || {
        Operation::Range(RangeRequest {
            key: key.clone(),
            range_end: range_end.clone(),
            ..RangeRequest::default()
        })
    };
    play(&[
        Operation::Grant { lease: 1, ttl_s: 2 },
        Operation::Grant { lease: 2, ttl_s: 600 },
        put("c", Bytes::from_static(b"1"), 1),
        put("a", Bytes::from_static(b"1"), 1),
        put("b", Bytes::from_static(b"1"), 2),
        put("d", Bytes::from_static(b"1"), 1),
        put("d", Bytes::from_static(b"2"), 2),
        Operation::Checkpoint,
        // Expired leases are looked for twice a second, from two seconds on.
        Operation::Sleep { seconds: 5 },
        all(),
        Operation::KeepAlive { lease: 1 },
        Operation::TimeToLive { lease: 1, keys: true },
        Operation::TimeToLive { lease: 2, keys: true },
        Operation::Leases,
        Operation::Checkpoint,
    ]);
}

#[test]
fn large_deletions_come_in_fragments_where_they_may() {
    let (key, range_end) = everything();
    let watch = |fragment, watch_id| Operation::Watch {
        stream: 0,
        create: WatchCreateRequest {
            key: key.clone(),
            range_end: range_end.clone(),
            prev_kv: true,
            fragment,
            watch_id,
            ..WatchCreateRequest::default()
        },
    };
    let large = |letter: u8| Bytes::from(vec![letter; LARGE_BYTES]);
    play(&[
        watch(true, 1),
        put("a", large(b'a'), 0),
        put("b", large(b'b'), 0),
        put("c", large(b'c'), 0),
        Operation::Checkpoint,
        Operation::DeleteRange(DeleteRangeRequest {
            key: Bytes::from_static(b"a"),
            range_end: Bytes::from_static(b"d"),
            prev_kv: false,
        }),
        Operation::Checkpoint,
    ]);
}

#[test]
fn what_is_too_large_is_refused() {
    play(&[
        put("a", Bytes::from(vec![b'a'; 1_600_000]), 0),
        put("a", Bytes::from(vec![b'a'; 2_200_000]), 0),
        put("a", Bytes::from(vec![b'a'; 1_500_000]), 0),
        Operation::Checkpoint,
    ]);
}

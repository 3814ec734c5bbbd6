//! Bytes written by hand from the protocol's numbers. A tag is `number * 8 + kind`, where kind 0 is a number and
//! kind 2 something with a length; from number 16 on it takes two bytes.

use std::fmt::Debug;

use archipel_etcd::{
    authpb::{Permission, User, UserAddOptions, permission},
    etcdserverpb::{
        AlarmMember, AlarmType, AuthUserAddRequest, Compare, DowngradeInfo, HashKvResponse,
        LeaseTimeToLiveResponse, Member, PutRequest, RangeRequest, RangeResponse, RequestOp,
        ResponseHeader, SnapshotResponse, StatusResponse, WatchCreateRequest, WatchRequest,
        WatchResponse, compare, range_request, request_op, watch_create_request, watch_request,
    },
    health::HealthCheckResponse,
    mvccpb::{Event, KeyValue, event},
    v3electionpb::{LeaderKey, ResignRequest},
    v3lockpb::{LockRequest, LockResponse},
};
use bytes::Bytes;
use prost::Message;

/// Asserts that `message` is exactly `bytes`, in hexadecimal, and is read from them.
fn assert_wire<M: Message + Default + PartialEq + Debug>(message: &M, bytes: &str) {
    let digits: String = bytes.split_whitespace().collect();
    let pairs = digits.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    let wanted: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    assert_eq!(message.encode_to_vec(), wanted, "{message:?}");
    assert_eq!(&M::decode(wanted.as_slice()).unwrap(), message);
}

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[test]
fn a_header() {
    let header = ResponseHeader { cluster_id: 1, member_id: 2, revision: 3, raft_term: 4 };
    assert_wire(&header, "08 01  10 02  18 03  20 04");
}

#[test]
fn a_pair_and_an_event() {
    let kv = KeyValue {
        key: text("foo"),
        create_revision: 2,
        mod_revision: 300,
        version: 4,
        value: text("bar"),
        lease: -1,
    };
    let pair = "0a 03 666f6f  10 02  18 ac02  20 04  2a 03 626172  30 ffffffffffffffffff01";
    assert_wire(&kv, pair);
    let prev_kv = KeyValue { key: text("a"), ..KeyValue::default() };
    let event =
        Event { r#type: event::EventType::Delete.into(), kv: Some(kv), prev_kv: Some(prev_kv) };
    assert_wire(&event, &format!("08 01  12 1c {pair}  1a 03 0a 01 61"));
}

#[test]
fn a_range_request_has_thirteen_fields() {
    let request = RangeRequest {
        key: text("a"),
        range_end: text("b"),
        limit: 3,
        revision: 4,
        sort_order: range_request::SortOrder::Descend.into(),
        sort_target: range_request::SortTarget::Value.into(),
        serializable: true,
        keys_only: true,
        count_only: true,
        min_mod_revision: 10,
        max_mod_revision: 11,
        min_create_revision: 12,
        max_create_revision: 13,
    };
    let bytes = "0a 01 61  12 01 62  18 03  20 04  28 02  30 04  38 01  40 01  48 01
        50 0a  58 0b  60 0c  68 0d";
    assert_wire(&request, bytes);
}

#[test]
fn a_range_response() {
    let kvs = vec![KeyValue { key: text("a"), ..KeyValue::default() }];
    let response = RangeResponse { header: None, kvs, more: true, count: 9 };
    assert_wire(&response, "12 03 0a 01 61  18 01  20 09");
}

#[test]
fn a_put_as_an_operation() {
    let put = PutRequest {
        key: text("k"),
        value: text("v"),
        lease: 5,
        prev_kv: true,
        ignore_value: true,
        ignore_lease: true,
    };
    let request = Some(request_op::Request::RequestPut(put));
    assert_wire(&RequestOp { request }, "12 0e 0a 01 6b  12 01 76  18 05  20 01  28 01  30 01");
}

#[test]
fn a_comparison_ends_its_range_with_field_64() {
    let compare = Compare {
        result: compare::CompareResult::NotEqual.into(),
        target: compare::CompareTarget::Lease.into(),
        key: text("a"),
        range_end: text("b"),
        target_union: Some(compare::TargetUnion::Lease(7)),
    };
    assert_wire(&compare, "08 03  10 04  1a 01 61  40 07  8204 01 62");
    let target_union = Some(compare::TargetUnion::Value(text("v")));
    assert_wire(&Compare { target_union, ..Compare::default() }, "3a 01 76");
    // Zero that was chosen is not nothing.
    let target_union = Some(compare::TargetUnion::Version(0));
    assert_wire(&Compare { target_union, ..Compare::default() }, "20 00");
}

#[test]
fn a_watch_is_made() {
    let create = WatchCreateRequest {
        key: text("a"),
        range_end: text("b"),
        start_revision: 3,
        progress_notify: true,
        filters: vec![watch_create_request::FilterType::Nodelete.into()],
        prev_kv: true,
        watch_id: 7,
        fragment: true,
    };
    let request_union = Some(watch_request::RequestUnion::CreateRequest(create));
    let bytes = "0a 13 0a 01 61  12 01 62  18 03  20 01  2a 01 01  30 01  38 07  40 01";
    assert_wire(&WatchRequest { request_union }, bytes);
}

#[test]
fn events_of_a_watch_are_field_11() {
    let response = WatchResponse {
        header: None,
        watch_id: -1,
        created: true,
        canceled: true,
        compact_revision: 5,
        cancel_reason: "x".to_owned(),
        fragment: true,
        events: vec![Event::default()],
    };
    let bytes = "10 ffffffffffffffffff01  18 01  20 01  28 05  32 01 78  38 01  5a 00";
    assert_wire(&response, bytes);
}

#[test]
fn what_is_left_of_a_lease() {
    let keys = vec![text("a")];
    let response = LeaseTimeToLiveResponse { header: None, id: 2, ttl: 3, granted_ttl: 4, keys };
    assert_wire(&response, "10 02  18 03  20 04  2a 01 61");
}

#[test]
fn a_member() {
    let member = Member {
        id: 1,
        name: "n".to_owned(),
        peer_urls: vec!["p".to_owned()],
        client_urls: vec!["c".to_owned()],
        is_learner: true,
    };
    assert_wire(&member, "08 01  12 01 6e  1a 01 70  22 01 63  28 01");
}

#[test]
fn a_status_has_thirteen_fields_with_those_of_3_6() {
    let info = DowngradeInfo { enabled: true, target_version: "t".to_owned() };
    let status = StatusResponse {
        header: None,
        version: "v".to_owned(),
        db_size: 3,
        leader: 4,
        raft_index: 5,
        raft_term: 6,
        raft_applied_index: 7,
        errors: vec!["e".to_owned()],
        db_size_in_use: 9,
        is_learner: true,
        storage_version: "s".to_owned(),
        db_size_quota: 12,
        downgrade_info: Some(info),
    };
    let bytes = "12 01 76  18 03  20 04  28 05  30 06  38 07  42 01 65  48 09  50 01
        5a 01 73  60 0c  6a 05 08 01 12 01 74";
    assert_wire(&status, bytes);
}

#[test]
fn hashes_snapshots_and_alarms() {
    let hash = HashKvResponse { header: None, hash: 2, compact_revision: 3, hash_revision: 4 };
    assert_wire(&hash, "10 02  18 03  20 04");
    let version = "v".to_owned();
    let piece = SnapshotResponse { header: None, remaining_bytes: 2, blob: text("b"), version };
    assert_wire(&piece, "10 02  1a 01 62  22 01 76");
    let alarm = AlarmMember { member_id: 1, alarm: AlarmType::Corrupt.into() };
    assert_wire(&alarm, "08 01  10 02");
}

#[test]
fn users_and_permissions() {
    let options = UserAddOptions { no_password: true };
    let add = AuthUserAddRequest {
        name: "n".to_owned(),
        password: "p".to_owned(),
        options: Some(options),
        hashed_password: "h".to_owned(),
    };
    assert_wire(&add, "0a 01 6e  12 01 70  1a 02 08 01  22 01 68");
    let roles = vec!["r".to_owned()];
    let user = User { name: text("n"), password: text("p"), roles, options: Some(options) };
    assert_wire(&user, "0a 01 6e  12 01 70  1a 01 72  22 02 08 01");
    let perm_type = permission::Type::Readwrite.into();
    let permission = Permission { perm_type, key: text("a"), range_end: text("b") };
    assert_wire(&permission, "08 02  12 01 61  1a 01 62");
}

#[test]
fn locks_elections_and_health() {
    assert_wire(&LockRequest { name: text("n"), lease: 2 }, "0a 01 6e  10 02");
    let header = Some(ResponseHeader::default());
    assert_wire(&LockResponse { header, key: text("k") }, "0a 00  12 01 6b");
    let leader = LeaderKey { name: text("n"), key: text("k"), rev: 3, lease: 4 };
    let resign = ResignRequest { leader: Some(leader) };
    assert_wire(&resign, "0a 0a 0a 01 6e  12 01 6b  18 03  20 04");
    assert_wire(&HealthCheckResponse { status: 1 }, "08 01");
}

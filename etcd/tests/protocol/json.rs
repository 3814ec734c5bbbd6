//! JSON as etcd's gateway speaks it: what etcd 3.4 was seen to write and read, but where a test says otherwise.

use std::fmt::Debug;

use archipel_etcd::{
    etcdserverpb::{
        Compare, Member, RangeRequest, RangeResponse, ResponseHeader, TxnRequest, TxnResponse,
        WatchResponse, compare, range_request, request_op,
    },
    mvccpb::{Event, KeyValue, event},
};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

/// Asserts that `message` is written as `json`, and read from it.
fn assert_json<M: Serialize + DeserializeOwned + PartialEq + Debug>(message: &M, json: &str) {
    assert_eq!(serde_json::to_string(message).unwrap(), json);
    assert_eq!(&read::<M>(json), message);
}

fn read<M: DeserializeOwned>(json: &str) -> M {
    serde_json::from_str(json).unwrap()
}

fn range(json: &str) -> RangeRequest {
    read(json)
}

#[test]
fn wide_numbers_are_texts_and_bytes_are_base64() {
    let header = ResponseHeader {
        cluster_id: 17_237_436_991_929_493_444,
        member_id: 9_372_538_179_322_589_801,
        revision: 2,
        raft_term: 2,
    };
    let kv = KeyValue {
        key: Bytes::from_static(b"foo"),
        create_revision: 2,
        mod_revision: 2,
        version: 1,
        value: Bytes::from_static(b"bar"),
        lease: 0,
    };
    let response = RangeResponse { header: Some(header), kvs: vec![kv], more: false, count: 1 };
    let json = concat!(
        r#"{"header":{"cluster_id":"17237436991929493444","member_id":"9372538179322589801","#,
        r#""revision":"2","raft_term":"2"},"kvs":[{"key":"Zm9v","create_revision":"2","#,
        r#""mod_revision":"2","version":"1","value":"YmFy"}],"count":"1"}"#
    );
    assert_json(&response, json);
}

#[test]
fn what_is_zero_is_left_out() {
    assert_json(&RangeResponse::default(), "{}");
    let header = Some(ResponseHeader::default());
    assert_json(&RangeResponse { header, ..RangeResponse::default() }, r#"{"header":{}}"#);
    // A put is the first of the event types.
    let put = Event { kv: Some(KeyValue::default()), ..Event::default() };
    assert_json(&put, r#"{"kv":{}}"#);
}

#[test]
fn names_are_as_in_the_proto_files_even_in_camel_case() {
    let member = Member {
        id: 5,
        name: "n".to_owned(),
        peer_urls: vec!["p".to_owned()],
        client_urls: vec!["c".to_owned()],
        is_learner: true,
    };
    let json = r#"{"ID":"5","name":"n","peerURLs":["p"],"clientURLs":["c"],"isLearner":true}"#;
    assert_json(&member, json);
    let response =
        WatchResponse { watch_id: -1, cancel_reason: "x".to_owned(), ..Default::default() };
    assert_json(&response, r#"{"watch_id":"-1","cancel_reason":"x"}"#);
}

#[test]
fn names_are_read_in_both_cases() {
    let wanted = RangeRequest {
        range_end: Bytes::from_static(b"b"),
        count_only: true,
        ..RangeRequest::default()
    };
    assert_eq!(range(r#"{"range_end":"Yg==","count_only":true}"#), wanted);
    assert_eq!(range(r#"{"rangeEnd":"Yg==","countOnly":true}"#), wanted);
}

#[test]
fn numbers_are_read_as_texts_and_as_numbers() {
    assert_eq!(range(r#"{"limit":"-7"}"#).limit, -7);
    assert_eq!(range(r#"{"limit":-7}"#).limit, -7);
    assert_eq!(range(r#"{"revision":"9223372036854775807"}"#).revision, i64::MAX);
    for wrong in [r#"{"limit":"x"}"#, r#"{"limit":1.0}"#, r#"{"limit":"9223372036854775808"}"#] {
        assert!(serde_json::from_str::<RangeRequest>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn base64_is_read_in_both_alphabets() {
    // etcd 3.4 takes only the first; the JSON form of protobuf allows all of them.
    for key in ["+/8=", "-_8=", "+/8", "-_8"] {
        let request = range(&format!(r#"{{"key":"{key}"}}"#));
        assert_eq!(request.key.as_ref(), [0xfb, 0xff], "{key}");
    }
    assert!(serde_json::from_str::<RangeRequest>(r#"{"key":"?"}"#).is_err());
    assert!(serde_json::from_str::<RangeRequest>(r#"{"key":5}"#).is_err());
}

#[test]
fn unknown_names_are_skipped() {
    assert_eq!(range(r#"{"nothing":[1,{"a":2}],"limit":1}"#).limit, 1);
}

#[test]
fn enums_are_names_and_are_read_as_numbers_too() {
    let sort_order = range_request::SortOrder::Descend.into();
    assert_json(
        &RangeRequest { sort_order, ..RangeRequest::default() },
        r#"{"sort_order":"DESCEND"}"#,
    );
    assert_eq!(range(r#"{"sort_order":2}"#).sort_order, sort_order);
    // A number without a name is refused, by etcd from 3.5 on when it carries the request out.
    for wrong in [r#"{"sort_order":"BOGUS"}"#, r#"{"sort_order":"2"}"#, r#"{"sort_order":77}"#] {
        assert!(serde_json::from_str::<RangeRequest>(wrong).is_err(), "{wrong}");
    }
    let delete = Event { r#type: event::EventType::Delete.into(), ..Event::default() };
    assert_json(&delete, r#"{"type":"DELETE"}"#);
}

#[test]
fn a_choice_stands_in_its_message_even_if_it_is_zero() {
    let compare = Compare {
        result: compare::CompareResult::Greater.into(),
        target: compare::CompareTarget::Create.into(),
        key: Bytes::from_static(b"a"),
        range_end: Bytes::new(),
        target_union: Some(compare::TargetUnion::CreateRevision(0)),
    };
    let json = r#"{"result":"GREATER","target":"CREATE","key":"YQ==","create_revision":"0"}"#;
    assert_json(&compare, json);
}

#[test]
fn a_transaction_and_its_answer() {
    let request: TxnRequest = read(
        r#"{"compare":[{"key":"YQ==","target":"VERSION","version":0}],
            "success":[{"requestPut":{"key":"YQ==","value":"Yg=="}}],
            "failure":[{"request_range":{"key":"YQ=="}},{"request_txn":{}}]}"#,
    );
    assert_eq!(request.compare[0].target_union, Some(compare::TargetUnion::Version(0)));
    assert!(matches!(request.success[0].request, Some(request_op::Request::RequestPut(_))));
    assert!(matches!(request.failure[1].request, Some(request_op::Request::RequestTxn(_))));
    let json = concat!(
        r#"{"succeeded":true,"responses":[{"response_put":{"header":{"revision":"3"}}},"#,
        r#"{"response_delete_range":{"header":{"revision":"3"},"deleted":"1"}}]}"#
    );
    assert_json(&read::<TxnResponse>(json), json);
}

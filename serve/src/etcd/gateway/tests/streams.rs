//! Methods with streams.

use bytes::Bytes;
use etcd::{
    etcdserverpb::{
        LeaseKeepAliveRequest, LeaseKeepAliveResponse, SnapshotResponse, WatchRequest,
        WatchResponse, watch_request::RequestUnion,
    },
    mvccpb::{Event, KeyValue},
};
use hyper::StatusCode;
use prost::Message;
use tonic::Status;

use super::{error, header, post, services::Told};

const HEADER: &str = concat!(
    r#""header":{"cluster_id":"324952591200643719","member_id":"3319814642761637952","#,
    r#""revision":"2","raft_term":"2"}"#
);

fn watch_response() -> WatchResponse {
    WatchResponse { header: header(), ..WatchResponse::default() }
}

/// The requests that came to the services.
fn requests<M: Message + Default>(services: &Told) -> Vec<M> {
    let requests = services.asked().requests.into_iter();
    requests.map(|request| M::decode(request.unwrap().as_slice()).unwrap()).collect()
}

#[tokio::test]
async fn a_watch_as_seen() {
    let kv = KeyValue {
        key: Bytes::from_static(b"foo"),
        create_revision: 2,
        mod_revision: 2,
        version: 1,
        value: Bytes::from_static(b"bar"),
        lease: 0,
    };
    let event = Event { kv: Some(kv), ..Event::default() };
    let services = Told::saying(&WatchResponse { created: true, ..watch_response() })
        .and(&WatchResponse { events: vec![event], ..watch_response() });
    let body = r#"{"create_request":{"key":"Zm9v","start_revision":"1"}}"#;
    let answer = post(&services, "/v3/watch", body).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/json");
    let pair = concat!(
        r#"{"key":"Zm9v","create_revision":"2","mod_revision":"2","#,
        r#""version":"1","value":"YmFy"}"#
    );
    let lines = [
        format!(r#"{{"result":{{{HEADER},"created":true}}}}"#),
        format!(r#"{{"result":{{{HEADER},"events":[{{"kv":{pair}}}]}}}}"#),
    ];
    assert_eq!(answer.body, lines.map(|line| line + "\n").concat());
    let requests = requests::<WatchRequest>(&services);
    let Some(RequestUnion::CreateRequest(create)) = &requests[0].request_union else {
        panic!("{requests:?}");
    };
    assert_eq!((create.key.as_ref(), create.start_revision), (b"foo".as_slice(), 1));
}

#[tokio::test]
async fn many_requests_stand_in_one_body_as_seen() {
    let services = Told::saying(&LeaseKeepAliveResponse { header: header(), id: 5, ttl: 0 })
        .and(&LeaseKeepAliveResponse { header: header(), id: 6, ttl: 60 });
    let answer = post(&services, "/v3/lease/keepalive", r#"{"ID":"5"}{"ID":"6"}"#).await;
    let lines = [
        format!(r#"{{"result":{{{HEADER},"ID":"5"}}}}"#),
        format!(r#"{{"result":{{{HEADER},"ID":"6","TTL":"60"}}}}"#),
    ];
    assert_eq!(answer.body, lines.map(|line| line + "\n").concat());
    let ids: Vec<i64> =
        requests::<LeaseKeepAliveRequest>(&services).iter().map(|request| request.id).collect();
    assert_eq!(ids, [5, 6]);
}

#[tokio::test]
async fn what_follows_a_broken_request_is_not_looked_at_as_seen() {
    let services = Told::default();
    let body = "{\"ID\":\"5\"}\n{\"ID\":{}}\n{\"ID\":\"6\"}\n";
    post(&services, "/v3/lease/keepalive", body).await;
    assert_eq!(requests::<LeaseKeepAliveRequest>(&services).len(), 1);
    // A body with nothing in it is a stream with nothing on it.
    post(&services, "/v3/lease/keepalive", "").await;
    assert_eq!(requests::<LeaseKeepAliveRequest>(&services).len(), 0);
}

#[tokio::test]
async fn a_first_request_that_is_broken_is_a_fault_of_the_server_as_seen() {
    for body in ["{", "[]", r#"{"create_request":{"key":5}}"#] {
        let answer = post(&Told::default(), "/v3/watch", body).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.body.ends_with(r#","code":2,"details":[]}"#), "{}", answer.body);
    }
    // Where the requests are no stream it is the client's, as elsewhere.
    let answer = post(&Told::default(), "/v3/maintenance/snapshot", "{").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let text = "EOF while parsing an object at line 1 column 1";
    assert_eq!(answer.body, error(text, 3));
}

#[tokio::test]
async fn a_stream_that_breaks_says_so_in_its_last_line_as_seen() {
    let services = Told::saying(&WatchResponse { created: true, ..watch_response() })
        .and_break(Status::unavailable("transport is closing"))
        .and(&watch_response());
    let answer = post(&services, "/v3/watch", "{}").await;
    assert_eq!(answer.status, StatusCode::OK);
    let (_, last) = answer.body.split_once('\n').unwrap();
    let wanted = concat!(
        r#"{"error":{"grpc_code":14,"http_code":503,"message":"transport is closing","#,
        r#""http_status":"Service Unavailable","code":14,"details":[]}}"#,
        "\n"
    );
    assert_eq!(last, wanted);
}

#[tokio::test]
async fn a_stream_that_breaks_before_its_first_message_has_its_status_as_seen() {
    let services = Told::refusing(Status::unknown("auth: user name is empty"));
    let answer = post(&services, "/v3/maintenance/snapshot", "{}").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    let wanted = concat!(
        r#"{"error":{"grpc_code":2,"http_code":500,"message":"auth: user name is empty","#,
        r#""http_status":"Internal Server Error","code":2,"details":[]}}"#,
        "\n"
    );
    assert_eq!(answer.body, wanted);
}

#[tokio::test]
async fn a_snapshot_comes_in_pieces() {
    let piece = |blob: &'static [u8], remaining_bytes| SnapshotResponse {
        blob: Bytes::from_static(blob),
        remaining_bytes,
        ..SnapshotResponse::default()
    };
    let services = Told::saying(&piece(b"ab", 1)).and(&piece(b"c", 0));
    let answer = post(&services, "/v3/maintenance/snapshot", "{}").await;
    let wanted = concat!(
        r#"{"result":{"remaining_bytes":"1","blob":"YWI="}}"#,
        "\n",
        r#"{"result":{"blob":"Yw=="}}"#,
        "\n"
    );
    assert_eq!(answer.body, wanted);
}

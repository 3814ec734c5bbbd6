//! The gateway, asked as over HTTP, with services that say what they are told to. Where a test says "seen", etcd
//! 3.4.23 did just that, but for what later versions have more of: some keys in errors, and a line's end after the
//! error of a stream.

mod services;
mod streams;
mod table;

use std::convert::Infallible;

use bytes::Bytes;
use etcd::{
    etcdserverpb::{
        LeaseGrantRequest, RangeRequest, RangeResponse, ResponseHeader, StatusResponse,
    },
    mvccpb::KeyValue,
};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::Frame,
    header::{AUTHORIZATION, HeaderValue},
};
use tonic::{Code, Status};

use super::{answer, is_for};
use services::Told;

/// An answer in whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

async fn send(services: &Told, request: Request<Full<Bytes>>) -> Answer {
    let (head, body) = answer(services, request).await.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Answer { status: head.status, headers: head.headers, body }
}

fn request(method: Method, path: &str, body: &str) -> Request<Full<Bytes>> {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    Request::builder().method(method).uri(path).body(body).unwrap()
}

async fn post(services: &Told, path: &str, body: &str) -> Answer {
    send(services, request(Method::POST, path, body)).await
}

/// The head that etcd gave with what was seen.
fn header() -> Option<ResponseHeader> {
    Some(ResponseHeader {
        cluster_id: 324_952_591_200_643_719,
        member_id: 3_319_814_642_761_637_952,
        revision: 2,
        raft_term: 2,
    })
}

fn error(message: &str, code: u8) -> String {
    format!(r#"{{"error":"{message}","message":"{message}","code":{code},"details":[]}}"#)
}

#[tokio::test]
async fn a_read_as_seen() {
    let kv = KeyValue {
        key: Bytes::from_static(b"foo"),
        create_revision: 2,
        mod_revision: 2,
        version: 1,
        value: Bytes::from_static(b"bar"),
        lease: 0,
    };
    let services =
        Told::saying(&RangeResponse { header: header(), kvs: vec![kv], more: false, count: 1 });
    let answer = post(&services, "/v3/kv/range", r#"{"key":"Zm9v"}"#).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.body,
        concat!(
            r#"{"header":{"cluster_id":"324952591200643719","member_id":"3319814642761637952","#,
            r#""revision":"2","raft_term":"2"},"kvs":[{"key":"Zm9v","create_revision":"2","#,
            r#""mod_revision":"2","version":"1","value":"YmFy"}],"count":"1"}"#
        )
    );
    assert_eq!(services.request::<RangeRequest>().key, b"foo".as_slice());
}

#[tokio::test]
async fn headers_as_seen() {
    let answer =
        post(&Told::saying(&StatusResponse::default()), "/v3/maintenance/status", "").await;
    assert_eq!(answer.body, "{}");
    let refused = post(&Told::default(), "/v3/maintenance/status", "").await;
    let unknown = post(&Told::default(), "/v3/nothing", "").await;
    for (answer, content) in [
        (&answer, "application/json"),
        (&refused, "application/json"),
        (&unknown, "text/plain; charset=utf-8"),
    ] {
        assert_eq!(answer.headers["content-type"], content);
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        let headers = "accept, content-type, authorization";
        assert_eq!(answer.headers["access-control-allow-headers"], headers);
        let methods = "POST, GET, OPTIONS, PUT, DELETE";
        assert_eq!(answer.headers["access-control-allow-methods"], methods);
    }
}

#[tokio::test]
async fn refusals_as_seen() {
    for (code, text, status) in [
        (Code::InvalidArgument, "etcdserver: key is not provided", 400),
        (Code::OutOfRange, "etcdserver: mvcc: required revision is a future revision", 400),
        (Code::NotFound, "etcdserver: requested lease not found", 404),
        (Code::FailedPrecondition, "etcdserver: lease already exists", 412),
        (Code::Unauthenticated, "etcdserver: invalid auth token", 401),
        (Code::PermissionDenied, "etcdserver: permission denied", 403),
        (Code::Unknown, "election: no leader", 500),
        (Code::Unavailable, "transport is closing", 503),
        (Code::DeadlineExceeded, "context deadline exceeded", 504),
    ] {
        let services = Told::refusing(Status::new(code, text));
        let answer = post(&services, "/v3/kv/range", "{}").await;
        assert_eq!(answer.status, status, "{text}");
        assert_eq!(answer.body, error(text, code as u8));
    }
}

#[tokio::test]
async fn a_message_over_two_mebibytes_is_refused_as_seen() {
    // A key of 2,700,000 zeros.
    let body = format!(r#"{{"key":"{}"}}"#, "AAAA".repeat(900_000));
    let answer = post(&Told::default(), "/v3/kv/put", &body).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let text = "grpc: received message larger than max (2700005 vs. 2097152)";
    assert_eq!(answer.body, error(text, 8));
}

#[tokio::test]
async fn a_body_without_end_is_refused() {
    let piece = || Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b' '; 1 << 20])));
    let body = StreamBody::new(tokio_stream::iter(std::iter::repeat_with(piece)));
    let request = Request::post("/v3/kv/put").body(body).unwrap();
    let answered = answer(&Told::default(), request).await;
    assert_eq!(answered.status(), StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn only_post_asks_a_method_as_seen() {
    for method in [Method::GET, Method::PUT, Method::HEAD] {
        let answer = send(&Told::default(), request(method, "/v3/kv/range", "")).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.body, "Method Not Allowed\n");
    }
    let answer = send(&Told::default(), request(Method::OPTIONS, "/v3/kv/range", "")).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, ""));
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn an_unknown_path_is_not_found_as_seen() {
    for path in ["/v3/nothing", "/v3/kv/range/", "/v3/", "/v3/kv/Range"] {
        let answer = post(&Told::default(), path, "{}").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.body, "Not Found\n");
    }
    let answer = send(&Told::default(), request(Method::GET, "/v3/nothing", "")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[test]
fn other_paths_are_for_others() {
    assert!(is_for("/v3/kv/range") && is_for("/v3/nothing"));
    assert!(!is_for("/v3") && !is_for("/version") && !is_for("/kv/v3/"));
}

#[test]
fn an_answer_can_be_waited_for_on_any_thread_and_is_small() {
    fn is_send(_: &impl Send) {}
    let services = Told::default();
    let answer = answer(&services, request(Method::POST, "/v3/kv/range", ""));
    is_send(&answer);
    let bytes = size_of_val(&answer);
    assert!(bytes <= 4096, "a connection has room for an answer under way: {bytes} bytes");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_bad_argument() {
    for body in [
        "{",
        "[]",
        "5",
        r#"{"key":5}"#,
        r#"{"limit":"x"}"#,
        r#"{"limit":1.0}"#,
        r#"{"sort_order":"BOGUS"}"#,
        r#"{"sort_order":"2"}"#,
        "\u{fffd}",
    ] {
        let answer = post(&Told::default(), "/v3/kv/range", body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {}", answer.body);
        // The texts are not those of etcd.
        assert!(answer.body.ends_with(r#","code":3,"details":[]}"#), "{}", answer.body);
    }
}

#[tokio::test]
async fn what_is_read_as_seen() {
    let read = async |body: &str| {
        let services = Told::default();
        post(&services, "/v3/kv/range", body).await;
        services.request::<RangeRequest>()
    };
    // Nothing and null are a request with nothing set.
    assert_eq!(read("").await, RangeRequest::default());
    assert_eq!(read("null").await, RangeRequest::default());
    assert_eq!(read(r#"{"key":null,"limit":null}"#).await, RangeRequest::default());
    // What follows the first object is not looked at.
    assert_eq!(read(r#"{"limit":"5"} trailing"#).await.limit, 5);
    // The last of two fields of one name counts.
    assert_eq!(read(r#"{"limit":1,"limit":2}"#).await.limit, 2);
    assert!(read(r#"{"keysOnly":true,"unknown":[1,{}]}"#).await.keys_only);
    assert_eq!(read(r#"{"revision":"-1"}"#).await.revision, -1);
}

#[tokio::test]
async fn numbers_are_read_in_both_forms_as_seen() {
    for body in [r#"{"TTL":60,"ID":123}"#, r#"{"TTL":"60","ID":"123"}"#] {
        let services = Told::default();
        post(&services, "/v3/lease/grant", body).await;
        assert_eq!(services.request::<LeaseGrantRequest>(), LeaseGrantRequest { ttl: 60, id: 123 });
    }
}

#[tokio::test]
async fn a_client_says_who_it_is_by_authorization() {
    let asked = async |headers: &[(&'static str, &'static str)]| {
        let services = Told::default();
        let mut request = request(Method::POST, "/v3/kv/range", "{}");
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        send(&services, request).await;
        services.asked().metadata
    };
    // Just as it is: seen, a word before the token is taken for a part of it.
    assert_eq!(asked(&[(AUTHORIZATION.as_str(), "abc.5")]).await.get("token").unwrap(), "abc.5");
    // Seen, too: any metadata, by name.
    let metadata =
        asked(&[("Grpc-Metadata-Token", "abc.5"), ("grpc-metadata-hasleader", "true")]).await;
    assert_eq!(metadata.get("token").unwrap(), "abc.5");
    assert_eq!(metadata.get("hasleader").unwrap(), "true");
    assert!(asked(&[("token", "abc.5"), ("accept", "*/*")]).await.is_empty());
}

//! What clients do wrong is answered with a clear JSON error, and nothing is lost by it.

use std::{
    io::{BufReader, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    client::{Answer, read_answer},
    cluster::{Cluster, Turn},
};

const KEY_BYTES_MAX: usize = 4096;
const VALUE_BYTES_MAX: usize = 1 << 20;

#[test]
fn wrong_bodies_are_refused_with_a_reason() {
    let cluster = Cluster::start("bodies", 3);
    let mut client = cluster.client(1);
    assert_eq!(client.put("a", "1").unwrap().status, 200);
    let nested = "[".repeat(100_000);
    let cases: &[(&[u8], &str)] = &[
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"key=a&value=2", "not_json"),
        (b"[]", "not_json"),
        (b"\"a\"", "not_json"),
        (b"{\"key\": \"\xff\", \"value\": \"2\"}", "not_json"),
        (nested.as_bytes(), "not_json"),
        (br#"{"value": "2"}"#, "bad_key"),
        (br#"{"key": "", "value": "2"}"#, "bad_key"),
        (br#"{"key": null, "value": "2"}"#, "bad_key"),
        (br#"{"key": 5, "value": "2"}"#, "bad_key"),
        (br#"{"key": "a"}"#, "bad_value"),
        (br#"{"key": "a", "value": null}"#, "bad_value"),
        (br#"{"key": "a", "value": 2}"#, "bad_value"),
        (br#"{"key": "a", "value": {}}"#, "bad_value"),
        (br#"{"key": "a", "value": "2", "expct": "1"}"#, "bad_field"),
        (br#"{"key": "a", "value": "2", "expect": 1}"#, "bad_expect"),
        (br#"{"key": "a", "value": "2", "expect": {"revision": -1}}"#, "bad_expect"),
    ];
    for (body, code) in cases {
        let answer = client.ask("POST", "/kv", &[], body).unwrap();
        assert_eq!(answer.error(), (400, (*code).to_owned()), "{}", shown(body));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    let only = cluster.wait_until_same();
    assert_eq!(json!(only), json!({ "a": "1" }), "nothing was written");
}

#[test]
fn keys_and_values_have_limits() {
    let cluster = Cluster::start("limits", 3);
    let mut client = cluster.client(2);
    let longest_key = "k".repeat(KEY_BYTES_MAX);
    let longest_value = "v".repeat(VALUE_BYTES_MAX);
    assert_eq!(client.put(&longest_key, &longest_value).unwrap().status, 200);
    let read = client.get(&format!("/kv/{longest_key}")).unwrap();
    assert_eq!(read.json()["value"].as_str().map(str::len), Some(VALUE_BYTES_MAX));

    let too_long = client.put(&format!("{longest_key}k"), "1").unwrap();
    assert_eq!(too_long.error(), (413, "key_too_large".to_owned()));
    assert_eq!(too_long.json()["limitBytes"], KEY_BYTES_MAX);
    let too_large = client.put("a", &format!("{longest_value}v")).unwrap();
    assert_eq!(too_large.error(), (413, "value_too_large".to_owned()));
    assert_eq!(too_large.json()["limitBytes"], VALUE_BYTES_MAX);
    let far_too_large = client.put("a", &"v".repeat(20 * VALUE_BYTES_MAX)).unwrap();
    assert_eq!(far_too_large.error(), (413, "body_too_large".to_owned()));
    let too_long = client.get(&format!("/kv/{longest_key}k")).unwrap();
    assert_eq!(too_long.status, 413, "{}", too_long.text());
    assert_eq!(client.get("/kv/a").unwrap().status, 404);
}

#[test]
fn unknown_routes_methods_and_parameters_are_refused() {
    let cluster = Cluster::start("routes", 1);
    let mut client = cluster.client(0);
    let mut ask = |method: &str, path: &str| {
        let answer = client.ask(method, path, &[], b"").unwrap();
        let allow = answer.header("allow").map(str::to_owned);
        (answer.error(), allow)
    };
    for path in ["/nothing", "/kv2", "/debug/", "/raft/request-vote"] {
        assert_eq!(ask("GET", path), ((404, "no_such_route".to_owned()), None), "{path}");
    }
    for (method, path, allow) in [
        ("PUT", "/kv", "GET, HEAD, POST"),
        ("DELETE", "/kv", "GET, HEAD, POST"),
        ("POST", "/kv/a", "GET, HEAD, DELETE"),
        ("PATCH", "/kv/a", "GET, HEAD, DELETE"),
        ("POST", "/debug", "GET, HEAD"),
        ("GET", "/leader/transfer", "POST"),
        ("NONSENSE", "/status", "GET, HEAD"),
    ] {
        let expected = ((405, "method_not_allowed".to_owned()), Some(allow.to_owned()));
        assert_eq!(ask(method, path), expected, "{method} {path}");
    }
    for (path, code) in [
        ("/kv/", "bad_key"),
        ("/kv/%ff", "bad_path"),
        ("/kv/a?consistency=eventual", "bad_query"),
        ("/kv/a?consistnecy=stale", "bad_query"),
        ("/kv?limit=0", "bad_query"),
        ("/kv?limit=many", "bad_query"),
        ("/kv?limit=1000000", "bad_query"),
    ] {
        assert_eq!(ask("GET", path), ((400, code.to_owned()), None), "{path}");
    }
    assert_eq!(ask("DELETE", "/members/nobody").0, (404, "no_such_member".to_owned()));
}

#[test]
fn a_session_needs_both_of_its_headers() {
    let cluster = Cluster::start("headers", 1);
    let mut client = cluster.client(0);
    let body = json!({ "key": "a", "value": "1" }).to_string();
    for headers in [
        &[("X-Client-Id", "a")][..],
        &[("X-Serial", "1")],
        &[("X-Client-Id", ""), ("X-Serial", "1")],
        &[("X-Client-Id", "a"), ("X-Serial", "one")],
        &[("X-Client-Id", "a"), ("X-Serial", "-1")],
    ] {
        let answer = client.ask("POST", "/kv", headers, body.as_bytes()).unwrap();
        assert_eq!(answer.error(), (400, "bad_header".to_owned()), "{headers:?}");
    }
    assert_eq!(client.get("/kv/a").unwrap().status, 404, "nothing was written");
}

#[test]
fn what_is_no_http_does_no_harm() {
    let cluster = Cluster::start("noise", 1);
    for noise in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"GET\r\n\r\n", b"\r\n\r\n\r\n\0\0"]
    {
        let mut stream = connect(&cluster);
        stream.write_all(noise).unwrap();
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let is_refused = answer.is_empty() || answer.starts_with(b"HTTP/1.1 400");
        assert!(is_refused, "{}", shown(&answer));
    }
    let mut stream = connect(&cluster);
    let endless = format!("GET / HTTP/1.1\r\nX-Long: {}", "x".repeat(1 << 20));
    let _ = stream.write_all(endless.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", shown(&answer));
    assert_eq!(cluster.client(0).put("a", "1").unwrap().status, 200);
}

#[test]
fn a_slow_client_is_told_so_and_holds_nobody_up() {
    let patience = Duration::from_secs(1);
    let mut cluster = Cluster::new("slow", 1, Turn::shared());
    cluster.add_options(&["--client-timeout-ms", "1000"]);
    cluster.start_all();
    let mut half_head = connect(&cluster);
    half_head.write_all(b"POST /kv HTTP/1.1\r\nHost: arch").unwrap();
    let mut half_body = connect(&cluster);
    half_body
        .write_all(b"POST /kv HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n{\"key\"")
        .unwrap();
    let mut silent = connect(&cluster);

    let start = Instant::now();
    assert_eq!(cluster.client(0).put("a", "1").unwrap().status, 200);
    assert!(start.elapsed() < patience, "others do not wait");
    for stream in [half_head, half_body] {
        let answer = last_answer(stream);
        assert_eq!(answer.error(), (408, "too_slow".to_owned()));
    }
    assert_eq!(silent.read(&mut [0]).unwrap(), 0, "nobody waits for ever for a silent client");
    assert!(start.elapsed() < patience * 5);
    assert_eq!(cluster.client(0).copy().map(|pairs| pairs.len()), Some(1));
}

fn connect(cluster: &Cluster) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", cluster.nodes[0].client_port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// The answer after which the node closes the connection.
fn last_answer(stream: TcpStream) -> Answer {
    let mut stream = BufReader::new(stream);
    let answer = read_answer(&mut stream, false).unwrap();
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    answer
}

/// The beginning of some bytes, for people.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}

//! What clients may send, and what they must not: each mistake has its clear answer, and nothing is lost.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::{
    cluster::{Folder, Up, free_ports, turn, until},
    http::{delete, get, post, raw, send},
};

#[test]
fn every_mistake_has_a_clear_answer() {
    let _turn = turn();
    let (folder, port) = (Folder::new("mistakes"), free_ports());
    let _up = Up::start(folder.path(), port, 1, &[]);
    let long_key = "k".repeat(4097);
    let long_value = format!(r#"{{"key":"a","value":"{}"}}"#, "v".repeat((1 << 20) + 1));
    let huge = format!(r#"{{"key":"a","value":"{}"}}"#, "v".repeat(8 << 20));
    let long_put = format!(r#"{{"key":"{long_key}","value":"v"}}"#);
    let long_get = format!("/kv/{long_key}");
    let cases = [
        ("POST", "/kv", "", 400, "not_json"),
        ("POST", "/kv", "{", 400, "not_json"),
        ("POST", "/kv", "[]", 400, "not_json"),
        ("POST", "/kv", "{}", 400, "bad_key"),
        ("POST", "/kv", r#"{"value":"v"}"#, 400, "bad_key"),
        ("POST", "/kv", r#"{"key":"","value":"v"}"#, 400, "bad_key"),
        ("POST", "/kv", r#"{"key":7,"value":"v"}"#, 400, "bad_key"),
        ("POST", "/kv", r#"{"key":"a"}"#, 400, "bad_value"),
        ("POST", "/kv", r#"{"key":"a","value":{}}"#, 400, "bad_value"),
        ("POST", "/kv", r#"{"key":"a","value":"v","expected":"x"}"#, 400, "bad_field"),
        ("POST", "/kv", r#"{"key":"a","value":"v","expect":7}"#, 400, "bad_expect"),
        ("POST", "/kv", &long_put, 413, "key_too_large"),
        ("POST", "/kv", &long_value, 413, "value_too_large"),
        ("POST", "/kv", &huge, 413, "body_too_large"),
        ("GET", &long_get, "", 413, "key_too_large"),
        ("GET", "/kv/", "", 400, "bad_key"),
        ("GET", "/kv/%ff", "", 400, "bad_path"),
        ("GET", "/kv/a", "", 404, "not_found"),
        ("GET", "/kv/a?consistency=eventual", "", 400, "bad_query"),
        ("GET", "/kv?limit=0", "", 400, "bad_query"),
        ("GET", "/kv?size=1", "", 400, "bad_query"),
        ("GET", "/nothing", "", 404, "no_such_route"),
        ("PUT", "/kv", "{}", 405, "method_not_allowed"),
        ("POST", "/kv/a", "{}", 405, "method_not_allowed"),
        ("DELETE", "/debug", "", 405, "method_not_allowed"),
        ("DELETE", "/members/nobody", "", 404, "no_such_member"),
        ("POST", "/members", r#"{"name":"x"}"#, 400, "bad_member"),
    ];
    for (method, path, body, status, code) in cases {
        let answer = send(port, method, path, "", body);
        let start: String = path.chars().take(40).collect();
        assert_eq!((answer.status, answer.code()), (status, code), "{method} {start}");
        let sentence = answer.body["error"].as_str().unwrap();
        assert!(sentence.ends_with('.') || sentence.ends_with('?'), "{sentence}");
    }
    let allow = send(port, "PUT", "/kv", "", "{}");
    assert_eq!(allow.header("allow"), Some("get, head, post"));
    assert_eq!(get(port, "/kv").body["items"].as_array().map(Vec::len), Some(0));
    assert!(raw(port, b"this is not HTTP\r\n\r\n").is_none_or(|answer| answer.status == 400));
}

#[test]
fn a_careful_write_happens_only_if_what_it_expects_holds() {
    let _turn = turn();
    let (folder, port) = (Folder::new("careful"), free_ports());
    let _up = Up::start(folder.path(), port, 1, &[]);
    let put = |body: &str| post(port, "/kv", body).status;
    assert_eq!(put(r#"{"key":"a","value":"1","expect":null}"#), 200);
    assert_eq!(put(r#"{"key":"a","value":"2","expect":null}"#), 409);
    assert_eq!(put(r#"{"key":"a","value":"2","expect":"1"}"#), 200);
    assert_eq!(put(r#"{"key":"a","value":"3","expect":{"revision":2}}"#), 409);
    let mismatch = post(port, "/kv", r#"{"key":"a","value":"3","expect":"1"}"#);
    assert_eq!((mismatch.code(), mismatch.header("x-revision")), ("mismatch", Some("3")));
    assert_eq!(get(port, "/kv/a").body["value"], "2");
}

#[test]
fn a_repeat_with_the_same_serial_takes_effect_once() {
    let _turn = turn();
    let (folder, port) = (Folder::new("serial"), free_ports());
    let up = Up::start(folder.path(), port, 3, &[]);
    let session = "x-client-id: test\r\nx-serial: 1\r\n";
    let body = r#"{"key":"a","value":"1"}"#;
    let first = send(port, "POST", "/kv", session, body);
    post(port, "/kv", r#"{"key":"a","value":"2"}"#);
    for port in up.ports() {
        let again = send(port, "POST", "/kv", session, body);
        assert_eq!(again.header("x-revision"), first.header("x-revision"));
    }
    assert_eq!(get(port, "/kv/a").body["value"], "2");
    assert_eq!(send(port, "POST", "/kv", "x-serial: 1\r\n", body).code(), "bad_header");
}

#[test]
fn keys_may_be_any_text_and_are_listed_in_order() {
    let _turn = turn();
    let (folder, port) = (Folder::new("keys"), free_ports());
    let _up = Up::start(folder.path(), port, 1, &[]);
    for key in ["b/2", "b/1", "clé", "a b", "100%"] {
        let body = serde_json::json!({ "key": key, "value": key }).to_string();
        assert_eq!(post(port, "/kv", &body).status, 200);
    }
    assert_eq!(get(port, "/kv/cl%C3%A9").body["value"], "clé");
    assert_eq!(get(port, "/kv/100%25").body["key"], "100%");
    assert_eq!(get(port, "/kv/b%2F1").body["value"], "b/1");
    let keys = |path: &str| {
        let page = get(port, path).body;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let keys: Vec<String> =
            items.iter().map(|item| item["key"].as_str().unwrap().to_owned()).collect();
        (keys, page["after"].as_str().map(str::to_owned))
    };
    assert_eq!(keys("/kv").0, ["100%", "a b", "b/1", "b/2", "clé"]);
    assert_eq!(keys("/kv?prefix=b/").0, ["b/1", "b/2"]);
    let (first, after) = keys("/kv?limit=2");
    assert_eq!((first.len(), after.as_deref()), (2, Some("a b")));
    assert_eq!(keys("/kv?limit=2&after=a+b").0, ["b/1", "b/2"]);
    assert_eq!(delete(port, "/kv/a%20b").body["deleted"], true);
}

#[test]
fn a_client_that_is_too_slow_is_let_go() {
    let _turn = turn();
    let (folder, port) = (Folder::new("slow"), free_ports());
    let _up = Up::start(folder.path(), port, 1, &["--client-timeout-ms", "400"]);
    for start in
        ["GET /kv/a HTT", "POST /kv HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{\"key\""]
    {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.write_all(start.as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("too_slow"), "{answer}");
    }
}

#[test]
fn a_client_that_takes_no_answer_does_not_keep_it_in_memory() {
    let _turn = turn();
    let (folder, port) = (Folder::new("deaf"), free_ports());
    let _up = Up::start(folder.path(), port, 1, &["--client-timeout-ms", "400"]);
    // Six bytes of JSON for each: more than the system takes for a client that does not read.
    let value = "\u{1}".repeat(1 << 20);
    let body = serde_json::json!({ "key": "a", "value": value }).to_string();
    assert_eq!(post(port, "/kv", &body).status, 200);
    let connections = || {
        let page = raw(port, b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        page.is_some_and(|page| page.text.contains("archipel_http_connections 1\n"))
    };
    let mut deaf = TcpStream::connect(("127.0.0.1", port)).unwrap();
    deaf.write_all(&b"GET /kv/a HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3)).unwrap();
    until("the connection is there", || (!connections()).then_some(()));
    until("the connection is given up", || connections().then_some(()));
    drop(deaf);
}

#[test]
fn without_a_majority_writes_and_reads_are_refused_in_time() {
    let _turn = turn();
    let (folder, port) = (Folder::new("minority"), free_ports());
    let up = Up::start(folder.path(), port, 3, &["--request-timeout-ms", "1000"]);
    post(port, "/kv", r#"{"key":"a","value":"1"}"#);
    let processes: Vec<u64> = up
        .ports()
        .skip(1)
        .map(|port| crate::cluster::status(port)["node"]["processId"].as_u64().unwrap())
        .collect();
    for process in &processes {
        crate::cluster::signal("-STOP", *process);
    }
    let start = Instant::now();
    let write = post(port, "/kv", r#"{"key":"a","value":"2"}"#);
    let read = get(port, "/kv/a");
    let elapsed = start.elapsed();
    let stale = get(port, "/kv/a?consistency=stale");
    let ready = get(port, "/ready");
    for process in &processes {
        crate::cluster::signal("-CONT", *process);
    }
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    assert!(matches!(write.status, 503 | 504), "{write:?}");
    assert_eq!((read.status, read.header("retry-after")), (503, Some("1")), "{read:?}");
    assert_eq!(stale.body["value"], "1");
    assert_eq!(ready.status, 503);
}

#[test]
fn a_thousand_silent_connections_disturb_nobody() {
    let _turn = turn();
    let (folder, port) = (Folder::new("silent"), free_ports());
    let _up = Up::start(folder.path(), port, 1, &["--connections-max", "900"]);
    let put = || assert_eq!(post(port, "/kv", r#"{"key":"a","value":"1"}"#).status, 200);
    put();
    let before = memory_kib(port);
    let silent: Vec<TcpStream> =
        (0..800).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    put();
    let each = memory_kib(port).saturating_sub(before) / 800;
    assert!(each < 5, "a silent connection takes {each} KiB");
    let more: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    let turned_away = get(port, "/health");
    assert_eq!((turned_away.status, turned_away.code()), (503, "too_many_connections"));
    drop((silent, more));
}

/// How much memory the node's process has in use.
fn memory_kib(port: u16) -> u64 {
    let process = &crate::cluster::status(port)["node"]["processId"];
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))
        .expect("a node that answers is a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).expect("the system says how much memory it has")
}

#[test]
fn the_pages_for_operators_are_there() {
    let _turn = turn();
    let (folder, port) = (Folder::new("pages"), free_ports());
    let _up = Up::start(folder.path(), port, 1, &[]);
    assert_eq!(get(port, "/health").body["healthy"], true);
    assert_eq!(get(port, "/ready").body["ready"], true);
    assert_eq!(get(port, "/status").body["role"], "leader");
    assert!(get(port, "/").body["routes"].as_array().is_some());
    let metrics = get(port, "/metrics");
    assert_eq!((metrics.status, metrics.header("content-type").is_some()), (200, true));
}

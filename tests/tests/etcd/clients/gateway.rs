//! The JSON gateway and the plain pages beside gRPC, over HTTP/1.1 on the same port.

use archipel_tests::is_installed;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::{Value, json};

use crate::servers::{Cluster, Program};

/// A fresh cluster of one; nothing if its program is not installed.
fn start() -> Option<Cluster> {
    let program = Program::under_test();
    (program != Program::Etcd || is_installed("etcd")).then(|| Cluster::start_and_elect(program, 1))
}

/// What a server answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Asks, and reads what comes until the server closes the connection.
fn ask(cluster: &Cluster, method: &str, path: &str, body: &str) -> Answer {
    let mut answer = send(cluster, method, path, body);
    let (status, is_chunked) = read_head(&mut answer);
    let mut body = String::new();
    answer.read_to_string(&mut body).unwrap();
    Answer { status, body: if is_chunked { without_chunks(&body) } else { body } }
}

fn send(cluster: &Cluster, method: &str, path: &str, body: &str) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", cluster.members[0].client_port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    BufReader::new(stream)
}

/// The status, and whether the body comes in chunks.
fn read_head(answer: &mut BufReader<TcpStream>) -> (u16, bool) {
    let lines: Vec<String> =
        answer.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
    let is_chunked = |line: &String| line.to_lowercase() == "transfer-encoding: chunked";
    (status, lines.iter().any(is_chunked))
}

fn without_chunks(body: &str) -> String {
    let mut rest = body;
    let mut text = String::new();
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        text.push_str(&after[..length]);
        rest = &after[(length + 2).min(after.len())..];
        if length == 0 {
            break;
        }
    }
    text
}

fn post(cluster: &Cluster, path: &str, body: &Value) -> Value {
    let answer = ask(cluster, "POST", path, &body.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut said = answer.json();
    if let Some(message) = said.as_object_mut() {
        message.shift_remove("header");
    }
    said
}

#[test]
fn keys_are_base64_and_wide_numbers_are_texts() {
    let Some(cluster) = start() else { return };
    assert_eq!(post(&cluster, "/v3/kv/put", &json!({"key": "YQ==", "value": "MQ=="})), json!({}));
    let found = post(&cluster, "/v3/kv/range", &json!({"key": "YQ=="}));
    let kv = json!({
        "key": "YQ==", "create_revision": "2", "mod_revision": "2", "version": "1", "value": "MQ=="
    });
    assert_eq!(found, json!({"kvs": [kv], "count": "1"}));
    let camel = json!({"key": "YQ==", "rangeEnd": "Yg==", "limit": "5", "unknown": 1});
    assert_eq!(post(&cluster, "/v3/kv/range", &camel)["count"], "1");
    let txn = json!({
        "compare": [{"key": "YQ==", "target": "VERSION", "result": "EQUAL", "version": 1}],
        "success": [{"request_delete_range": {"key": "YQ=="}}],
        "failure": [],
    });
    let done = post(&cluster, "/v3/kv/txn", &txn);
    assert_eq!(done["succeeded"], true);
    assert_eq!(done["responses"][0]["response_delete_range"]["deleted"], "1");
    assert_eq!(post(&cluster, "/v3/kv/range", &json!({"key": "YQ=="})), json!({}));
    assert_eq!(post(&cluster, "/v3/kv/compaction", &json!({"revision": "3"})), json!({}));
}

#[test]
fn leases_are_granted_kept_and_revoked() {
    let Some(cluster) = start() else { return };
    let granted = post(&cluster, "/v3/lease/grant", &json!({"TTL": "100", "ID": 7}));
    assert_eq!(granted, json!({"ID": "7", "TTL": "100"}));
    let kept = post(&cluster, "/v3/lease/keepalive", &json!({"ID": "7"}));
    assert_eq!((&kept["result"]["ID"], &kept["result"]["TTL"]), (&json!("7"), &json!("100")));
    for prefix in ["/v3/lease", "/v3/kv/lease"] {
        let left = post(&cluster, &format!("{prefix}/timetolive"), &json!({"ID": "7"}));
        assert_eq!(left["grantedTTL"], "100", "{left}");
        let all = post(&cluster, &format!("{prefix}/leases"), &json!({}));
        assert_eq!(all, json!({"leases": [{"ID": "7"}]}));
    }
    assert_eq!(post(&cluster, "/v3/lease/revoke", &json!({"ID": "7"})), json!({}));
    let answer = ask(&cluster, "POST", "/v3/kv/lease/revoke", r#"{"ID": "7"}"#);
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["message"], "etcdserver: requested lease not found");
    assert_eq!(answer.json()["code"], 5);
}

#[test]
fn errors_have_a_status_a_code_and_etcds_text() {
    let Some(cluster) = start() else { return };
    for (path, body, status, message) in [
        ("/v3/kv/put", "{}", 400, "etcdserver: key is not provided"),
        (
            "/v3/kv/range",
            r#"{"key":"YQ==","revision":"99"}"#,
            400,
            "etcdserver: mvcc: required revision is a future revision",
        ),
        ("/v3/lease/grant", r#"{"TTL":"9000000001"}"#, 400, "etcdserver: too large lease TTL"),
    ] {
        let answer = ask(&cluster, "POST", path, body);
        assert_eq!((answer.status, &answer.json()["error"]), (status, &json!(message)), "{path}");
    }
    assert_eq!(ask(&cluster, "GET", "/v3/kv/range", "").status, 405);
    assert_eq!(ask(&cluster, "POST", "/v3/nothing", "{}").status, 404);
}

#[test]
fn a_watch_is_a_stream_of_results() {
    let Some(cluster) = start() else { return };
    post(&cluster, "/v3/kv/put", &json!({"key": "YQ==", "value": "MQ=="}));
    let create = json!({"create_request": {"key": "YQ==", "start_revision": 2}}).to_string();
    let mut answer = send(&cluster, "POST", "/v3/watch", &create);
    assert_eq!(read_head(&mut answer), (200, true));
    let mut results = answer
        .lines()
        .map(Result::unwrap)
        .filter_map(|line| serde_json::from_str::<Value>(&line).ok().filter(Value::is_object));
    assert_eq!(results.next().unwrap()["result"]["created"], true);
    let event = results.next().unwrap();
    assert_eq!(event["result"]["events"][0]["kv"]["value"], "MQ==", "{event}");
}

#[test]
fn the_cluster_and_the_member_say_what_they_are() {
    let Some(cluster) = start() else { return };
    let members = post(&cluster, "/v3/cluster/member/list", &json!({}));
    assert_eq!(members["members"][0]["name"], "member1", "{members}");
    assert_eq!(members["members"][0]["clientURLs"][0], cluster.addresses()[0], "{members}");
    let status = post(&cluster, "/v3/maintenance/status", &json!({}));
    assert!(status["version"].is_string() && status["dbSize"].is_string(), "{status}");
    let version = ask(&cluster, "GET", "/version", "").json();
    assert!(version["etcdserver"].is_string() && version["etcdcluster"].is_string(), "{version}");
    assert_eq!(ask(&cluster, "GET", "/health", "").json()["health"], "true");
    let metrics = ask(&cluster, "GET", "/metrics", "").body;
    for name in [
        "etcd_server_has_leader",
        "etcd_server_is_leader",
        "etcd_server_leader_changes_seen_total",
        "etcd_server_proposals_committed_total",
        "etcd_server_proposals_applied_total",
        "etcd_server_proposals_pending",
        "etcd_server_proposals_failed_total",
        "etcd_mvcc_db_total_size_in_bytes",
        "etcd_disk_wal_fsync_duration_seconds",
        "etcd_disk_backend_commit_duration_seconds",
        "process_resident_memory_bytes",
    ] {
        assert!(metrics.contains(&format!("\n{name}")), "{name} is not among the metrics");
    }
}

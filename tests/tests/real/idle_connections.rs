//! Thousands of connections that say nothing do not keep anybody from being served.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{
    cluster::{Cluster, wait_for},
    report::report,
};

/// How many connections there shall be.
const WANTED: u64 = 10_000;
/// Files that this process, and a node, need besides.
const BESIDES: u64 = 600;

#[test]
fn ten_thousand_idle_connections_are_open_while_the_cluster_serves() {
    let count = allowed();
    let cluster = Cluster::start_with_options("idle", 3, &["--client-timeout-ms", "120000"]);
    let port = cluster.nodes[0].client_port;
    let idle: Vec<TcpStream> = (0..count)
        .map(|_| TcpStream::connect(("127.0.0.1", port)).expect("there is room for one more"))
        .collect();
    wait_for("all connections to be accepted", || (connections(&cluster) >= count).then_some(()));
    let start = Instant::now();
    for number in 0..30 {
        let key = format!("key{number}");
        assert_eq!(cluster.client(number % 3).put(&key, "1").unwrap().status, 200);
        let read = cluster.client((number + 1) % 3).get(&format!("/kv/{key}")).unwrap();
        assert_eq!(read.json()["value"], "1");
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(10), "sixty requests took {took:?}");
    assert!(connections(&cluster) >= count, "the connections are still open");
    report(&format!("{count} idle connections: sixty requests took {} ms", took.as_millis()));
    drop(idle);
}

fn connections(cluster: &Cluster) -> u64 {
    let page = cluster.client(0).get("/metrics").unwrap().text();
    let line = page.lines().find_map(|line| line.strip_prefix("archipel_http_connections "));
    line.expect("the page has this number").parse().expect("it is a number")
}

/// As many as wanted, or as many as this machine lets a process have.
fn allowed() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = WANTED + BESIDES;
    let possible = limit.maximum.unwrap_or(u64::MAX).min(wanted);
    if limit.current.is_some_and(|current| current < possible) {
        let raised = Rlimit { current: Some(possible), maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).expect("a limit may be raised up to the hard limit");
    }
    let count = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX).saturating_sub(BESIDES);
    if count < WANTED {
        report(&format!("only {count} idle connections: the limit of open files allows no more"));
    }
    count.min(WANTED)
}

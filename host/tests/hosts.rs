//! Whole hosts with a trivial node: what was answered is there after every kind of end.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

mod echo;
mod failing_disk;
mod last_inputs;

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use archipel_host::{
    Begin, Handle, HostConfig, Limits, LinkState, Notify, RequestError, Running, StartError, start,
};
use echo::{Echo, EchoMachine, Request, written};
use kernel::{Bytes, ClusterId, Member, Membership, NodeId, Refusal};
use tokio::runtime::Runtime;

const CLUSTER: ClusterId = ClusterId(7);

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    path
}

/// An address that was free a moment ago.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn members(addresses: &[String]) -> Membership {
    let member = |(place, address): (usize, &String)| {
        let name = format!("node{}", place + 1);
        let peer_address = address.clone();
        (NodeId(place as u64 + 1), Member { name, peer_address, ..Member::default() })
    };
    Membership::of_voters(addresses.iter().enumerate().map(member).collect::<BTreeMap<_, _>>())
}

fn config(folder: &Path, node: u64, addresses: &[String]) -> HostConfig {
    let begin = Begin::Bootstrap { cluster: CLUSTER, membership: members(addresses) };
    let mut config = HostConfig::new(folder, NodeId(node), begin);
    config.peer_listen = addresses[usize::try_from(node).unwrap() - 1].clone();
    config.limits = Limits { segment_bytes: 1 << 20, flush_bytes: 1 << 16, ..Limits::default() };
    config.notify = Notify::new(|_| {});
    config
}

fn begin(config: HostConfig) -> Running<Echo> {
    start(config, |boot| (Echo::new(boot), EchoMachine)).unwrap()
}

fn single(folder: &Path) -> Running<Echo> {
    begin(config(folder, 1, &[String::from("127.0.0.1:0")]))
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Writes `count` values from as many tasks at once.
fn write(runtime: &Runtime, handle: &Handle<Echo>, first: usize, count: usize) {
    runtime.block_on(async {
        let tasks: Vec<_> = (first..first + count)
            .map(|number| {
                let handle = handle.clone();
                let data = Bytes::from(format!("value {number:06}"));
                tokio::spawn(async move {
                    assert_eq!(handle.request(Request::Write(data.clone())).await, Ok(data));
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

fn read(runtime: &Runtime, handle: &Handle<Echo>) -> Vec<String> {
    let reading = runtime.block_on(handle.read(Request::Read)).unwrap();
    let mut values: Vec<String> =
        written(&reading).into_iter().map(|value| String::from_utf8(value).unwrap()).collect();
    values.sort();
    values
}

fn values(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("value {number:06}")).collect()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(10), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_single_node_answers_and_remembers_over_restarts() {
    let runtime = runtime();
    let folder = folder("single");
    let running = single(&folder);
    let handle = running.handle();
    write(&runtime, &handle, 0, 3000);
    assert_eq!(read(&runtime, &handle), values(3000));
    let metrics = handle.metrics();
    assert!(metrics.fsyncs > 0 && metrics.fsyncs < 3000, "writes share flushes: {metrics:?}");
    wait_until("the tables are flushed on the way", || handle.metrics().table_flushes > 0);
    assert_eq!(running.stop(), None);
    assert!(handle.is_stopped());
    assert_eq!(runtime.block_on(handle.request(Request::Read)).unwrap_err(), RequestError::Stopped);

    let running = single(&folder);
    assert_eq!(running.me().incarnation.0, 2);
    assert_eq!(read(&runtime, &running.handle()), values(3000));
    write(&runtime, &running.handle(), 3000, 10);
    assert_eq!(running.stop(), None);
}

#[test]
fn what_was_answered_is_there_after_a_crash_at_any_moment() {
    let runtime = runtime();
    let original = folder("crash");
    let running = single(&original);
    for round in 1..=4 {
        write(&runtime, &running.handle(), (round - 1) * 500, 500);
        // The copy is what a crash would leave: nothing was closed, flushes may be under way. Tables
        // first: they must not be newer than the log.
        let copy = folder(&format!("crash-{round}"));
        copy_folder(&original.join("tables"), &copy.join("tables"));
        copy_folder(&original, &copy);
        let survivor = single(&copy);
        assert_eq!(read(&runtime, &survivor.handle()), values(round * 500), "round {round}");
        assert_eq!(survivor.stop(), None);
    }
    assert_eq!(running.stop(), None);
}

#[test]
fn three_nodes_agree_and_catch_up() {
    let runtime = runtime();
    let root = folder("three");
    let addresses: Vec<String> = (0..3).map(|_| free_address()).collect();
    let path = |node: u64| root.join(format!("node{node}"));
    let mut nodes: Vec<_> =
        (1..=3).map(|node| begin(config(&path(node), node, &addresses))).collect();
    let leader = nodes[0].handle();
    write(&runtime, &leader, 0, 1000);
    assert_eq!(
        runtime.block_on(nodes[1].handle().request(Request::Write(Bytes::new()))),
        Err(RequestError::Refused(Refusal::NoLeader))
    );
    // One is stopped, misses something, and comes back.
    assert_eq!(nodes.pop().unwrap().stop(), None);
    write(&runtime, &leader, 1000, 500);
    nodes.push(begin(config(&path(3), 3, &addresses)));
    wait_until("the third node catches up", || nodes[2].handle().status().commit.0 == 1500);
    for node in &nodes {
        wait_until("all is applied", || node.handle().metrics().applied_index == 1500);
        assert_eq!(read(&runtime, &node.handle()), values(1500));
    }
    let links = leader.links();
    assert_eq!(links.len(), 2);
    assert!(links.iter().all(|link| link.state == LinkState::Connected), "{links:?}");
    for node in nodes {
        assert_eq!(node.stop(), None);
    }
}

#[test]
fn a_snapshot_makes_a_joiner_the_same() {
    let runtime = runtime();
    let root = folder("snapshot");
    let leader = single(&root.join("node1"));
    write(&runtime, &leader.handle(), 0, 2000);

    let begin_joining = Begin::Join { cluster: CLUSTER };
    let mut joining = HostConfig::new(root.join("node2"), NodeId(2), begin_joining);
    joining.notify = Notify::new(|_| {});
    let joiner = begin(joining.clone());
    // Nobody told the leader of the joiner: the joiner's own connection does.
    let member = Member { peer_address: leader.peer_address().to_string(), ..Member::default() };
    let membership = Membership::of_voters(BTreeMap::from([(NodeId(1), member)]));
    runtime.block_on(joiner.handle().request(Request::Meet(membership))).unwrap();
    let sent = runtime.block_on(leader.handle().request(Request::Snapshot(NodeId(2))));
    assert_eq!(sent, Ok(Bytes::copy_from_slice(&2000u64.to_le_bytes())));

    wait_until("the snapshot is installed", || joiner.handle().metrics().applied_index == 2000);
    assert_eq!(read(&runtime, &joiner.handle()), values(2000));
    wait_until("the generation before is gone", || {
        fs::read_dir(root.join("node2/tables")).unwrap().count() == 1
    });
    assert_eq!(joiner.stop(), None);
    let joiner = begin(joining);
    assert_eq!(read(&runtime, &joiner.handle()), values(2000));
    assert_eq!(joiner.stop(), None);
    assert_eq!(leader.stop(), None);
}

/// A folder whose log has several segments, and one of its files.
fn long_log(name: &str, segment: u64) -> (PathBuf, PathBuf) {
    let folder = folder(name);
    let running = single(&folder);
    let runtime = runtime();
    for round in 0..8 {
        write(&runtime, &running.handle(), round * 4000, 4000);
    }
    assert_eq!(running.stop(), None);
    let file = folder.join(format!("log/{segment:016x}.log"));
    assert!(file.exists(), "the log has segment {segment}");
    (folder, file)
}

fn refusal(folder: &Path) -> StartError {
    let config = config(folder, 1, &[String::from("127.0.0.1:0")]);
    start(config, |boot| (Echo::new(boot), EchoMachine)).unwrap_err()
}

#[test]
fn a_missing_a_foreign_and_a_damaged_segment_are_told_apart_and_nothing_is_cut() {
    let (folder, file) = long_log("segments", 2);
    let (_, foreign) = long_log("segments-foreign", 2);
    let whole = fs::read(&file).unwrap();

    fs::remove_file(&file).unwrap();
    let error = refusal(&folder);
    assert!(matches!(error, StartError::MissingSegment { segment: 2, .. }), "{error}");

    fs::copy(foreign, &file).unwrap();
    let error = refusal(&folder);
    assert!(matches!(error, StartError::ForeignSegment { segment: 2, .. }), "{error}");

    let mut damaged = whole.clone();
    damaged[300_000] ^= 1;
    fs::write(&file, damaged).unwrap();
    let error = refusal(&folder);
    assert!(matches!(error, StartError::DamagedLog { .. }), "{error}");

    fs::write(&file, whole).unwrap();
    let running = single(&folder);
    assert_eq!(read(&runtime(), &running.handle()), values(32_000));
    assert_eq!(running.stop(), None);
}

#[test]
fn a_damaged_list_of_peers_is_told_as_damage() {
    let folder = folder("peers");
    assert_eq!(single(&folder).stop(), None);
    for garbage in [&b"no peers"[..], b"\xff\xfe"] {
        fs::write(folder.join("peers"), garbage).unwrap();
        let error = refusal(&folder);
        assert!(matches!(error, StartError::DamagedFolder { .. }), "{error}");
    }
}

#[test]
fn a_log_from_an_older_copy_of_the_folder_is_not_believed() {
    let (folder, _) = long_log("older", 1);
    let copy = folder.with_file_name("older-copy");
    let _ = fs::remove_dir_all(&copy);
    copy_folder(&folder, &copy);
    assert_eq!(single(&folder).stop(), None);
    fs::remove_dir_all(folder.join("log")).unwrap();
    copy_folder(&copy.join("log"), &folder.join("log"));
    let error = refusal(&folder);
    assert!(error.to_string().contains("restored from a copy"), "{error}");
}

#[test]
fn a_second_process_and_a_taken_port_are_refused() {
    let folder = folder("second");
    let running = single(&folder);
    let error = refusal(&folder);
    assert!(matches!(error, StartError::AlreadyRunning { .. }), "{error}");
    let mut other = config(&folder.with_file_name("second-port"), 1, &[String::new()]);
    let _ = fs::remove_dir_all(&other.folder);
    other.peer_listen = running.peer_address().to_string();
    let error = start(other, |boot| (Echo::new(boot), EchoMachine)).unwrap_err();
    assert!(matches!(error, StartError::Address { .. }), "{error}");
    assert_eq!(running.stop(), None);
}

#[test]
fn a_full_disk_is_said_and_is_no_fault() {
    let runtime = runtime();
    let mut config = config(&folder("full"), 1, &[String::from("127.0.0.1:0")]);
    config.limits.reserve_bytes = 1 << 60;
    let running = begin(config);
    let handle = running.handle();
    wait_until("the disk is called full", || handle.metrics().disk_full);
    write(&runtime, &handle, 0, 10);
    assert_eq!(read(&runtime, &handle), values(10), "what fits is taken");
    assert_eq!(running.stop(), None);
}

#[test]
fn beyond_the_bounds_requests_are_refused_as_busy() {
    let runtime = runtime();
    let mut config = config(&folder("busy"), 1, &[String::from("127.0.0.1:0")]);
    config.limits.requests_waiting_max = 10;
    let running = begin(config);
    let handle = running.handle();
    let refused = runtime.block_on(async {
        let requests = (0..1000).map(|_| {
            let handle = handle.clone();
            tokio::spawn(async move { handle.request(Request::Write(Bytes::new())).await })
        });
        let mut refused = 0;
        for request in requests.collect::<Vec<_>>() {
            match request.await.unwrap() {
                Ok(_) => {}
                Err(RequestError::Refused(Refusal::Busy)) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        refused
    });
    assert!(refused > 0);
    assert_eq!(handle.metrics().requests_waiting, 0);
    assert_eq!(running.stop(), None);
}

#[test]
fn a_broken_invariant_stops_the_node_and_tells_everybody() {
    let runtime = runtime();
    let running = single(&folder("broken"));
    let handle = running.handle();
    write(&runtime, &handle, 0, 10);
    let ended = runtime.block_on(handle.request(Request::Break));
    assert_eq!(ended, Err(RequestError::Unknown));
    let fault = runtime.block_on(handle.stopped()).unwrap();
    assert!(fault.to_string().contains("a test asked for this panic"), "{fault}");
    assert_eq!(running.join(), Some(fault));
}

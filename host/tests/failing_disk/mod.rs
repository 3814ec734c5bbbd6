//! A disk that refuses a write under a running node. The system refuses it for real: it lets no file of
//! the process grow or be written beyond a limit, which is set while the node runs.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use archipel_host::{Begin, HostConfig, Limits, Notify, RequestError};
use kernel::{Bytes, Fault, Member, Membership, NodeId};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{
    CLUSTER, begin, config,
    echo::{Request, written},
    folder, runtime, single, wait_until,
};

const FOLDER: &str = "ARCHIPEL_FAILING_DISK";
const ACKNOWLEDGED: &str = "acknowledged";

/// Runs a test of this file in a process of its own, where limits harm nobody else.
fn run_alone(test: &str, folder: &Path) {
    // The signal that goes with a refused write would end the process before anything is seen.
    let ended = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" --exact \"$1\" --ignored"])
        .arg(env::current_exe().unwrap())
        .arg(format!("failing_disk::{test}"))
        .env(FOLDER, folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success() && said.contains("1 passed"), "{said}");
}

/// The folder that [`run_alone`] was given.
fn own_folder() -> PathBuf {
    PathBuf::from(env::var(FOLDER).unwrap())
}

/// No file of this process is written beyond `bytes` from now on; nothing takes the limit away.
fn limit_files(bytes: Option<u64>) {
    let limit = getrlimit(Resource::Fsize);
    let current = bytes.or(limit.maximum);
    setrlimit(Resource::Fsize, Rlimit { current, ..limit }).unwrap();
}

#[test]
fn a_refused_write_ends_the_node_and_loses_nothing_that_was_answered() {
    let folder = folder("failing-disk");
    fs::create_dir_all(&folder).unwrap();
    run_alone("the_node_whose_disk_fails", &folder);
    let acknowledged: usize =
        fs::read_to_string(folder.join(ACKNOWLEDGED)).unwrap().parse().unwrap();
    let running = single(&folder.join("node"));
    let reading = runtime().block_on(running.handle().read(Request::Read)).unwrap();
    assert!(written(&reading).len() >= acknowledged, "{acknowledged} were acknowledged");
    assert_eq!(running.stop(), None);
}

#[test]
#[ignore = "the test above runs it, in a process of its own"]
fn the_node_whose_disk_fails() {
    let folder = own_folder();
    let running = single(&folder.join("node"));
    let handle = running.handle();
    let mut acknowledged = 0;
    let error = runtime().block_on(async {
        loop {
            let data = Bytes::from(format!("value {acknowledged:06}"));
            match handle.request(Request::Write(data)).await {
                Ok(_) => acknowledged += 1,
                Err(error) => return error,
            }
            if acknowledged == 100 {
                // The segment is there already and larger than this.
                limit_files(Some(200 << 10));
            }
            assert!(acknowledged < 1 << 20, "the limit is never met");
        }
    });
    assert!(acknowledged > 100, "what fits below the limit is still written");
    assert_eq!(error, RequestError::Unknown, "nobody can say what became of the last one");
    let again = runtime().block_on(handle.request(Request::Write(Bytes::new())));
    assert!(again.is_err(), "there is no second attempt");
    assert!(matches!(running.join(), Some(Fault::Storage(_))));
    limit_files(None);
    fs::write(folder.join(ACKNOWLEDGED), acknowledged.to_string()).unwrap();
}

#[test]
fn a_snapshot_that_cannot_be_stored_leaves_nothing_behind_and_is_taken_later() {
    let folder = folder("failing-snapshot");
    fs::create_dir_all(&folder).unwrap();
    run_alone("the_joiner_without_room", &folder);
}

#[test]
#[ignore = "the test above runs it, in a process of its own"]
fn the_joiner_without_room() {
    let (root, runtime) = (own_folder(), runtime());
    let mut alone = config(&root.join("node1"), 1, &[String::from("127.0.0.1:0")]);
    // Its own tables stay in memory: only the joiner meets the limit.
    alone.limits = Limits { flush_bytes: 1 << 30, ..alone.limits };
    let leader = begin(alone);
    runtime.block_on(async {
        for number in 0..1000u64 {
            let data = Bytes::from(number.to_le_bytes().repeat(500));
            leader.handle().request(Request::Write(data)).await.unwrap();
        }
    });
    let mut joining =
        HostConfig::new(root.join("node2"), NodeId(2), Begin::Join { cluster: CLUSTER });
    joining.limits.segment_bytes = 1 << 20;
    joining.notify = Notify::new(|_| {});
    let joiner = begin(joining);
    let member = Member { peer_address: leader.peer_address().to_string(), ..Member::default() };
    let membership = Membership::of_voters(BTreeMap::from([(NodeId(1), member)]));
    runtime.block_on(joiner.handle().request(Request::Meet(membership))).unwrap();
    let send = || runtime.block_on(leader.handle().request(Request::Snapshot(NodeId(2)))).unwrap();
    let generations = || fs::read_dir(root.join("node2/tables")).unwrap().count();
    // Room for a new file without pairs, and room for nothing.
    for limit in [2 << 20, 4096] {
        limit_files(Some(limit));
        assert_eq!(send()[..], 0u64.to_le_bytes(), "it is not delivered");
        wait_until("nothing of it is left", || generations() == 1);
    }
    limit_files(None);
    assert_eq!(send()[..], 1000u64.to_le_bytes());
    wait_until("it is installed", || joiner.handle().metrics().applied_index == 1000);
    assert_eq!(joiner.stop(), None);
    assert_eq!(leader.stop(), None);
}

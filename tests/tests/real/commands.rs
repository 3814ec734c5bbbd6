//! The commands of the binary: what they print and how they end.

use std::fs;

use serde_json::Value;

use crate::cluster::{Cluster, Ended, Folder, archipel, free_port};

#[test]
fn keys_are_written_and_read_from_a_shell() {
    let cluster = Cluster::start("shell", 3);
    let addresses = cluster.addresses();
    let kv = |words: &[&str]| archipel(&[&["kv"], words, &["--cluster", &addresses]].concat());
    let ok = |ended: Ended| {
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout
    };
    assert!(ok(kv(&["put", "greeting", "hello"])).starts_with("Written at revision "));
    assert_eq!(ok(kv(&["get", "greeting"])), "hello\n");
    assert_eq!(ok(kv(&["get", "greeting", "--stale"])), "hello\n");
    let found: Value = serde_json::from_str(&ok(kv(&["get", "greeting", "--json"]))).unwrap();
    assert_eq!((&found["key"], &found["value"]), (&"greeting".into(), &"hello".into()));
    kv(&["put", "greeting", "hallo", "--if-absent"]).expect(1, "nothing was changed");
    assert!(ok(kv(&["put", "greeting", "hallo", "--if-value", "hello"])).starts_with("Written"));
    assert!(ok(kv(&["list", "--prefix", "gree"])).contains("hallo"));
    assert_eq!(ok(kv(&["delete", "greeting"])), "Removed.\n");
    assert_eq!(kv(&["delete", "greeting"]).code, Some(1));
    kv(&["get", "greeting"]).expect(1, "There is no key");
}

#[test]
fn the_nodes_and_members_are_shown() {
    let cluster = Cluster::start("shown", 3);
    cluster.wait_for_leader();
    let first = cluster.nodes[0].address();
    let status = archipel(&["status", "--json", "--cluster", &first]);
    assert_eq!(status.code, Some(0), "{status:?}");
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["nodes"].as_array().map(Vec::len), Some(3), "one node names the others");
    let list = archipel(&["member", "list", "--json", "--cluster", &first]);
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(list["members"].as_array().map(Vec::len), Some(3));
    for words in [["status", "--cluster"], ["member list", "--cluster"]] {
        let words: Vec<&str> = words.iter().flat_map(|word| word.split(' ')).collect();
        let shown = archipel(&[&words[..], &[&first]].concat());
        assert!(cluster.nodes.iter().all(|node| shown.stdout.contains(&node.name)), "{shown:?}");
    }
}

#[test]
fn exit_codes_tell_what_went_wrong() {
    let nobody = format!("127.0.0.1:{}", free_port());
    let patience = ["--timeout", "1", "--cluster", &nobody];
    let kv = |words: &[&str]| archipel(&[&["kv"], words, &patience].concat());
    kv(&["put", "a", "1"]).expect(3, "Not done");
    kv(&["get", "a"]).expect(3, "Is the cluster running");
    assert_eq!(archipel(&["status", "--timeout", "1", "--cluster", &nobody]).code, Some(3));
    assert_eq!(archipel(&["kv", "get"]).code, Some(2));
    assert_eq!(archipel(&["fly"]).code, Some(2));
    archipel(&["kv", "get", "a", "--cluster", "no port:x"]).expect(2, "is not");
    assert_eq!(archipel(&["--help"]).code, Some(0));
}

#[test]
fn a_configuration_that_is_printed_can_be_loaded() {
    let folder = Folder::new("configuration");
    let printed = archipel(&["node", "--print-config", "--name", "node7", "--port", "3777"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let file = folder.path.join("node7.toml");
    fs::write(&file, &printed.stdout).unwrap();
    let file = file.to_str().expect("the path is text");
    let again = archipel(&["node", "--config", file, "--print-config"]);
    assert_eq!(again.stdout, printed.stdout);
    let data = folder.path.join("data");
    let data = data.to_str().expect("the path is text");
    assert_eq!(archipel(&["node", "--config", file, "--dir", data, "--check"]).code, Some(0));
    archipel(&["node", "--heartbeat-ms", "400", "--check"]).expect(2, "--heartbeat-ms");
    archipel(&["node", "--name", "a", "--peers", "a=127.0.0.1:5", "--check"])
        .expect(2, "Two members");
    fs::write(folder.path.join("wrong.toml"), "prot = 3001\n").unwrap();
    let wrong = folder.path.join("wrong.toml");
    archipel(&["node", "--config", wrong.to_str().expect("the path is text"), "--check"])
        .expect(2, "which is no option");
}

#[test]
fn a_node_that_cannot_start_says_why() {
    let mut cluster = Cluster::start("refusals", 1);
    let first = &cluster.nodes[0];
    let dir = first.folder.to_str().expect("the path is text").to_owned();
    let port = free_port().to_string();
    let peer_port = free_port().to_string();
    let node = |words: &[&str]| {
        archipel(&[&["node", "--port", &port, "--peer-port", &peer_port], words].concat())
    };
    node(&["--name", "node1", "--dir", &dir]).expect(2, "is in use by another process");
    let taken = first.client_port.to_string();
    archipel(&["node", "--name", "node9", "--port", &taken, "--dir", &format!("{dir}9")])
        .expect(2, "cannot be listened for");
    cluster.nodes[0].kill();
    node(&["--name", "node2", "--dir", &dir]).expect(2, "belongs to node1, not to node2");
    node(&["--name", "node1", "--dir", &dir, "--cluster-token", "other"])
        .expect(2, "belongs to another cluster");
    let strange = cluster.folder.path.join("strange");
    fs::create_dir(&strange).unwrap();
    fs::write(strange.join("thesis.tex"), "x").unwrap();
    node(&["--name", "node1", "--dir", strange.to_str().expect("the path is text")])
        .expect(2, "thesis.tex");
}

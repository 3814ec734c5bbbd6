//! `archipel node`: one struct for flags, environment and file.

use std::fs;

use crate::{
    cluster::{Folder, Running, archipel, free_ports, run, status, turn, until},
    http::{get, post},
};

#[test]
fn the_printed_configuration_loads_back() {
    let folder = Folder::new("config");
    let file = folder.path().join("node.toml");
    let words = ["node", "--name", "n2", "--peers", "n1=a:1,n3=b:2/9", "--heartbeat-ms", "20"];
    let first = run(&[&words[..], &["--dir", "/data", "--print-config"]].concat());
    assert!(first.status.success());
    fs::write(&file, &first.stdout).unwrap();
    let second = run(&["node", "--config", file.to_str().unwrap(), "--print-config"]);
    assert_eq!(String::from_utf8(first.stdout), String::from_utf8(second.stdout));
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let folder = Folder::new("precedence");
    let file = folder.path().join("node.toml");
    fs::write(&file, "name = \"file\"\nport = 1001\nsegment-mib = 9\n").unwrap();
    let mut command = archipel();
    command.args(["node", "--print-config", "--name", "flag", "--config"]).arg(&file);
    let output = command.env("PORT", "1002").env("NODE_ID", "environment").output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in ["name = \"flag\"", "port = 1002", "segment-mib = 9"] {
        assert!(printed.lines().any(|it| it == line), "{line} is not in {printed}");
    }
}

#[test]
fn a_wrong_configuration_is_explained() {
    let folder = Folder::new("wrong-config");
    let file = folder.path().join("node.toml");
    for (text, words) in [
        ("colour = 1\n", "which is no option"),
        ("port = \n", "is not TOML"),
        ("port = true\n", "must be a text"),
        ("port = 70000\n", "70000"),
        ("heartbeat-ms = 500\n", "must be below"),
    ] {
        fs::write(&file, text).unwrap();
        let output = run(&["node", "--check", "--config", file.to_str().unwrap()]);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(words), "{message}");
    }
    let dir = folder.path().join("data");
    let output = run(&["node", "--check", "--dir", dir.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(!dir.exists(), "checking makes nothing");
}

#[test]
fn three_nodes_are_started_by_hand_as_in_the_course() {
    let _turn = turn();
    let (folder, port) = (Folder::new("by-hand"), free_ports());
    let mut nodes: Vec<Running> = (0..3u16)
        .map(|own| {
            let others = (0..3u16).filter(|other| *other != own);
            let peers: Vec<String> =
                others.map(|it| format!("node{}=127.0.0.1:{}", it + 1, port + it)).collect();
            let mut command = archipel();
            command
                .args(["node", "--dir"])
                .arg(folder.path().join(own.to_string()))
                .env("NODE_ID", format!("node{}", own + 1))
                .env("PORT", (port + own).to_string())
                .env("PEER_IDS", peers.join(","));
            Running::start(&mut command)
        })
        .collect();
    nodes[0].wait_for("is now the leader");
    until("a write is taken", || {
        (post(port, "/kv", r#"{"key":"foo","value":"bar"}"#).status == 200).then_some(())
    });
    assert_eq!(get(port + 2, "/kv/foo").body["value"], "bar");
    assert_eq!(status(port + 1)["node"]["name"], "node2");
    for node in &mut nodes {
        assert_eq!(node.stop().code(), Some(0));
    }
}

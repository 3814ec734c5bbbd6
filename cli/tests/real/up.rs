//! `archipel up`: a cluster in one command.

use std::{fs, net::TcpListener, thread, time::Duration};

use crate::{
    cluster::{Folder, Up, free_ports, run, signal, status, turn, until},
    http::{delete, get, post},
};

#[test]
fn a_value_written_on_one_node_is_read_on_all_and_is_there_after_a_restart() {
    let _turn = turn();
    let (folder, port) = (Folder::new("basic"), free_ports());
    let mut up = Up::start(folder.path(), port, 3, &[]);
    let written = post(port, "/kv", r#"{"key":"foo","value":"bar"}"#);
    assert_eq!(
        (written.status, written.body.to_string().as_str()),
        (200, r#"{"key":"foo","value":"bar"}"#)
    );
    assert_eq!(written.header("x-revision"), Some("2"));
    for port in up.ports() {
        let read = get(port, "/kv/foo");
        assert_eq!(read.body.to_string(), r#"{"key":"foo","value":"bar"}"#);
    }
    assert_eq!(up.running.stop().code(), Some(0));
    assert_eq!(status(port), serde_json::Value::Null, "no node outlives `up`");

    let up = Up::start(folder.path(), port, 3, &[]);
    for port in up.ports() {
        assert_eq!(get(port, "/kv/foo").body["value"], "bar");
    }
    assert_eq!(delete(port, "/kv/foo").body["deleted"], true);
    assert_eq!(delete(port, "/kv/foo").body["deleted"], false);
    assert_eq!(get(port + 2, "/kv/foo").status, 404);
}

#[test]
fn the_debug_page_has_exactly_the_fields_of_the_course() {
    let _turn = turn();
    let (folder, port) = (Folder::new("debug"), free_ports());
    let _up = Up::start(folder.path(), port, 1, &[]);
    post(port, "/kv", r#"{"key":"foo","value":"bar"}"#);
    assert_eq!(
        get(port, "/debug").body,
        serde_json::json!({
            "nodeId": "node1",
            "state": "leader",
            "term": 1,
            "leaderId": "node1",
            "logLength": 2,
            "commitIndex": 2,
            "stateMachine": { "foo": "bar" },
        })
    );
}

#[test]
fn a_node_that_is_killed_comes_back_and_nothing_is_lost() {
    let _turn = turn();
    let (folder, port) = (Folder::new("killed"), free_ports());
    let up = Up::start(folder.path(), port, 3, &[]);
    post(port, "/kv", r#"{"key":"foo","value":"bar"}"#);
    let (leader, before) = up.leader();
    signal("-9", before["node"]["processId"].as_u64().unwrap());
    up.running.wait_for("has ended: signal 9");
    let other = up.ports().find(|port| *port != leader).unwrap();
    until("another node leads", || (get(other, "/kv/foo").status == 200).then_some(()));
    until("the killed node is back", || {
        let now = status(leader);
        let is_new = now["node"]["incarnation"].as_u64() > before["node"]["incarnation"].as_u64();
        (is_new && now["commit"].as_u64() >= before["commit"].as_u64()).then_some(())
    });
    assert_eq!(get(leader, "/kv/foo").body["value"], "bar");
}

#[test]
fn nodes_do_not_outlive_a_killed_up() {
    let _turn = turn();
    let (folder, port) = (Folder::new("outlive"), free_ports());
    let mut up = Up::start(folder.path(), port, 3, &[]);
    up.running.child.kill().unwrap();
    up.running.child.wait().unwrap();
    until("all nodes have gone", || {
        let mut ports = up.ports().flat_map(|port| [port, port + 1000]);
        ports.all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()).then_some(())
    });
}

#[test]
fn what_cannot_be_started_is_explained() {
    let _turn = turn();
    let (folder, port) = (Folder::new("refused"), free_ports());
    let path = folder.path().to_str().unwrap().to_owned();
    let mut up = Up::start(folder.path(), port, 1, &[]);
    let refused = |words: &[&str], text: &str| {
        let output = run(words);
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(text), "{message}");
    };
    refused(&["up", "--dir", &path], "Another `archipel up` runs the cluster");
    let other = Folder::new("refused-other");
    let other = other.path().to_str().unwrap();
    let taken = port.to_string();
    refused(&["up", "--dir", other, "--port", &taken], "cannot be used: Address already in use");
    up.running.stop();
    refused(&["up", "--dir", &path, "--nodes", "3"], "holds a cluster of 1 nodes");
    let next = (port + 1).to_string();
    refused(&["up", "--dir", &path, "--port", &next], "was made for the ports");
    let data = folder.path().join("node1");
    refused(&["up", "--dir", data.to_str().unwrap()], "holds no cluster, but it is not empty");
}

#[test]
fn the_data_of_another_cluster_is_refused() {
    let _turn = turn();
    let (one, two, port) = (Folder::new("ours"), Folder::new("theirs"), free_ports());
    Up::start(one.path(), port, 1, &[]).running.stop();
    Up::start(two.path(), port, 1, &[]).running.stop();
    fs::remove_dir_all(one.path().join("node1")).unwrap();
    fs::rename(two.path().join("node1"), one.path().join("node1")).unwrap();
    // Not yet known to have had data, the node's own words end the start.
    let file = one.path().join("cluster.toml");
    let text = fs::read_to_string(&file).unwrap().replace(r#"founded = ["node1"]"#, "founded = []");
    fs::write(&file, text).unwrap();
    let output = run(&["up", "--dir", one.path().to_str().unwrap()]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("belongs to another cluster"), "{message}");
}

#[test]
fn a_node_whose_data_is_gone_gets_it_from_the_others() {
    let _turn = turn();
    let (folder, port) = (Folder::new("gone"), free_ports());
    let mut up = Up::start(folder.path(), port, 3, &[]);
    post(port, "/kv", r#"{"key":"foo","value":"bar"}"#);
    up.running.stop();
    fs::remove_dir_all(folder.path().join("node2")).unwrap();
    let up = Up::start(folder.path(), port, 3, &[]);
    up.running.wait_for("node2 is back as a full member");
    assert_eq!(get(port + 1, "/kv/foo?consistency=stale").body["value"], "bar");
    let members = get(port, "/members").body;
    let names: Vec<_> = members["members"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 3, "{members}");
    assert!(names.iter().all(|member| member["part"] == "voter"), "{members}");
}

#[test]
fn a_node_whose_log_is_damaged_is_repaired() {
    let _turn = turn();
    let (folder, port) = (Folder::new("damaged"), free_ports());
    let mut up = Up::start(folder.path(), port, 3, &[]);
    for number in 0..50 {
        post(port, "/kv", &format!(r#"{{"key":"k{number}","value":"v{number}"}}"#));
    }
    thread::sleep(Duration::from_millis(200));
    up.running.stop();
    damage_the_first_segment(&folder.path().join("node3").join("log"));
    let up = Up::start(folder.path(), port, 3, &[]);
    up.running.wait_for("node3 is back as a full member");
    for number in 0..50 {
        let read = get(port + 2, &format!("/kv/k{number}"));
        assert_eq!(read.body["value"], format!("v{number}"));
    }
    assert!(folder.path().join("node3.damaged-1").exists());
}

/// Flips a bit in what was acknowledged long ago.
fn damage_the_first_segment(log: &std::path::Path) {
    let mut segments: Vec<_> =
        fs::read_dir(log).into_iter().flatten().flatten().map(|it| it.path()).collect();
    segments.sort();
    let mut bytes = fs::read(&segments[0]).expect("a segment can be read");
    let place = bytes.windows(2).position(|two| two == b"k7").expect("the key is in the log");
    bytes[place] ^= 1;
    fs::write(&segments[0], bytes).expect("a segment can be written");
}

//! What the doctor says of real clusters.

use std::fs;

use serde_json::Value;

use crate::cluster::{Folder, Up, free_ports, run, signal, status, turn, until};

/// The exit code, and the codes of what is wrong.
fn doctor(words: &[&str]) -> (i32, Vec<String>) {
    let output = run(&[&["doctor", "--json"], words].concat());
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let findings = said["findings"].as_array().expect("it is a list");
    let wrong = findings.iter().filter(|finding| finding["isWrong"] == true);
    let codes = wrong.filter_map(|finding| finding["code"].as_str().map(str::to_owned)).collect();
    (output.status.code().expect("no signal ended it"), codes)
}

/// What a busy machine may do to any disk is not the matter here.
fn without_slow((exit, mut codes): (i32, Vec<String>)) -> (i32, Vec<String>) {
    let is_slow = codes.iter().any(|code| code == "slow-disk");
    codes.retain(|code| code != "slow-disk");
    (if is_slow && codes.is_empty() { 0 } else { exit }, codes)
}

#[test]
fn a_healthy_cluster_a_missing_node_and_a_lost_majority_are_told_apart() {
    let _turn = turn();
    let (folder, port) = (Folder::new("doctor"), free_ports());
    let up = Up::start(folder.path(), port, 3, &[]);
    let cluster = up.cluster();
    until("nothing is wrong", || {
        (without_slow(doctor(&["--cluster", &cluster])) == (0, vec![])).then_some(())
    });
    let process = |port: u16| status(port)["node"]["processId"].as_u64().expect("it answers");
    let processes = [process(port), process(port + 1), process(port + 2)];
    // `up` would start again what is killed: what is stopped stays away.
    signal("-STOP", processes[2]);
    let third = until("it is missed", || {
        let found = without_slow(doctor(&["--cluster", &cluster]));
        (found.1 == ["unreachable"]).then_some(found.0)
    });
    assert_eq!(third, 7, "the cluster serves");
    signal("-STOP", processes[1]);
    until("the majority is missed", || {
        let found = without_slow(doctor(&["--cluster", &cluster]));
        (found == (3, ["no-majority", "unreachable", "unreachable"].map(str::to_owned).to_vec())
            || found
                == (3, ["unreachable", "unreachable", "no-majority"].map(str::to_owned).to_vec()))
            .then_some(())
    });
    for process in processes {
        signal("-CONT", process);
    }
    until("nothing is wrong again", || {
        (without_slow(doctor(&["--cluster", &cluster])) == (0, vec![])).then_some(())
    });
}

#[test]
fn damaged_tables_that_were_set_aside_are_found_in_the_folder() {
    let _turn = turn();
    let (folder, port) = (Folder::new("doctor-folder"), free_ports());
    let _up = Up::start(folder.path(), port, 1, &[]);
    let dir = folder.path().join("node1");
    let (cluster, shown) = (port.to_string(), dir.display().to_string());
    let words = ["--cluster", &cluster, "--dir", &shown];
    assert_eq!(without_slow(doctor(&words)), (0, vec![]));
    fs::write(dir.join("tables/7.damaged"), "x").unwrap();
    fs::write(dir.join("last-inputs-3.replay"), "x").unwrap();
    let found = without_slow(doctor(&words));
    assert_eq!(found, (6, vec!["damaged-data".to_owned(), "broken-assertion".to_owned()]));
    assert_eq!(run(&["doctor", "--dir", "/nowhere"]).status.code(), Some(2));
}

#[test]
fn where_nobody_is_that_is_said() {
    let port = free_ports().to_string();
    assert_eq!(doctor(&["--cluster", &port]), (3, vec!["no-answer".to_owned()]));
    let output = run(&["doctor", "--cluster", &port]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("No node answers at 127.0.0.1:") && said.contains("Start the nodes"),
        "{said}"
    );
}

//! `archipel sim`: what it prints, writes and ends with.

use std::{fs, process::Output};

use serde_json::Value;

use crate::cluster::{Folder, run};

/// The exit code and what was written to standard output.
fn sim(words: &[&str]) -> (i32, String) {
    let Output { status, stdout, .. } = run(&[&["sim"], words].concat());
    let text = String::from_utf8(stdout).expect("all output is text");
    (status.code().expect("no signal ended it"), text)
}

/// Nobody can do anything in a millisecond, so that every seed stands still.
const STUCK: &[&str] = &["--progress-ms-max", "1"];

#[test]
fn seeds_that_find_nothing_are_exit_code_0_and_a_table() {
    let (code, text) = sim(&["--seeds", "4", "--chaos-ms", "1000", "--jobs", "2"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("faults injected") && text.contains("4 seeds, 0 to 3,"), "{text}");
    assert!(text.ends_with("Nothing was found.\n"), "{text}");
}

#[test]
fn the_same_seed_twice_gives_the_same_bytes() {
    let words = ["--seed", "7", "--chaos-ms", "1000", "--trace"];
    let (one, other) = (sim(&words), sim(&words));
    assert_eq!(one, other);
    assert!(one.1.contains("seed 7, event hash "), "{}", one.1);
    let hashes = sim(&["--seeds", "3", "--first", "6", "--chaos-ms", "1000", "--hashes"]);
    let line = hashes.1.lines().nth(1).expect("a line a seed").replace("7 ", "seed 7, event hash ");
    assert!(one.1.contains(&line), "{line}");
}

#[test]
fn a_finding_is_made_smaller_written_down_and_filed() {
    let folder = Folder::new("sim");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (out, bugs) = (path("out"), path("bugs"));
    let words = ["--seeds", "2", "--chaos-ms", "500", "--shrink-seconds", "5", "--json"];
    let words = [&words[..], STUCK, &["--out", &out, "--file-bugs", &bugs]].concat();
    let (code, text) = sim(&words);
    let said: Value = serde_json::from_str(&text).expect("it is JSON");
    let finding = &said["findings"][0];
    assert_eq!((code, finding["kind"].as_str()), (11, Some("liveness")), "{text}");
    let events = |size: &Value| size["size"]["events"].as_u64().expect("a number");
    assert!(events(&finding["smaller"]) < events(finding), "{text}");
    for (place, begins) in [(0, "       0.000  seed "), (1, "<!DOCTYPE html>")] {
        let path = finding["files"][place].as_str().expect("a trace and a page were written");
        let text = fs::read_to_string(path).unwrap();
        assert!(text.to_lowercase().starts_with(&begins.to_lowercase()), "{path}: {}", &text[..80]);
    }
    let seen = finding["files"][2].as_str().expect("what clients saw was written");
    assert_eq!(run(&["check", seen]).status.code(), Some(0), "{seen} is linearizable");
    let bug = finding["bug"].as_str().expect("it was filed");
    let (code, text) = sim(&["--bug", bug, "--no-shrink", "--out", &out]);
    assert_eq!(code, 11, "{text}");
    assert!(text.contains("FOUND: the cluster stands still"), "{text}");
    let again: Value = serde_json::from_str(&sim(&words).1).expect("it is JSON");
    assert_eq!(again["findings"][0]["bug"], Value::Null, "it is filed once");
}

#[test]
fn worlds_of_the_queue_are_told_made_smaller_and_filed_alike() {
    let (code, text) = sim(&["--system", "queue", "--seeds", "4", "--chaos-ms", "1000"]);
    assert_eq!(code, 0, "{text}");
    for name in ["tasks put", "deliveries again", "stale rights refused", "faults injected"] {
        assert!(text.contains(name), "{name}: {text}");
    }
    let folder = Folder::new("sim-queue");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (out, bugs) = (path("out"), path("bugs"));
    let words = ["--system", "queue", "--seeds", "1", "--chaos-ms", "500", "--shrink-seconds", "5"];
    let words = [&words[..], &["--json"], STUCK, &["--out", &out, "--file-bugs", &bugs]].concat();
    let (code, text) = sim(&words);
    let said: Value = serde_json::from_str(&text).expect("it is JSON");
    let finding = &said["findings"][0];
    assert_eq!((code, said["system"].as_str()), (11, Some("queue")), "{text}");
    let run_again = finding["smaller"]["run"].as_str().expect("a command line");
    assert!(run_again.starts_with("archipel sim --system queue --seed 0"), "{run_again}");
    let seen = finding["files"][2].as_str().expect("what clients saw was written");
    assert!(fs::read_to_string(seen).unwrap().lines().count() > 0, "{seen}");
    let bug = finding["bug"].as_str().expect("it was filed");
    assert_eq!(sim(&["--bug", bug, "--no-shrink", "--out", &out]).0, 11);
}

#[test]
fn what_makes_no_sense_is_exit_code_2() {
    for words in [
        ["--system", "dns"],
        ["--without", "earthquakes"],
        ["--nodes", "0"],
        ["--nodes", "many"],
        ["--bug", "/there/is/none.bug"],
        ["--seeds", "many"],
        ["--page", "/tmp/of_no_seed.html"],
    ] {
        assert_eq!(sim(&words).0, 2, "{words:?}");
    }
}

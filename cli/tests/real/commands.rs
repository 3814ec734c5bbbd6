//! The client commands and their exit codes.

use std::process::Output;

use crate::cluster::{Folder, Up, free_ports, run, turn};

struct Shell {
    cluster: String,
}

impl Shell {
    fn run(&self, words: &[&str]) -> (i32, String) {
        let mut all = words.to_vec();
        all.extend(["--cluster", &self.cluster]);
        let Output { status, stdout, stderr } = run(&all);
        let text = String::from_utf8(if stdout.is_empty() { stderr } else { stdout })
            .expect("all output is text");
        (status.code().expect("no signal ended it"), text.trim_end().to_owned())
    }
}

#[test]
fn keys_are_written_read_listed_and_removed() {
    let _turn = turn();
    let (folder, port) = (Folder::new("commands"), free_ports());
    let up = Up::start(folder.path(), port, 3, &[]);
    let shell = Shell { cluster: up.cluster() };
    assert_eq!(shell.run(&["kv", "put", "a", "1"]), (0, "Written at revision 2.".to_owned()));
    assert_eq!(shell.run(&["kv", "get", "a"]), (0, "1".to_owned()));
    assert_eq!(shell.run(&["kv", "put", "a", "2", "--if-absent"]).0, 1);
    assert_eq!(shell.run(&["kv", "put", "a", "2", "--if-value", "1"]).0, 0);
    let json = r#"{"key":"a","value":"2","revision":3}"#;
    assert_eq!(shell.run(&["kv", "get", "a", "--json"]), (0, json.to_owned()));
    assert!(shell.run(&["kv", "list"]).1.ends_with("a    3         2"));
    assert_eq!(shell.run(&["kv", "delete", "a"]), (0, "Removed.".to_owned()));
    assert_eq!(shell.run(&["kv", "delete", "a"]).0, 1);
    let (code, message) = shell.run(&["kv", "get", "a"]);
    assert_eq!((code, message.contains("There is no key")), (1, true));

    let (code, status) = shell.run(&["status"]);
    assert_eq!((code, status.lines().count()), (0, 4), "{status}");
    assert_eq!(shell.run(&["member", "list"]).1.lines().count(), 4);
    let (code, moved) = shell.run(&["leader", "transfer"]);
    assert!(code == 0 && moved.contains(" leads now"), "{moved}");
    let bench = ["bench", "kv", "--clients", "1,4", "--operations", "put,mixed", "--seconds", "1"];
    let dir = folder.path().to_str().unwrap();
    let bench = [&bench[..], &["--json", "--keys", "100", "--dir", dir]].concat();
    let (code, report) = shell.run(&bench);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((code, report["steps"].as_array().map(Vec::len)), (0, Some(4)), "{report}");
    assert!(report["steps"][0]["perSecond"].as_f64().unwrap() > 1.0, "{report}");
}

#[test]
fn a_cluster_that_is_not_there_is_exit_code_3() {
    let port = free_ports().to_string();
    let output = run(&["kv", "get", "a", "--cluster", &port, "--timeout", "1"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(message.contains("Is the cluster running"), "{message}");
    assert_eq!(run(&["kv", "get", "a", "--cluster", "x:y"]).status.code(), Some(2));
    assert_eq!(run(&["kv", "fetch"]).status.code(), Some(2));
}

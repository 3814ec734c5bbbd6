//! Members come and go.

use crate::{
    cluster::{Folder, Running, Up, archipel, free_ports, run, turn, until},
    http::{get, post},
};

#[test]
fn a_fourth_node_joins_and_leaves() {
    let _turn = turn();
    let (folder, port) = (Folder::new("joining"), free_ports());
    let up = Up::start(folder.path(), port, 3, &[]);
    post(port, "/kv", r#"{"key":"foo","value":"bar"}"#);
    let mut command = archipel();
    command.args(["node", "--name", "node4", "--port", &(port + 3).to_string()]);
    command.args(["--join", &format!("127.0.0.1:{}", port + 1)]);
    command.arg("--dir").arg(folder.path().join("fourth"));
    let mut fourth = Running::start(&mut command);
    fourth.wait_for("has a vote now");
    assert_eq!(get(port + 3, "/kv/foo").body["value"], "bar");
    assert_eq!(parts(port), ["voter"; 4]);

    let cluster = up.cluster();
    let removed = run(&["member", "remove", "node4", "--cluster", &cluster]);
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    until("there are three members", || (parts(port).len() == 3).then_some(()));
    fourth.stop();
    assert_eq!(post(port, "/kv", r#"{"key":"foo","value":"baz"}"#).status, 200);
}

fn parts(port: u16) -> Vec<String> {
    let members = get(port, "/members").body["members"].as_array().cloned().unwrap_or_default();
    members.iter().filter_map(|member| member["part"].as_str().map(str::to_owned)).collect()
}

//! How ours is started.

use std::process::Command;

use super::Member;

/// The command for the member in this place. The process ends with its standard input.
pub(super) fn command(members: &[Member], place: usize) -> Command {
    let member = &members[place];
    let others = members.iter().filter(|other| other.name != member.name);
    let peers: Vec<String> = others
        .map(|other| format!("{}=127.0.0.1:{}/{}", other.name, other.client_port, other.peer_port))
        .collect();
    let mut command = Command::new(archipel_tests::program());
    command
        .args(["node", "--stop-with-stdin", "--name", &member.name, "--dir"])
        .arg(&member.folder)
        .args(["--port", &member.client_port.to_string()])
        .args(["--peer-port", &member.peer_port.to_string()]);
    if !peers.is_empty() {
        command.args(["--peers", &peers.join(",")]);
    }
    for variable in ["NODE_ID", "PEER_IDS", "PORT", "CLUSTER_TOKEN", "ARCHIPEL_CONFIG"] {
        command.env_remove(variable);
    }
    command
}

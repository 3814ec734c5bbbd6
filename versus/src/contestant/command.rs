//! How each contestant is started: with its defaults, as whoever reads its manual would.

use std::{env, ffi::OsStr, path::Path, process::Command};

use super::{Kind, Member};

/// The command for the member in this place.
///
/// # Errors
/// If this program does not know where it is.
pub(super) fn command(
    kind: Kind,
    members: &[Member],
    place: usize,
    program: &Path,
) -> Result<Command, String> {
    match kind {
        Kind::Etcd => Ok(etcd(members, place)),
        Kind::Archipel => Ok(archipel(members, place, program)),
        Kind::Null => null(&members[place]),
    }
}

/// A command whose process ends with the thread that starts it, should that be killed.
pub(crate) fn bound(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command
}

fn etcd(members: &[Member], place: usize) -> Command {
    let member = &members[place];
    let peer = |member: &Member| format!("http://127.0.0.1:{}", member.peer_port);
    let cluster: Vec<String> =
        members.iter().map(|member| format!("{}={}", member.name, peer(member))).collect();
    let mut command = bound("etcd");
    command
        .args(["--name", &member.name, "--data-dir"])
        .arg(&member.folder)
        .args(["--initial-cluster", &cluster.join(","), "--initial-cluster-state", "new"])
        .args(["--listen-client-urls", &member.address()])
        .args(["--advertise-client-urls", &member.address()])
        .args(["--listen-peer-urls", &peer(member)])
        .args(["--initial-advertise-peer-urls", &peer(member)])
        // A million keys with their history stay below it.
        .args(["--quota-backend-bytes", "8589934592"]);
    command
}

fn archipel(members: &[Member], place: usize, program: &Path) -> Command {
    let member = &members[place];
    let others = members.iter().filter(|other| other.name != member.name);
    let peers: Vec<String> = others
        .map(|other| format!("{}=127.0.0.1:{}/{}", other.name, other.client_port, other.peer_port))
        .collect();
    let mut command = Command::new(program);
    command
        .args(["node", "--stop-with-stdin", "--name", &member.name, "--dir"])
        .arg(&member.folder)
        .args(["--port", &member.client_port.to_string()])
        .args(["--peer-port", &member.peer_port.to_string()]);
    if !peers.is_empty() {
        command.args(["--peers", &peers.join(",")]);
    }
    command
}

fn null(member: &Member) -> Result<Command, String> {
    let own = env::current_exe().map_err(|error| format!("where this program is: {error}"))?;
    let mut command = bound(own);
    command
        .args(["null-server", &member.client_port.to_string()])
        .arg(member.folder.with_extension("data"));
    Ok(command)
}

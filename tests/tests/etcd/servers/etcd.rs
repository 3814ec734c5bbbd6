//! How etcd is started.

use std::process::Command;

use super::Member;

/// The command for the member in this place. The process ends with the one that starts it.
pub(super) fn command(members: &[Member], place: usize) -> Command {
    let member = &members[place];
    let peer = |member: &Member| format!("http://127.0.0.1:{}", member.peer_port);
    let cluster: Vec<String> =
        members.iter().map(|member| format!("{}={}", member.name, peer(member))).collect();
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "etcd", "--logger", "zap", "--log-level", "warn"])
        .args(["--name", &member.name, "--initial-cluster", &cluster.join(",")])
        .args(["--initial-cluster-state", "new", "--data-dir"])
        .arg(&member.folder)
        .args(["--listen-client-urls", &member.address()])
        .args(["--advertise-client-urls", &member.address()])
        .args(["--listen-peer-urls", &peer(member)])
        .args(["--initial-advertise-peer-urls", &peer(member)]);
    command
}

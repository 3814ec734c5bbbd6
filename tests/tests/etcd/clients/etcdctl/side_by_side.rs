//! The same commands to etcd and to ours, one after the other: both must say the same and end the same.
//!
//! The commands lie in `side_by_side/`, a line each. After `<<` stands what the command is given to read,
//! with `\n` for the end of a line; `''` is an empty word. A line after `~` is one in which we differ on
//! purpose, as the comment above it says; it must differ. `raise ALARM` is a command that etcdctl lacks.

use archipel_tests::is_installed;
use std::{io::Write, process::Stdio};

use etcd::etcdserverpb::{
    AlarmRequest, AlarmType, alarm_request::AlarmAction, maintenance_client::MaintenanceClient,
};
use tonic::transport::Endpoint;

use super::{Etcdctl, Said};
use crate::servers::{Cluster, Program};

/// What somebody at a terminal sees of a command.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the commands on a fresh etcd and on a fresh one of ours.
fn compare(script: &str) {
    if !is_installed("etcd") || !is_installed("etcdctl") {
        return;
    }
    let start = |program| Etcdctl { cluster: Cluster::start_and_elect(program, 1) };
    let (theirs, ours) = (start(Program::Etcd), start(Program::Archipel));
    let mut wrong = Vec::new();
    for line in script.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (command, differs) = match line.strip_prefix("~ ") {
            Some(command) => (command, true),
            None => (line, false),
        };
        let (their, our) = (theirs.see(command), ours.see(command));
        if (their == our) == differs {
            wrong.push(format!("{line}\n  etcd: {their:?}\n  ours: {our:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

impl Etcdctl {
    fn see(&self, line: &str) -> Seen {
        if let Some(kind) = line.strip_prefix("raise ") {
            self.raise(AlarmType::from_str_name(kind).expect("a kind of alarm"));
            return Seen { code: None, stdout: String::new(), stderr: String::new() };
        }
        let (words, input) = line.split_once("<<").unwrap_or((line, ""));
        let words: Vec<&str> =
            words.split_whitespace().map(|word| word.trim_matches('\'')).collect();
        // Of an address with a scheme in front a client of gRPC makes a name that no server has.
        let address = self.cluster.members[0].address().replace("http://", "");
        let mut child = self.command_at(&address, &words).stdin(Stdio::piped()).spawn().unwrap();
        let input = input.trim_start().replace("\\n", "\n");
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let said = Said::by(child);
        let member = &self.cluster.members[0];
        let ports = [member.client_port, member.peer_port].map(|port| format!(":{port}"));
        Seen {
            code: said.code,
            stdout: plain(&said.stdout, &ports),
            stderr: plain(&said.stderr, &ports),
        }
    }
}

impl Etcdctl {
    /// Raises an alarm of member 7, whoever that may be.
    fn raise(&self, kind: AlarmType) {
        let request =
            AlarmRequest { action: AlarmAction::Activate.into(), member_id: 7, alarm: kind.into() };
        let endpoint = Endpoint::from_shared(self.cluster.members[0].address()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let raised = runtime.block_on(async {
            let mut maintenance = MaintenanceClient::new(endpoint.connect().await.unwrap());
            maintenance.alarm(request).await
        });
        assert_eq!(raised.unwrap().into_inner().alarms.len(), 1);
    }
}

/// Without what differs from run to run: ports, log lines, numbers of leases and members, times taken.
fn plain(text: &str, ports: &[String; 2]) -> String {
    let lines = text.lines().filter(|line| !line.contains("\"level\":\"warn\""));
    let mut plain = String::new();
    for line in lines {
        let line = ports.iter().fold(line.to_owned(), |line, port| line.replace(port, ":PORT"));
        let line = line.split("took = ").next().unwrap_or_default();
        let words = line.split(' ').map(|word| {
            let number = word.trim_matches(|letter| "(),".contains(letter));
            let is_drawn =
                number.len() >= 15 && number.bytes().all(|byte| byte.is_ascii_hexdigit());
            if is_drawn { "ID" } else { word }
        });
        plain += &words.collect::<Vec<_>>().join(" ");
        plain.push('\n');
    }
    plain
}

#[test]
fn users_roles_and_who_may_do_what_are_as_in_etcd() {
    compare(include_str!("side_by_side/auth"));
}

#[test]
fn while_an_alarm_stands_the_same_is_refused_as_by_etcd() {
    compare(include_str!("side_by_side/alarms"));
}

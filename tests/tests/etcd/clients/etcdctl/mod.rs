//! Debian's `etcdctl`, each of its commands, against a cluster of three.

mod alarms;
mod auth;
mod endpoints;
mod failover;
mod keys;
mod leases;
mod members;
mod perf;
mod recipes;

mod side_by_side;
mod snapshots;
mod transactions;
mod watches;

use archipel_tests::is_installed;
use std::{
    io::Write,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::servers::{Cluster, Member, Program};

/// How long a command may take that should end by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster of three, and the command line that speaks with it.
struct Etcdctl {
    cluster: Cluster,
}

/// How a command ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Etcdctl {
    /// A fresh cluster of three; nothing if `etcdctl` or the server is not installed.
    fn start() -> Option<Self> {
        Self::start_of(Program::under_test(), 3)
    }

    fn start_of(program: Program, members: usize) -> Option<Self> {
        let has_server = program != Program::Etcd || is_installed("etcd");
        (is_installed("etcdctl") && has_server)
            .then(|| Self { cluster: Cluster::start_and_elect(program, members) })
    }

    /// A command with these words, at all endpoints.
    fn command(&self, words: &[&str]) -> Command {
        let endpoints: Vec<String> =
            self.cluster.members.iter().map(Member::host_and_port).collect();
        self.command_at(&endpoints.join(","), words)
    }

    fn command_at(&self, endpoints: &str, words: &[&str]) -> Command {
        let mut command = Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").args(["--endpoints", endpoints]).args(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What a command said.
    fn said(&self, words: &[&str]) -> Said {
        Said::by(self.command(words).spawn().unwrap())
    }

    /// What a command said that was given this to read.
    fn said_after(&self, words: &[&str], input: &str) -> Said {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Said::by(child)
    }

    /// What a command wrote that must end well.
    #[track_caller]
    fn ok(&self, words: &[&str]) -> String {
        self.said(words).ok()
    }

    /// What a command complained of that must not end well.
    #[track_caller]
    fn fails(&self, words: &[&str]) -> String {
        self.said(words).fails()
    }

    /// What a command wrote at one endpoint.
    #[track_caller]
    fn ok_at(&self, place: usize, words: &[&str]) -> String {
        let address = self.cluster.members[place].host_and_port();
        Said::by(self.command_at(&address, words).spawn().unwrap()).ok()
    }
}

impl Said {
    fn by(child: Child) -> Self {
        let pid = child.id();
        let watchdog = thread::spawn(move || child.wait_with_output().unwrap());
        let deadline = Instant::now() + PATIENCE;
        while !watchdog.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        if !watchdog.is_finished() {
            kill(pid);
            panic!("etcdctl has not ended in {PATIENCE:?}: {:?}", watchdog.join());
        }
        let output = watchdog.join().unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    #[track_caller]
    fn fails(self) -> String {
        assert_ne!(self.code, Some(0), "{self:?}");
        self.stderr
    }
}

/// Interrupts a process, as a person at a terminal does.
fn interrupt(child: &Child) {
    signal(child.id(), rustix::process::Signal::INT);
}

fn kill(pid: u32) {
    signal(pid, rustix::process::Signal::KILL);
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    // It may have ended by itself.
    let _ = rustix::process::kill_process(pid, signal);
}

/// Asks again until there is something.
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < deadline, "there is no such thing in {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

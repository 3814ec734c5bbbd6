//! One node: a process, its folder and its log lines.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use super::{free_port, program};
use crate::client::Client;

/// How many of its last lines a node's log is shown with.
const LINES_SHOWN: usize = 25;

/// A node of this machine, running or not.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) client_port: u16,
    pub(crate) peer_port: u16,
    /// The data folder.
    pub(crate) folder: PathBuf,
    /// Where its log lines go, of all its lives.
    pub(crate) log: PathBuf,
    /// Options besides name, ports and folder.
    pub(crate) options: Vec<String>,
    child: Option<Child>,
}

impl Node {
    /// A node whose data and log lines go into `root`; not started.
    pub(crate) fn new(root: &Path, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            client_port: free_port(),
            peer_port: free_port(),
            folder: root.join(name),
            log: root.join(format!("{name}.log")),
            options: Vec::new(),
            child: None,
        }
    }

    /// The command that runs the node.
    pub(crate) fn command(&self) -> Command {
        self.command_in(&self.folder)
    }

    /// The command that runs the node with its data in `folder`.
    pub(crate) fn command_in(&self, folder: &Path) -> Command {
        let mut command = Command::new(program());
        command
            .args(["node", "--name", &self.name, "--port", &self.client_port.to_string()])
            .args(["--peer-port", &self.peer_port.to_string()])
            .arg("--dir")
            .arg(folder)
            .args(&self.options);
        for variable in ["NODE_ID", "PEER_IDS", "PORT", "CLUSTER_TOKEN", "ARCHIPEL_CONFIG"] {
            command.env_remove(variable);
        }
        command
    }

    /// Starts the process.
    pub(crate) fn start(&mut self) {
        assert!(self.child.is_none(), "{} runs already", self.name);
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.expect("the folder of the test can be written");
        let both = log.try_clone().expect("a file can be opened twice");
        let mut command = self.command();
        // The process must not outlive the tests, however they end.
        command.arg("--stop-with-stdin").stdin(Stdio::piped()).stdout(both).stderr(log);
        self.child = Some(command.spawn().expect("the binary can be started"));
    }

    /// Ends the process at once, as a power cut would: `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            child.wait().expect("a process that was killed ends");
        }
    }

    /// Asks the process to stop, and waits until it has.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::INT);
        self.wait_for_end(Duration::from_secs(20))
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn wait_for_end(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        let child = self.child.as_mut().expect("the node was started");
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                self.child = None;
                return status;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("{} has not ended within {patience:?}\n{}", self.name, self.last_lines());
    }

    /// The process stands still, with all its connections open.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// The process goes on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal)
            .expect("the process is our child and has not been waited for");
    }

    fn pid(&self) -> Pid {
        let child = self.child.as_ref().expect("the node runs");
        Pid::from_child(child)
    }

    pub(crate) fn is_started(&self) -> bool {
        self.child.is_some()
    }

    /// How the process ended, if it did so by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().expect("a child can be waited for"))
    }

    /// A new connection to the node.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.client_port)
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.client_port)
    }

    /// The files of the log, the oldest first.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.join("log")).expect("a node has a log");
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
        paths.sort();
        paths
    }

    /// All log lines so far.
    pub(crate) fn lines(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last log lines, for people.
    pub(crate) fn last_lines(&self) -> String {
        let lines = self.lines();
        let lines: Vec<&str> = lines.lines().collect();
        let shown = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
        format!("---- {} ({})\n{}\n", self.name, self.log.display(), shown.join("\n"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

//! Clusters in folders and on ports of their own, gone when the test is.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU16, Ordering},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::http;

/// Nothing here takes longer, even on a slow and busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// One cluster at a time: these tests are about what processes do, not about how many fit.
static TURN: Mutex<()> = Mutex::new(());
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// The program.
pub(crate) fn archipel() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_archipel"));
    command.stdin(Stdio::null());
    for variable in ["NODE_ID", "PORT", "PEER_IDS", "CLUSTER_TOKEN", "ARCHIPEL_CLUSTER"] {
        command.env_remove(variable);
    }
    command
}

/// Runs the program to its end.
pub(crate) fn run(words: &[&str]) -> Output {
    archipel().args(words).output().expect("the program can be started")
}

pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An empty folder of the test's own.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("archipel-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("there is room for temporary files");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

/// The first of ten free ports whose ports a thousand above are free too.
pub(crate) fn free_ports() -> u16 {
    let first = 20_000 + u16::try_from(std::process::id() % 1500).expect("below 1500") * 10;
    loop {
        let base = first + NEXT_PORT.fetch_add(10, Ordering::Relaxed) % 10_000;
        let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if (0..10).all(|place| is_free(base + place) && is_free(base + place + 1000)) {
            return base;
        }
    }
}

/// A running process whose lines are read as they come; killed when the test ends.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let (line, lines) = channel();
        let out = child.stdout.take().expect("it is piped");
        let err = child.stderr.take().expect("it is piped");
        let line_of_err = line.clone();
        thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).for_each(|it| drop(line.send(it)));
        });
        thread::spawn(move || {
            let lines = BufReader::new(err).lines().map_while(Result::ok);
            lines.for_each(|it| drop(line_of_err.send(it)));
        });
        Self { child, lines }
    }

    /// Waits for a line that holds `text`.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(RecvTimeoutError::Timeout) => panic!("no line with {text:?} in {seen:#?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("ended without {text:?}: {seen:#?}"),
            }
        }
    }

    /// Asks the process to stop, as Ctrl-C or a service manager does, and waits.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        signal("-TERM", u64::from(self.child.id()));
        self.end()
    }

    /// Waits for the end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "the process does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Gently: an `up` that is killed leaves its nodes a moment to notice.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal("-TERM", u64::from(self.child.id()));
            thread::sleep(Duration::from_millis(500));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `kill` with a signal.
pub(crate) fn signal(signal: &str, process: u64) {
    let _ = Command::new("kill").arg(signal).arg(process.to_string()).status();
}

/// Asks until `found` finds something.
pub(crate) fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(30));
    }
}

/// A cluster under `archipel up`.
#[derive(Debug)]
pub(crate) struct Up {
    pub(crate) running: Running,
    pub(crate) port: u16,
    pub(crate) nodes: u16,
}

impl Up {
    /// Starts a cluster and waits until it is ready.
    pub(crate) fn start(folder: &Path, port: u16, nodes: u16, node_options: &[&str]) -> Self {
        let mut command = archipel();
        command.arg("up").arg("--dir").arg(folder);
        command.args(["--nodes", &nodes.to_string(), "--port", &port.to_string(), "--"]);
        let running = Running::start(command.args(node_options));
        running.wait_for("All nodes are up");
        Self { running, port, nodes }
    }

    pub(crate) fn ports(&self) -> impl Iterator<Item = u16> + use<> {
        self.port..self.port + self.nodes
    }

    /// All addresses, as `--cluster` wants them.
    pub(crate) fn cluster(&self) -> String {
        self.ports().map(|port| port.to_string()).collect::<Vec<_>>().join(",")
    }

    /// The port and the status of the leader.
    pub(crate) fn leader(&self) -> (u16, Value) {
        until("there is a leader", || {
            let statuses = self.ports().map(|port| (port, status(port)));
            statuses.into_iter().find(|(_, status)| status["role"] == "leader")
        })
    }
}

/// The status of a node; null if it does not answer.
pub(crate) fn status(port: u16) -> Value {
    let request = b"GET /status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    http::raw(port, request).map(|answer| answer.body).unwrap_or_default()
}

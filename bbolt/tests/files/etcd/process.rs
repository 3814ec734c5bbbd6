//! A real etcd as a process with a folder and ports of its own, and `etcdctl`.

use std::{
    env, fs,
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

/// True if the programs are there. Says so if they are not.
pub(crate) fn is_installed() -> bool {
    let runs = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        command.arg(argument).env("ETCDCTL_API", "3").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let is_installed = runs("etcd", "--version") && runs("etcdctl", "version");
    if !is_installed {
        eprintln!(
            "skipped: the programs etcd and etcdctl, which this test talks to, are not installed"
        );
    }
    is_installed
}

/// A folder that is removed in the end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("archipel-bbolt-{}-{number}", process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left over harms no one.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The only member of a cluster, running.
pub(crate) struct Etcd {
    child: Child,
    client: String,
}

impl Drop for Etcd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The name and the address that a member is known by to its cluster.
pub(crate) const MEMBER: [&str; 4] = [
    "--initial-cluster=one=http://127.0.0.1:1",
    "--initial-advertise-peer-urls=http://127.0.0.1:1",
    "--name=one",
    "--initial-cluster-token=archipel",
];

impl Etcd {
    /// Starts a member on the data in `data`, which may be new, and waits until it serves.
    pub(crate) fn start(data: &Path) -> Self {
        // Ports that are free now may be taken a moment later.
        (0..3).find_map(|_| Self::try_start(data)).expect("etcd does not start")
    }

    fn try_start(data: &Path) -> Option<Self> {
        let [client, peer] = free_addresses();
        let log = fs::File::create(data.with_extension("log")).unwrap();
        let child = Command::new("etcd")
            .arg("--data-dir")
            .arg(data)
            .args(MEMBER)
            .arg(format!("--listen-client-urls={client}"))
            .arg(format!("--advertise-client-urls={client}"))
            .arg(format!("--listen-peer-urls={peer}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut etcd = Self { child, client };
        etcd.is_soon_healthy().then_some(etcd)
    }

    fn is_soon_healthy(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            if self.command(&["endpoint", "health"]).output().unwrap().status.success() {
                return true;
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = etcdctl();
        command.arg(format!("--endpoints={}", self.client)).args(arguments);
        command
    }

    /// What `etcdctl` prints to these arguments.
    pub(crate) fn ctl(&self, arguments: &[&str]) -> String {
        output(&mut self.command(arguments), b"")
    }

    /// What `etcdctl` prints to these arguments when it is given `input`.
    pub(crate) fn ctl_with(&self, arguments: &[&str], input: &[u8]) -> String {
        output(&mut self.command(arguments), input)
    }

    /// The same as a value, without the header that tells when and by whom.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ctl(&[arguments, &["-w", "json"]].concat());
        let mut value: Value = serde_json::from_str(&text).expect(&text);
        if let Some(object) = value.as_object_mut() {
            object.remove("header");
        }
        value
    }

    /// Every key with its value, revisions and lease.
    pub(crate) fn all_keys(&self) -> Value {
        self.json(&["get", "", "--prefix"])
    }

    /// Saves a snapshot and gives its bytes.
    pub(crate) fn snapshot(&self, file: &Path) -> Vec<u8> {
        self.ctl(&["snapshot", "save", file.to_str().unwrap()]);
        fs::read(file).unwrap()
    }
}

/// What `etcdctl` says of the snapshot in `file`.
pub(crate) fn snapshot_status(file: &Path) -> Value {
    let mut command = etcdctl();
    let text = output(command.args(["snapshot", "status", "-w", "json"]).arg(file), b"");
    serde_json::from_str(&text).expect(&text)
}

/// Makes the data of a member from the snapshot in `file`.
pub(crate) fn restore(file: &Path, data: &Path) {
    let mut command = etcdctl();
    command.args(["snapshot", "restore"]).arg(file).arg("--data-dir").arg(data).args(MEMBER);
    output(&mut command, b"");
}

fn etcdctl() -> Command {
    let mut command = Command::new("etcdctl");
    command.env("ETCDCTL_API", "3");
    command
}

fn output(command: &mut Command, input: &[u8]) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Two addresses whose ports were free a moment ago.
fn free_addresses() -> [String; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| format!("http://{}", listener.local_addr().unwrap()))
}

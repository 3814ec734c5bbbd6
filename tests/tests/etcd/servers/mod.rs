//! Servers that speak the protocol: clusters of processes on this machine.

mod archipel;
mod etcd;

use std::{
    env,
    fs::{self, File},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use ::etcd::etcdserverpb::{RangeRequest, kv_client::KvClient};
use tokio::runtime::Builder;
use tonic::transport::Endpoint;

/// How long a cluster may take to start.
const SOON: Duration = Duration::from_secs(30);

/// A program that speaks the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// etcd, as installed on this machine.
    Etcd,
    /// Ours.
    Archipel,
}

impl Program {
    /// The program under test: `ARCHIPEL_UNDER_TEST` says `etcd` or `archipel`.
    pub(crate) fn under_test() -> Self {
        match env::var("ARCHIPEL_UNDER_TEST").as_deref() {
            Ok("archipel") | Err(_) => Self::Archipel,
            // It shows that the tests themselves are right.
            Ok("etcd") => Self::Etcd,
            Ok(other) => panic!("ARCHIPEL_UNDER_TEST is etcd or archipel, not {other}"),
        }
    }
}

/// One process of a cluster.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) client_port: u16,
    pub(crate) peer_port: u16,
    pub(crate) folder: PathBuf,
    log: PathBuf,
    child: Option<Child>,
}

impl Member {
    fn new(root: &Path, name: String) -> Self {
        Self {
            client_port: archipel_tests::free_port(),
            peer_port: archipel_tests::free_port(),
            folder: root.join(&name),
            log: root.join(format!("{name}.log")),
            name,
            child: None,
        }
    }

    /// The address that clients use.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.client_port)
    }

    /// The address as people type it.
    pub(crate) fn host_and_port(&self) -> String {
        format!("127.0.0.1:{}", self.client_port)
    }

    /// Ends the process at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            child.wait().expect("a process that was killed ends");
        }
    }

    fn spawn(&mut self, mut command: Command) {
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::piped());
        self.child = Some(command.spawn().expect("the program can be started"));
    }

    fn last_lines(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        format!("---- {}\n{}\n", self.name, lines[lines.len().saturating_sub(25)..].join("\n"))
    }
}

/// A cluster. Ends with its value; its folder goes unless the test failed.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) program: Program,
    pub(crate) members: Vec<Member>,
    pub(crate) folder: PathBuf,
    /// What each member is told besides.
    words: Vec<String>,
}

impl Cluster {
    /// As [`Cluster::start`], and waits until each member answers a linearizable read.
    pub(crate) fn start_and_elect(program: Program, count: usize) -> Self {
        let cluster = Self::start(program, count);
        cluster.wait_until_served();
        cluster
    }

    /// Starts `count` members of `program` and waits until they listen.
    pub(crate) fn start(program: Program, count: usize) -> Self {
        Self::start_named(program, (1..=count).map(|number| format!("member{number}")))
    }

    /// Starts a member of each name and waits until they listen.
    pub(crate) fn start_named(program: Program, names: impl Iterator<Item = String>) -> Self {
        Self::start_with(program, names, &[])
    }

    /// Starts a member of each name, with these words besides, and waits until they listen.
    pub(crate) fn start_with(
        program: Program,
        names: impl Iterator<Item = String>,
        words: &[&str],
    ) -> Self {
        let mut cluster = Self::prepare(program, names);
        cluster.words = words.iter().map(|word| (*word).to_owned()).collect();
        for place in 0..cluster.members.len() {
            cluster.start_member(place);
        }
        cluster.wait_until_they_listen();
        cluster
    }

    /// A member of each name, none of which runs yet.
    pub(crate) fn prepare(program: Program, names: impl Iterator<Item = String>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("etcd-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let members = names.map(|name| Member::new(&folder, name)).collect();
        Self { program, members, folder, words: Vec::new() }
    }

    /// Starts the member in this place, for the first time or again.
    pub(crate) fn start_member(&mut self, place: usize) {
        let mut command = match self.program {
            Program::Etcd => etcd::command(&self.members, place),
            Program::Archipel => archipel::command(&self.members, place),
        };
        command.args(&self.words);
        self.members[place].spawn(command);
    }

    /// The addresses that clients use.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.members.iter().map(Member::address).collect()
    }

    /// Waits until each member answers a linearizable read.
    pub(crate) fn wait_until_served(&self) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for address in self.addresses() {
                wait_until_served(&address).await;
            }
        });
    }

    pub(crate) fn wait_until_they_listen(&self) {
        let deadline = Instant::now() + SOON;
        for member in &self.members {
            while TcpStream::connect(("127.0.0.1", member.client_port)).is_err() {
                assert!(Instant::now() < deadline, "no start in {SOON:?}\n{}", member.last_lines());
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// Waits until a member answers a linearizable read.
async fn wait_until_served(address: &str) {
    let endpoint = Endpoint::from_shared(address.to_owned()).expect("an address is well formed");
    let mut kv = KvClient::new(endpoint.connect_lazy());
    let deadline = Instant::now() + SOON;
    let read = RangeRequest { key: "any".into(), ..RangeRequest::default() };
    while let Err(status) = kv.range(read.clone()).await {
        assert!(Instant::now() < deadline, "{address} does not serve in {SOON:?}: {status}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for member in &mut self.members {
            member.kill();
        }
        if thread::panicking() {
            self.members.iter().for_each(|member| eprintln!("{}", member.last_lines()));
            eprintln!("The folder {} is kept.", self.folder.display());
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

//! Servers that speak the protocol: processes on this machine that end with their value.

use std::{
    env, fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use archipel_tests::{free_port, program};

/// How long a server may take to start.
const SOON: Duration = Duration::from_secs(30);

/// The longest job that ours takes, which beanstalkd is told to take too.
const JOB_BYTES_MAX: u32 = 1 << 20;

/// A server: one process of beanstalkd, or a cluster of ours.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where clients of beanstalkd are served: one port for each node.
    pub(crate) ports: Vec<u16>,
    children: Vec<Child>,
    folder: Option<PathBuf>,
}

/// How many nodes a cluster of ours has: `ARCHIPEL_MEMBERS`, or one.
pub(crate) fn members() -> usize {
    env::var("ARCHIPEL_MEMBERS").map_or(1, |text| text.parse().expect("a number of members"))
}

impl Server {
    /// Debian's beanstalkd.
    pub(crate) fn beanstalkd() -> Self {
        let port = free_port();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "beanstalkd", "-l", "127.0.0.1"]);
        command.args(["-p", &port.to_string(), "-z", &JOB_BYTES_MAX.to_string()]);
        let child = command.stderr(Stdio::null()).spawn().expect("beanstalkd can be started");
        let server = Self { ports: vec![port], children: vec![child], folder: None };
        server.wait_until_it_serves();
        server
    }

    /// A cluster of `count` nodes of ours.
    pub(crate) fn archipel(count: usize) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("beanstalkd-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let nodes: Vec<[u16; 3]> =
            (0..count).map(|_| [free_port(), free_port(), free_port()]).collect();
        let children = (0..count).map(|place| start_node(&folder, &nodes, place)).collect();
        let ports = nodes.iter().map(|[_, _, beanstalkd]| *beanstalkd).collect();
        let server = Self { ports, children, folder: Some(folder) };
        server.wait_until_it_serves();
        server
    }

    /// Waits until every port replies to a request that needs a leader.
    fn wait_until_it_serves(&self) {
        let deadline = Instant::now() + SOON;
        for port in &self.ports {
            while !replies(*port) {
                assert!(Instant::now() < deadline, "port {port} does not serve within {SOON:?}");
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

fn start_node(folder: &Path, nodes: &[[u16; 3]], place: usize) -> Child {
    let [client, peer, beanstalkd] = nodes[place];
    let others = nodes.iter().enumerate().filter(|(other, _)| *other != place);
    let peers: Vec<String> = others
        .map(|(other, [client, peer, _])| format!("node{other}=127.0.0.1:{client}/{peer}"))
        .collect();
    let name = format!("node{place}");
    let log = fs::File::create(folder.join(format!("{name}.log"))).unwrap();
    let mut command = Command::new(program());
    command
        .args(["node", "--system", "queue", "--stop-with-stdin", "--name", &name, "--dir"])
        .arg(folder.join(&name))
        .args(["--port", &client.to_string(), "--peer-port", &peer.to_string()])
        .args(["--beanstalkd-address", &format!("127.0.0.1:{beanstalkd}")]);
    if !peers.is_empty() {
        command.args(["--peers", &peers.join(",")]);
    }
    for variable in ["NODE_ID", "PEER_IDS", "PORT", "CLUSTER_TOKEN", "ARCHIPEL_CONFIG"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
    command.spawn().expect("the program can be started")
}

fn replies(port: u16) -> bool {
    use std::io::{Read, Write};
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    stream.set_read_timeout(Some(SOON)).unwrap();
    let mut reply = [0; 9];
    stream.write_all(b"peek 1\r\n").is_ok()
        && stream.read_exact(&mut reply).is_ok()
        && reply == *b"NOT_FOUND"
}

impl Drop for Server {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        match &self.folder {
            Some(folder) if thread::panicking() => {
                eprintln!("The folder {} is kept.", folder.display());
            }
            Some(folder) => drop(fs::remove_dir_all(folder)),
            None => {}
        }
    }
}

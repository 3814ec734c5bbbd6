//! `archipel dht`: processes of ours among each other, and with libtorrent if Debian's python3-libtorrent is there.

use std::{
    fmt::Write as _,
    io::{BufRead as _, BufReader, Write as _},
    net::UdpSocket,
    process::{Child, Command, Stdio},
};

use crate::cluster::{archipel, run};

/// Nodes of ours in a process, gone with the test.
struct Nodes {
    process: Child,
    port: u16,
}

fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("there are free ports");
    socket.local_addr().expect("it is bound").port().min(60_000)
}

impl Nodes {
    fn up(count: u16) -> Self {
        // A port that is free now; the others follow it.
        let port = free_port();
        let words = ["dht", "up", "--nodes", &count.to_string(), "--port", &port.to_string()];
        let mut process = archipel()
            .args(words)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let mut line = String::new();
        let stdout = process.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says something");
        assert!(line.contains("nodes are up"), "{line}");
        Self { process, port }
    }

    fn address(&self, number: u16) -> String {
        format!("127.0.0.1:{}", self.port + number)
    }

    /// Runs a command of ours against one of them; gives what it printed.
    fn ask(&self, number: u16, words: &[&str]) -> String {
        let output = run(&[&["dht"], words, &["--node", &self.address(number)]].concat());
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{complaint}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).expect("it was running");
    }
}

const SECRET: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const PUBLIC: &str = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";

#[test]
fn what_is_put_at_one_node_is_got_at_another() {
    let nodes = Nodes::up(10);
    let target = nodes.ask(0, &["put", "hello"]);
    assert_eq!(nodes.ask(9, &["get", &target]), "hello");
    let key = nodes.ask(1, &["put", "one", "--sign", SECRET]);
    assert_eq!(nodes.ask(2, &["put", "two", "--sign", SECRET, "--seq", "2", "--if-seq", "1"]), key);
    assert_eq!(nodes.ask(8, &["get", &key]), "two");
    let address = nodes.address(3);
    let old = run(&["dht", "put", "one", "--sign", SECRET, "--node", &address]);
    assert_eq!(old.status.code(), Some(1), "a value with a lower number is refused");
}

#[test]
fn nothing_leaves_this_machine_unless_it_is_asked_for() {
    let output = run(&["dht", "put", "hello", "--node", "192.0.2.1:6881"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--on-the-public-network"));
}

#[test]
fn libtorrent_finds_what_we_store_and_we_what_it_stores() {
    if !has_libtorrent() {
        eprintln!("SKIPPED: python3-libtorrent is not installed, so no libtorrent was talked to.");
        return;
    }
    let nodes = Nodes::up(10);
    let target = nodes.ask(0, &["put", "hello"]);
    let key = nodes.ask(0, &["put", "signed", "--sign", SECRET]);
    let mut script = String::new();
    writeln!(script, "find {target} hello\nfind-key {PUBLIC} signed").unwrap();
    writeln!(script, "sign {SECRET} {PUBLIC} from-libtorrent\npeers {target}\nend").unwrap();
    let mut python = python();
    python.arg("../tests/foreign/python/dht_libtorrent.py").arg((nodes.port + 3).to_string());
    python.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = python.spawn().unwrap();
    process.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.matches("held: ").count() == 12, "{said}");
    let theirs = said.lines().find_map(|line| line.strip_prefix("target: ")).unwrap();
    assert_eq!(nodes.ask(5, &["get", theirs]), "from libtorrent");
    assert_eq!(nodes.ask(6, &["get", &key]), "from-libtorrent");
}

/// Debian's, for which its packages are.
fn python() -> Command {
    Command::new("/usr/bin/python3")
}

fn has_libtorrent() -> bool {
    let mut python = python();
    python.args(["-c", "import libtorrent"]).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}

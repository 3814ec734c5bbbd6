//! `archipel up`: one command starts a cluster, watches over it, and stops it.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    client::Client,
    cluster::{Folder, Turn, archipel, free_ports, program, wait_for},
};

/// `archipel up` at work.
struct Up {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Up {
    /// Starts it with these words; its lines are collected.
    fn start(words: &[&str]) -> Self {
        let mut child = Command::new(program())
            .arg("up")
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the binary can be started");
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let collected = Arc::clone(&lines);
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                collected.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { child, lines }
    }

    /// Waits for a line with these words, after `from` lines.
    fn wait_for_line(&self, words: &str, from: usize) -> String {
        wait_for(words, || {
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            lines.iter().skip(from).find(|line| line.contains(words)).cloned()
        })
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a signal and waits for the end; the exit code.
    fn end(&mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), signal).expect("it is our child, and it runs");
        let status =
            wait_for("the end of `up`", || self.child.try_wait().expect("it is our child"));
        status.code()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("{}", self.lines().join("\n"));
        }
    }
}

/// A folder and ports for a cluster of up to five nodes.
struct Place {
    folder: Folder,
    dir: String,
    port: u16,
    _turn: Turn,
}

impl Place {
    fn new(test: &str) -> Self {
        let turn = Turn::shared();
        let folder = Folder::new(test);
        let dir = folder.path.join("data").to_str().expect("the path is text").to_owned();
        Self { folder, dir, port: free_ports(5, &[0, 1000]), _turn: turn }
    }

    /// Starts `up` here and waits until all nodes are up.
    fn up(&self, words: &[&str]) -> Up {
        let up = Up::start(&[&["--dir", &self.dir], words].concat());
        up.wait_for_line("All nodes are up.", 0);
        up
    }

    fn client(&self, place: u16) -> Client {
        Client::new(self.port + place).that_asks_again()
    }
}

fn process_id(client: &mut Client) -> Option<i32> {
    let status = client.get("/status").ok()?.json();
    i32::try_from(status["node"]["processId"].as_i64()?).ok()
}

#[test]
fn one_command_starts_a_cluster_watches_over_it_and_stops_it() {
    let place = Place::new("up");
    let port = place.port.to_string();
    let mut up = place.up(&["--port", &port]);
    up.wait_for_line("leads, in term", 0);
    assert_eq!(place.client(0).put("foo", "bar").unwrap().status, 200);

    let victim = wait_for("a process id", || process_id(&mut place.client(1)));
    let before = up.lines().len();
    kill_process(Pid::from_raw(victim).expect("no process has the id 0"), Signal::KILL).unwrap();
    up.wait_for_line("node2 (process", before);
    up.wait_for_line("node2 is started", before);
    let read = wait_for("an answer of the node that was started again", || {
        place.client(1).get("/kv/foo").ok().filter(|answer| answer.status == 200)
    });
    assert_eq!(read.json()["value"], "bar");
    assert_ne!(process_id(&mut place.client(1)), Some(victim));

    assert_eq!(up.end(Signal::INT), Some(0), "{:?}", up.lines());
    up.wait_for_line("Stopped.", before);
    assert!(place.client(0).get("/health").is_err(), "no node outlives a stop");

    let mut up = place.up(&[]);
    assert_eq!(place.client(2).get("/kv/foo").unwrap().json()["value"], "bar");
    assert_eq!(up.end(Signal::TERM), Some(0));
}

#[test]
fn nodes_do_not_outlive_an_up_that_is_killed_and_nothing_is_lost() {
    let place = Place::new("up-killed");
    let port = place.port.to_string();
    let mut up = place.up(&["--port", &port, "--nodes", "1"]);
    assert_eq!(place.client(0).put("foo", "bar").unwrap().status, 200);
    up.end(Signal::KILL);
    wait_for("the node to stop", || place.client(0).get("/health").is_err().then_some(()));
    let again = wait_for("the ports to be free", || {
        TcpListener::bind(("127.0.0.1", place.port + 1000)).ok()
    });
    drop(again);
    let _up = place.up(&["--nodes", "1"]);
    assert_eq!(place.client(0).get("/kv/foo").unwrap().json()["value"], "bar");
}

#[test]
fn up_brings_a_node_with_damaged_data_back_as_a_new_member() {
    let place = Place::new("up-repair");
    let port = place.port.to_string();
    let mut up = place.up(&["--port", &port, "--", "--segment-mib", "8"]);
    let value = "x".repeat(1_000_000);
    for number in 0..12 {
        assert_eq!(place.client(0).put(&format!("key{number}"), &value).unwrap().status, 200);
    }
    up.end(Signal::INT);
    let log = place.folder.path.join("data/node2/log");
    fs::remove_file(log.join("0000000000000001.log")).unwrap();

    let mut up = place.up(&["--", "--segment-mib", "8"]);
    up.wait_for_line("lacks its segment 1", 0);
    up.wait_for_line("node2 is back as a full member.", 0);
    let copies = || Some((place.client(0).copy()?, place.client(1).copy()?));
    wait_for("the data on both", || copies().filter(|(one, two)| one == two && one.len() == 12));
    assert_eq!(up.end(Signal::INT), Some(0));

    // The next start needs no repair.
    let up = place.up(&["--", "--segment-mib", "8"]);
    assert!(!up.lines().iter().any(|line| line.contains("new member")), "{:?}", up.lines());
}

#[test]
fn what_cannot_work_is_refused_with_a_sentence_and_an_exit_code() {
    let place = Place::new("up-refused");
    let port = place.port.to_string();
    let here = ["--dir", place.dir.as_str()];
    let run = |words: &[&str]| archipel(&[&["up"], words].concat());

    // A start that was refused leaves the folder as it was: other ports may be tried in it.
    let taken = TcpListener::bind(("127.0.0.1", place.port + 1001)).unwrap();
    run(&[&here[..], &["--port", &port]].concat()).expect(2, "cannot be used");
    drop(taken);
    let next_port = (place.port + 1).to_string();
    let mut up = place.up(&["--port", &next_port]);
    run(&here).expect(2, "Another `archipel up` runs");
    let elsewhere = format!("{}-other", place.dir);
    run(&["--dir", &elsewhere, "--port", &next_port]).expect(2, "cannot be used");
    assert_eq!(up.end(Signal::INT), Some(0));

    run(&[&here[..], &["--nodes", "5"]].concat()).expect(2, "holds a cluster of 3 nodes");
    run(&[&here[..], &["--port", &port]].concat()).expect(2, "was made for the ports");
    assert_eq!(run(&["--nodes", "4"]).code, Some(2));

    // The data of one node of another cluster in this cluster's folder.
    let other = Place::new("up-other");
    let mut up = other.up(&["--port", &other.port.to_string(), "--nodes", "1"]);
    assert_eq!(up.end(Signal::INT), Some(0));
    fs::remove_dir_all(place.folder.path.join("data/node1")).unwrap();
    let foreign = other.folder.path.join("data/node1");
    fs::rename(foreign, place.folder.path.join("data/node1")).unwrap();
    let mut up = Up::start(&here);
    up.wait_for_line("belongs to another cluster", 0);
    thread::sleep(Duration::from_millis(100));
    up.end(Signal::INT);

    fs::create_dir(&elsewhere).ok();
    fs::write(format!("{elsewhere}/thesis.tex"), "x").unwrap();
    run(&["--dir", &elsewhere]).expect(2, "it is not empty");
}

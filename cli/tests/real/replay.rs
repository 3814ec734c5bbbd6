//! `archipel replay`: files written by nodes that really stopped, and the exit codes.

use std::{
    collections::BTreeMap,
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use host::Recorder;
use kernel::{
    EntryId, HardState, Incarnation, Index, Input, Instant, Member, Membership, Node, NodeId, Peer,
    Stamp, Term,
};
use raft::{Body, Config, Message, Raft};
use serde_json::Value;

use crate::{
    cluster::{Folder, Running, archipel, free_ports, run, turn, until},
    http::{get, post},
};

const ME: Peer = Peer { node: NodeId(1), incarnation: Incarnation(1) };

fn replica() -> Raft {
    let members: BTreeMap<NodeId, Member> =
        (1..=3).map(|node| (NodeId(node), Member::default())).collect();
    let boot = raft::Boot {
        me: ME,
        seed: 1,
        hard: HardState::default(),
        base: EntryId::default(),
        base_stamp: Stamp(0),
        membership: Membership::of_voters(members),
        entries: Vec::new(),
        applied: Index(0),
        uncertain_until: None,
    };
    Raft::new(Config::default(), boot, Instant(0))
}

/// A heartbeat in term 5, at which the replica learns that `leader` leads.
fn heartbeat(leader: u64) -> Input<Message, raft::Request> {
    let body = Body::Heartbeat { commit: Index(0), round: 1 };
    let from = Peer { node: NodeId(leader), incarnation: Incarnation(1) };
    Input::Message { from, message: Message { term: Term(5), body } }
}

/// The file of a replica that hears from these leaders and, if it does not break, is said to have.
fn file(folder: &Folder, leaders: &[u64]) -> PathBuf {
    let mut node = replica();
    let mut broken = String::from("something");
    let mut recorder = Recorder::new(&node);
    for (now, leader) in (1_000_000..).step_by(1_000_000).zip(leaders) {
        let input = heartbeat(*leader);
        recorder.record(&node, Instant(now), &input);
        let handle = || node.handle(Instant(now), input, &mut Vec::new());
        if let Err(payload) = catch_unwind(AssertUnwindSafe(handle)) {
            let said = payload.downcast::<String>().expect("the assertion says what it found");
            broken = format!("an invariant: {said}");
        }
    }
    let path = folder.path().join("last-inputs-1.replay");
    fs::write(&path, recorder.to_file(ME, &broken)).expect("there is room for a file");
    path
}

/// The exit code and what was printed.
fn replay(path: &Path, words: &[&str]) -> (i32, String) {
    let file = path.to_str().expect("the path is text");
    let output = run(&[&["replay", file], words].concat());
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let code = output.status.code().expect("no signal ended it");
    (code, String::from_utf8(said).expect("all output is text"))
}

#[test]
fn the_invariant_breaks_again_and_is_named_with_its_place() {
    let folder = Folder::new("replay-again");
    let path = file(&folder, &[2, 2, 3]);
    let (code, said) = replay(&path, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("       2          2.000  1 ← 2 Heartbeat@5 round 1 commit 0\n"),
        "{said}"
    );
    assert!(said.contains("⇨ follower of 2 in term 5"), "{said}");
    let verdict = said.lines().last().unwrap();
    assert!(verdict.starts_with("Input 3 breaks an invariant: "), "{said}");
    assert!(verdict.contains("two leaders in term 5; left: NodeId(2)"), "{said}");
    assert!(verdict.contains("(raft/src/follower.rs:"), "{said}");
    assert!(verdict.ends_with("It is the one on file."), "{said}");
}

#[test]
fn what_is_shown_can_be_chosen_and_read_by_programs() {
    let folder = Folder::new("replay-json");
    let path = file(&folder, &[2; 80]);
    let numbers = |words: &[&str]| -> Vec<u64> {
        let (code, said) = replay(&path, &[&["--json"], words].concat());
        assert_eq!(code, 0, "{said}");
        let report: Value = serde_json::from_str(&said).unwrap();
        assert_eq!((&report["broken"], report["last"].as_u64()), (&Value::Null, Some(80)));
        let inputs = report["inputs"].as_array().unwrap();
        inputs.iter().map(|input| input["number"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers(&[]), (31..=80).collect::<Vec<_>>());
    assert_eq!(numbers(&["--from", "3"]), (3..=80).collect::<Vec<_>>());
    let (code, said) = replay(&path, &["--from", "81"]);
    assert_eq!((code, said.contains("it has inputs 1 to 80")), (2, true), "{said}");
    let (code, said) = replay(&path, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("ran without breaking anything. On file is: something."), "{said}");
}

#[test]
fn a_file_that_cannot_be_used_is_exit_code_2() {
    let folder = Folder::new("replay-unusable");
    let path = file(&folder, &[2]);
    let whole = fs::read(&path).unwrap();
    let refusal = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let (code, said) = replay(&path, &[]);
        assert_eq!(code, 2, "{said}");
        said
    };
    assert!(refusal(b"no such file").contains("does not hold the last inputs"));
    assert!(refusal(&whole[..whole.len() - 1]).contains("is damaged"));
    let mut other = whole;
    other[16] = b'9';
    let said = refusal(&other);
    assert!(said.contains("archipel 9.1.0 wrote it and this is archipel"), "{said}");
    fs::remove_file(&path).unwrap();
    assert!(replay(&path, &[]).1.contains("cannot be read"));
}

fn node(folder: &Path, port: u16, own: u16) -> Running {
    let name = |place: u16| format!("node{}", place + 1);
    let others = (0..3u16).filter(|other| *other != own);
    let peers: Vec<String> =
        others.map(|it| format!("{}=127.0.0.1:{}", name(it), port + it)).collect();
    let mut command = archipel();
    command.args(["node", "--dir"]).arg(folder.join(name(own)));
    command.args(["--name", &name(own), "--port", &(port + own).to_string()]);
    Running::start(command.args(["--peers", &peers.join(",")]))
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// A node whose whole folder is put back to an older copy no longer has what it has acknowledged. Its
/// leader tells it so, it stops, and says which file to run; the run ends with the same words.
#[test]
fn a_node_that_stops_itself_names_the_file_and_the_file_tells_why() {
    let _turn = turn();
    let (folder, port) = (Folder::new("replay-real"), free_ports());
    let mut nodes: Vec<Running> = (0..3).map(|own| node(folder.path(), port, own)).collect();
    let write = |number: u64| {
        until("a write is taken", || {
            let body = format!(r#"{{"key":"k{number}","value":"v"}}"#);
            (post(port, "/kv", &body).status == 200).then_some(())
        });
    };
    nodes[0].wait_for("is now the leader");
    write(1);
    assert_eq!(nodes[2].stop().code(), Some(0));
    let (data, copy) = (folder.path().join("node3"), folder.path().join("copy"));
    copy_folder(&data, &copy).unwrap();
    nodes[2] = node(folder.path(), port, 2);
    nodes[2].wait_for("is ready for clients");
    (2..30).for_each(write);
    until("node 3 has them all", || {
        (get(port + 2, "/kv/k29?consistency=stale").status == 200).then_some(())
    });
    assert_eq!(nodes[2].stop().code(), Some(0));
    fs::remove_dir_all(&data).unwrap();
    copy_folder(&copy, &data).unwrap();
    nodes[2] = node(folder.path(), port, 2);
    let line = nodes[2].wait_for("`archipel replay ");
    assert_eq!(nodes[2].end().code(), Some(70));
    let file = line.split("`archipel replay ").nth(1).and_then(|rest| rest.split('`').next());
    let (code, said) = replay(Path::new(file.unwrap()), &[]);
    assert_eq!(code, 1, "{said}");
    let verdict = said.lines().last().unwrap();
    assert!(verdict.contains("acknowledged entries up to"), "{said}");
    assert!(verdict.ends_with("It is the one on file."), "{said}");
}

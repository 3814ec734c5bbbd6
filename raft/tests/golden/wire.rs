//! The bytes of every message, as they were when their kind was made: a later build must still read
//! them. Lines are only ever added to `messages.txt`.

use std::{collections::BTreeSet, fs, io};

use archipel_raft::{AppendOutcome, Body, Change, ForwardOutcome, Message, Proposal, Request};
use kernel::{
    Bytes, ClientId, DiskId, Entry, EntryHead, EntryId, EntryKind, Incarnation, Index, Member,
    NodeId, Origin, Peer, Refusal, Session, Stamp, Term, Ticket, Wire,
};

const FILE: &str = "tests/golden/messages.txt";
const ID: EntryId = EntryId { term: Term(3), index: Index(7) };
const LIFE: Incarnation = Incarnation(2);
const SESSION: Session = Session { client: ClientId(11), serial: 12 };

fn entry(kind: EntryKind, is_full: bool) -> Entry {
    let peer = Peer { node: NodeId(1), incarnation: LIFE };
    let head = EntryHead {
        id: ID,
        kind,
        stamp: Stamp(5),
        wall_ms: 6,
        origin: is_full.then_some(Origin { peer, ticket: Ticket(9) }),
        session: is_full.then_some(SESSION),
    };
    Entry::new(head, if is_full { b"data" } else { b"" })
}

fn append(entries: Vec<Entry>) -> Body {
    Body::Append { previous: ID, entries, commit: Index(4) }
}

fn forward(request: Request) -> Body {
    let proposal = Proposal { ticket: Ticket(9), request, wall_ms: 6 };
    Body::Forward { to: LIFE, number: 8, proposals: vec![proposal] }
}

fn change(change: Change) -> Body {
    forward(Request::Change(change))
}

fn reply(outcome: ForwardOutcome) -> Body {
    Body::ForwardReply { asked_by: LIFE, ticket: Ticket(9), outcome }
}

fn refused(refusal: Refusal) -> Body {
    reply(ForwardOutcome::Refused(refusal))
}

fn elections() -> Vec<(&'static str, Body)> {
    vec![
        ("pre-vote", Body::PreVote { last: ID }),
        ("pre-vote reply", Body::PreVoteReply { asked_by: LIFE, asked_in: Term(2), granted: true }),
        ("vote", Body::Vote { last: ID, transfer: false }),
        ("vote for a transfer", Body::Vote { last: ID, transfer: true }),
        ("vote reply", Body::VoteReply { asked_by: LIFE, granted: false }),
        ("timeout now", Body::TimeoutNow),
    ]
}

fn replication() -> Vec<(&'static str, Body)> {
    let accepted = AppendOutcome::Accepted { matched: Index(7) };
    let rejected = AppendOutcome::Rejected { previous: Index(8), hint: ID, last: Index(9) };
    vec![
        ("append, a probe", append(vec![])),
        ("append, a no-op", append(vec![entry(EntryKind::Noop, false)])),
        ("append, a command", append(vec![entry(EntryKind::Command, true)])),
        ("append, a configuration", append(vec![entry(EntryKind::Configuration, false)])),
        ("append, a tick", append(vec![entry(EntryKind::Tick, false)])),
        ("append reply, accepted", Body::AppendReply { asked_by: LIFE, outcome: accepted }),
        ("append reply, rejected", Body::AppendReply { asked_by: LIFE, outcome: rejected }),
        ("heartbeat", Body::Heartbeat { commit: Index(4), round: 10 }),
        (
            "heartbeat reply",
            Body::HeartbeatReply {
                asked_by: LIFE,
                round: 10,
                received: Index(7),
                matched: Index(6),
            },
        ),
        ("commit", Body::Commit { commit: Index(4) }),
        ("lost", Body::Lost { acknowledged: Index(4) }),
    ]
}

fn requests() -> Vec<(&'static str, Body)> {
    let member = Member {
        name: "node4".into(),
        peer_address: "a:1".into(),
        client_address: "b:2".into(),
        disk: DiskId(13),
    };
    let command = |session| Request::Command { data: Bytes::from_static(b"data"), session };
    let (node, replacing) = (NodeId(4), Some(NodeId(3)));
    let voters = BTreeSet::from([NodeId(1), NodeId(4)]);
    vec![
        ("forward, a command", forward(command(None))),
        ("forward, a command of a session", forward(command(Some(SESSION)))),
        ("forward, a read", forward(Request::Read)),
        ("forward, a learner", change(Change::AddLearner { node, member })),
        ("forward, a promotion", change(Change::Promote { node, replacing: None })),
        ("forward, a replacement", change(Change::Promote { node, replacing })),
        ("forward, a removal", change(Change::Remove { node })),
        ("forward, voters", change(Change::SetVoters(voters))),
        ("forward, a transfer", forward(Request::Transfer { to: None })),
        ("forward, a transfer to one", forward(Request::Transfer { to: Some(node) })),
        ("read index", Body::ReadIndex { number: 8 }),
        ("read index reply", Body::ReadIndexReply { asked_by: LIFE, number: 8, index: Index(7) }),
    ]
}

fn outcomes() -> Vec<(&'static str, Body)> {
    vec![
        ("done", reply(ForwardOutcome::Done(Bytes::from_static(b"answer")))),
        ("unknown", reply(ForwardOutcome::Unknown)),
        ("no leader", refused(Refusal::NoLeader)),
        ("leadership lost", refused(Refusal::LeadershipLost)),
        ("busy", refused(Refusal::Busy)),
        ("transferring", refused(Refusal::Transferring)),
        ("disk full", refused(Refusal::DiskFull)),
        ("too large", refused(Refusal::TooLarge { limit: 14 })),
        ("change under way", refused(Refusal::ChangeUnderWay)),
        ("bad change", refused(Refusal::BadChange("why".into()))),
        ("not caught up", refused(Refusal::NotCaughtUp { behind: 15 })),
        ("stopping", refused(Refusal::Stopping)),
        ("too few voters", refused(Refusal::TooFewVoters)),
    ]
}

fn messages() -> Vec<(&'static str, Message)> {
    let bodies = [elections(), replication(), requests(), outcomes()].concat();
    bodies.into_iter().map(|(name, body)| (name, Message { term: Term(3), body })).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map(pair).collect()
}

#[test]
fn every_message_is_written_as_ever() -> io::Result<()> {
    let line =
        |(name, message): &(&str, Message)| format!("{name}: {}\n", hex(&message.to_bytes()));
    let written: String = messages().iter().map(line).collect();
    if crate::is_updating() {
        fs::write(FILE, &written)?;
    }
    assert_eq!(fs::read_to_string(FILE)?, written);
    Ok(())
}

#[test]
fn every_message_is_read_as_ever() -> io::Result<()> {
    if crate::is_updating() {
        return Ok(());
    }
    let file = fs::read_to_string(FILE)?;
    for (line, (name, message)) in file.lines().zip(messages()) {
        let (_, hex) = line.split_once(": ").expect("a line is a name and bytes");
        let bytes = bytes(hex).expect("bytes are pairs of digits");
        assert_eq!(Message::from_bytes(bytes.into()), Ok(message), "{name}");
    }
    Ok(())
}

#[test]
fn no_cut_message_is_read() {
    for (name, message) in messages() {
        let bytes = message.to_bytes();
        for length in 0..bytes.len() {
            assert!(Message::from_bytes(bytes.slice(..length)).is_err(), "{name} of {length}");
        }
    }
}

//! Short lines for people: what a script's output is made of.

use archipel_raft::{AppendOutcome, Body, ForwardOutcome, Message, Proposal, Request};
use kernel::{
    Effect, Entry, EntryKind, Fault, FetchOutcome, HardState, Incarnation, Membership, NodeId,
    PersistNumber, Record, Role, Wire,
};

/// A command's label: its data up to the padding.
pub(crate) fn command(data: &[u8]) -> String {
    let label = data.split(|byte| *byte == 0).next().unwrap_or_default();
    let label: String = String::from_utf8_lossy(label).chars().take(12).collect();
    match data.len() {
        0..=12 => label,
        length @ 13..1024 => format!("{label}...({length} bytes)"),
        length => format!("{label}({} KiB)", length / 1024),
    }
}

pub(crate) fn list<T>(items: impl IntoIterator<Item = T>, print: impl Fn(T) -> String) -> String {
    items.into_iter().map(print).collect::<Vec<_>>().join(" ")
}

/// `3@2 put`: index, term, content.
pub(crate) fn entry(entry: &Entry) -> String {
    let content = match entry.kind() {
        EntryKind::Noop => "noop".into(),
        EntryKind::Command => command(entry.data()),
        EntryKind::Tick => "tick".into(),
        EntryKind::Configuration => Membership::from_bytes(entry.data().clone())
            .map_or_else(|malformed| malformed.to_string(), |next| format!("({})", members(&next))),
    };
    format!("{}:{content}", entry.id())
}

pub(crate) fn entries(entries: &[Entry]) -> String {
    list(entries, entry)
}

pub(crate) fn members(membership: &Membership) -> String {
    let set = |nodes: &mut dyn Iterator<Item = &NodeId>| list(nodes, |node| node.to_string());
    if membership.members.is_empty() {
        return "nobody".into();
    }
    let mut text = format!("voters {}", set(&mut membership.voters.iter()));
    if membership.is_joint() {
        text += &format!(" and {}", set(&mut membership.outgoing.iter()));
    }
    if !membership.learners.is_empty() {
        text += &format!(", learners {}", set(&mut membership.learners.iter()));
    }
    text
}

fn life(incarnation: Incarnation) -> String {
    if incarnation.0 == 1 { String::new() } else { format!(" to life {incarnation}") }
}

fn yes(granted: bool) -> &'static str {
    if granted { "yes" } else { "no" }
}

/// The word by which scripts pick messages.
pub(crate) const fn kind(message: &Message) -> &'static str {
    match message.body {
        Body::PreVote { .. } => "PreVote",
        Body::PreVoteReply { .. } => "PreVoteReply",
        Body::Vote { .. } => "Vote",
        Body::VoteReply { .. } => "VoteReply",
        Body::Append { .. } => "Append",
        Body::AppendReply { .. } => "AppendReply",
        Body::Heartbeat { .. } => "Heartbeat",
        Body::HeartbeatReply { .. } => "HeartbeatReply",
        Body::Commit { .. } => "Commit",
        Body::TimeoutNow => "TimeoutNow",
        Body::Forward { .. } => "Forward",
        Body::ForwardReply { .. } => "ForwardReply",
        Body::ReadIndex { .. } => "ReadIndex",
        Body::ReadIndexReply { .. } => "ReadIndexReply",
        Body::Lost { .. } => "Lost",
    }
}

/// `Kind@term` and what it says.
pub(crate) fn message(message: &Message) -> String {
    let says = match &message.body {
        Body::PreVote { last } => format!("last {last}"),
        Body::PreVoteReply { asked_by, asked_in, granted } => {
            format!("{} (asked in term {asked_in}){}", yes(*granted), life(*asked_by))
        }
        Body::Vote { last, transfer } => {
            format!("last {last}{}", if *transfer { " transfer" } else { "" })
        }
        Body::VoteReply { asked_by, granted } => format!("{}{}", yes(*granted), life(*asked_by)),
        Body::Append { previous, entries: sent, commit } => {
            format!("after {previous} [{}] commit {commit}", entries(sent))
        }
        Body::AppendReply { asked_by, outcome } => match outcome {
            AppendOutcome::Accepted { matched } => format!("matched {matched}{}", life(*asked_by)),
            AppendOutcome::Rejected { previous, hint, last } => format!(
                "rejected after {previous}, perhaps after {hint}, last {last}{}",
                life(*asked_by)
            ),
        },
        Body::Heartbeat { commit, round } => format!("round {round} commit {commit}"),
        Body::HeartbeatReply { asked_by, round, received, matched } => {
            format!("round {round} received {received} matched {matched}{}", life(*asked_by))
        }
        Body::Commit { commit } => format!("commit {commit}"),
        Body::TimeoutNow => String::new(),
        Body::Forward { to, number, proposals } => {
            format!("number {number} [{}]{}", list(proposals, proposal), life(*to))
        }
        Body::ForwardReply { asked_by, ticket, outcome } => {
            let outcome = match outcome {
                ForwardOutcome::Done(_) => "done".into(),
                ForwardOutcome::Refused(refusal) => format!("refused: {refusal}"),
                ForwardOutcome::Unknown => "unknown".into(),
            };
            format!("t{ticket} {outcome}{}", life(*asked_by))
        }
        Body::ReadIndex { number } => format!("question {number}"),
        Body::ReadIndexReply { asked_by, number, index } => {
            format!("question {number} index {index}{}", life(*asked_by))
        }
        Body::Lost { acknowledged } => format!("acknowledged {acknowledged}"),
    };
    format!("{}@{} {says}", kind(message), message.term).trim_end().into()
}

fn proposal(proposal: &Proposal) -> String {
    let wanted = match &proposal.request {
        Request::Command { data, session } => {
            let session = session.map_or_else(String::new, |session| {
                format!("(client {} serial {})", session.client, session.serial)
            });
            format!("{}{session}", command(data))
        }
        Request::Read => "read".into(),
        Request::Change(_) => "change".into(),
        Request::Transfer { .. } => "transfer".into(),
    };
    format!("t{}:{wanted}", proposal.ticket)
}

pub(crate) fn record(record: &Record) -> String {
    match record {
        Record::Entries(appended) => entries(appended),
        Record::Hard(HardState { term, vote, commit }) => {
            let vote = vote.map_or_else(|| "nobody".into(), |node| node.to_string());
            format!("term {term} vote {vote} commit {commit}")
        }
        Record::Truncate(from) => format!("truncate from {from}"),
        Record::Compact { through, membership, .. } => {
            format!("compact through {through} ({})", members(membership))
        }
        Record::Snapshot { meta, generation } => {
            format!(
                "snapshot {} generation {generation} ({})",
                meta.last,
                members(&meta.membership)
            )
        }
    }
}

/// One effect, without what only moves bytes about.
pub(crate) fn effect(effect: &Effect<Message>, finished: PersistNumber) -> String {
    match effect {
        Effect::Persist { number, records } => {
            let records = records.iter().map(record).collect::<Vec<_>>().join("; ");
            format!("writes #{number}: {}", if records.is_empty() { "nothing" } else { &records })
        }
        Effect::Send { to, message: sent, after } => {
            let gate = if *after > finished { format!(" (once #{after})") } else { String::new() };
            format!("→ {to} {}{gate}", message(sent))
        }
        Effect::Apply { entries: committed } => format!("applies {}", entries(committed)),
        Effect::MayFlush { through } => format!("may flush through {through}"),
        Effect::Answer { ticket, .. } => format!("t{ticket} done"),
        Effect::Refused { ticket, refusal } => format!("t{ticket} refused: {refusal}"),
        Effect::Unknown { ticket } => format!("t{ticket} unknown"),
        Effect::ReadReady { ticket, index } => format!("t{ticket} reads at {index}"),
        Effect::Fetch { first, last, .. } => format!("fetches {first} to {last}"),
        Effect::SendSnapshot { to } => format!("streams a snapshot to {to}"),
        Effect::InstallSnapshot { meta, generation } => {
            format!("installs snapshot {} generation {generation}", meta.last)
        }
        Effect::Members(membership) => format!("members: {}", members(membership)),
        Effect::Role { role, term, leader } => part(*role, term.0, *leader),
        Effect::Fault(fault) => format!("stops: {}", stop(fault)),
    }
}

fn part(role: Role, term: u64, leader: Option<NodeId>) -> String {
    match (role, leader) {
        (Role::Follower, Some(leader)) => format!("⇨ follower of {leader} in term {term}"),
        (Role::Follower, None) => format!("⇨ follower in term {term}, no leader"),
        (role, _) => format!("⇨ {} in term {term}", role.name()),
    }
}

fn stop(fault: &Fault) -> String {
    fault.to_string()
}

pub(crate) fn fetch_outcome(outcome: &FetchOutcome) -> String {
    match outcome {
        FetchOutcome::Entries(read) => format!("reads back {}", entries(read)),
        FetchOutcome::Compacted => "finds them compacted".into(),
        FetchOutcome::Failed => "cannot read them".into(),
    }
}

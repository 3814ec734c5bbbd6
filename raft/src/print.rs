//! Short lines for people: what comes to a replica and what it says, in the format of the golden
//! scripts. The simulator's traces are made of the same lines.
//!
//! ```text
//! 2 ← 1 Append@4 after 2@2 [3@4:noop] commit 0        an input: who, what          Printer::input
//!   writes #4: 3@4:noop                               an effect of it              Printer::effect
//!   → 1 AppendReply@4 matched 3 (once #4)             one that waits for write 4
//!   ⇨ follower of 1 in term 4                         the replica's part
//! ```
//! `3@4:noop` is the entry at index 3 of term 4; `#4` is the number of a write; `t7` is a request's
//! ticket.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

use kernel::{
    Effect, Entry, EntryKind, FetchOutcome, HardState, Incarnation, Input, Membership, NodeId,
    PersistNumber, Record, Role, StorageFault, Wire,
};

use crate::{
    message::{AppendOutcome, Body, ForwardOutcome, Message, Proposal},
    request::{Change, Request},
};

/// Prints what a replica takes and says.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    /// The words for a command's bytes, which Raft does not know. Without spaces if a list of entries
    /// is to read well.
    pub command: fn(&[u8]) -> String,
}

/// A command's label where nothing else is known of it: its data up to the padding.
#[must_use]
pub fn label(data: &[u8]) -> String {
    let label = data.split(|byte| *byte == 0).next().unwrap_or_default();
    let label: String = String::from_utf8_lossy(label).chars().take(12).collect();
    match data.len() {
        0..=12 => label,
        length @ 13..1024 => format!("{label}...({length} bytes)"),
        length => format!("{label}({} KiB)", length / 1024),
    }
}

/// Items printed one by one, with spaces between them.
#[must_use]
pub fn list<T>(items: impl IntoIterator<Item = T>, print: impl Fn(T) -> String) -> String {
    items.into_iter().map(print).collect::<Vec<_>>().join(" ")
}

/// `voters 1 2 3, learners 4`
#[must_use]
pub fn members(membership: &Membership) -> String {
    let set = |nodes: &mut dyn Iterator<Item = &NodeId>| list(nodes, |node| format!("{node}"));
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

/// The word for a message's kind, by which scripts pick messages.
#[must_use]
pub const fn kind(message: &Message) -> &'static str {
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

impl Printer {
    /// `3@2:put`: index, term, content.
    #[must_use]
    pub fn entry(&self, entry: &Entry) -> String {
        let content = match entry.kind() {
            EntryKind::Noop => "noop".into(),
            EntryKind::Command => (self.command)(entry.data()),
            EntryKind::Tick => "tick".into(),
            EntryKind::Configuration => Membership::from_bytes(entry.data().clone()).map_or_else(
                |malformed| format!("{malformed}"),
                |next| format!("({})", members(&next)),
            ),
        };
        format!("{}:{content}", entry.id())
    }

    /// Entries, with spaces between them.
    #[must_use]
    pub fn entries(&self, entries: &[Entry]) -> String {
        list(entries, |entry| self.entry(entry))
    }

    /// `Kind@term` and what it says.
    #[must_use]
    pub fn message(&self, message: &Message) -> String {
        let says = match &message.body {
            Body::Append { previous, entries, commit } => {
                format!("after {previous} [{}] commit {commit}", self.entries(entries))
            }
            Body::Forward { to, number, proposals } => {
                let proposals = list(proposals, |proposal| self.proposal(proposal));
                format!("number {number} [{proposals}]{}", life(*to))
            }
            body => said(body),
        };
        format!("{}@{} {says}", kind(message), message.term).trim_end().into()
    }

    fn proposal(&self, proposal: &Proposal) -> String {
        let wanted = match &proposal.request {
            Request::Change(_) => "change".into(),
            Request::Transfer { .. } => "transfer".into(),
            request => self.request(request),
        };
        format!("t{}:{wanted}", proposal.ticket)
    }

    /// What a client wants.
    #[must_use]
    pub fn request(&self, request: &Request) -> String {
        match request {
            Request::Command { data, session } => {
                let session = session.map_or_else(String::new, |session| {
                    format!("(client {} serial {})", session.client, session.serial)
                });
                format!("{}{session}", (self.command)(data))
            }
            Request::Read => "read".into(),
            Request::Change(change) => change_wanted(change),
            Request::Transfer { to: None } => "transfer".into(),
            Request::Transfer { to: Some(to) } => format!("transfer to {to}"),
        }
    }

    /// A record that is written to the log.
    #[must_use]
    pub fn record(&self, record: &Record) -> String {
        match record {
            Record::Entries(appended) => self.entries(appended),
            Record::Hard(HardState { term, vote, commit }) => {
                let vote = vote.map_or_else(|| "nobody".into(), |node| format!("{node}"));
                format!("term {term} vote {vote} commit {commit}")
            }
            Record::Truncate(from) => format!("truncate from {from}"),
            Record::Compact { through, membership, .. } => {
                format!("compact through {through} ({})", members(membership))
            }
            Record::Snapshot { meta, generation } => {
                let members = members(&meta.membership);
                format!("snapshot {} generation {generation} ({members})", meta.last)
            }
        }
    }

    /// One input of `node`, as the line under which its effects stand.
    #[must_use]
    pub fn input(&self, node: NodeId, input: &Input<Message, Request>) -> String {
        match input {
            Input::Message { from, message } => {
                format!("{node} ← {} {}", from.node, self.message(message))
            }
            Input::Request { ticket, request, .. } => {
                format!("{node} is asked t{ticket}:{}", self.request(request))
            }
            Input::Timeout => format!("{node} timeout"),
            Input::Durable { through } => format!("{node} durable #{through}"),
            Input::Storage(fault) => format!("{node} disk {}", storage(*fault)),
            Input::Applied { index, durable, .. } => {
                format!("{node} applied through {index}, durable tables through {durable}")
            }
            Input::Fetched { outcome, .. } => format!("{node} {}", self.fetch_outcome(outcome)),
            Input::SnapshotReady { meta, .. } => {
                format!("{node} has received snapshot {}", meta.last)
            }
            Input::SnapshotSent { to, delivered } => {
                let word = if delivered.is_some() { "arrived" } else { "broke" };
                format!("{node}'s snapshot for {to} {word}")
            }
            Input::SnapshotInstalled { index } => {
                format!("{node} has installed the snapshot through {index}")
            }
            Input::Unreachable { peer } => format!("{node} cannot reach {peer}"),
        }
    }

    /// One effect, without what only moves bytes about. `finished` is the last write that is durable:
    /// a message that waits for a later one says so.
    #[must_use]
    pub fn effect(&self, effect: &Effect<Message>, finished: PersistNumber) -> String {
        match effect {
            Effect::Persist { number, records } => {
                let records =
                    records.iter().map(|record| self.record(record)).collect::<Vec<_>>().join("; ");
                let records = if records.is_empty() { "nothing" } else { &records };
                format!("writes #{number}: {records}")
            }
            Effect::Send { to, message, after } => {
                let is_held = *after > finished;
                let gate = if is_held { format!(" (once #{after})") } else { String::new() };
                format!("→ {to} {}{gate}", self.message(message))
            }
            Effect::Apply { entries } => format!("applies {}", self.entries(entries)),
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
            Effect::Fault(fault) => format!("stops: {fault}"),
        }
    }

    /// What became of entries that were to be read back.
    #[must_use]
    pub fn fetch_outcome(&self, outcome: &FetchOutcome) -> String {
        match outcome {
            FetchOutcome::Entries(read) => format!("reads back {}", self.entries(read)),
            FetchOutcome::Compacted => "finds them compacted".into(),
            FetchOutcome::Failed => "cannot read them".into(),
        }
    }
}

/// What a message says that carries neither entries nor requests.
fn said(body: &Body) -> String {
    match body {
        Body::PreVote { last } => format!("last {last}"),
        Body::PreVoteReply { asked_by, asked_in, granted } => {
            format!("{} (asked in term {asked_in}){}", yes(*granted), life(*asked_by))
        }
        Body::Vote { last, transfer } => {
            format!("last {last}{}", if *transfer { " transfer" } else { "" })
        }
        Body::VoteReply { asked_by, granted } => format!("{}{}", yes(*granted), life(*asked_by)),
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
        Body::TimeoutNow | Body::Append { .. } | Body::Forward { .. } => String::new(),
        Body::ForwardReply { asked_by, ticket, outcome } => {
            let outcome = match outcome {
                ForwardOutcome::Done(_) => "done".into(),
                ForwardOutcome::Refused(refusal) => format!("refused: {refusal}"),
                ForwardOutcome::Unknown => "unknown".to_owned(),
            };
            format!("t{ticket} {outcome}{}", life(*asked_by))
        }
        Body::ReadIndex { number } => format!("question {number}"),
        Body::ReadIndexReply { asked_by, number, index } => {
            format!("question {number} index {index}{}", life(*asked_by))
        }
        Body::Lost { acknowledged } => format!("acknowledged {acknowledged}"),
    }
}

fn change_wanted(change: &Change) -> String {
    match change {
        Change::AddLearner { node, .. } => format!("add {node}"),
        Change::Promote { node, replacing: None } => format!("promote {node}"),
        Change::Promote { node, replacing: Some(old) } => format!("promote {node} replacing {old}"),
        Change::Remove { node } => format!("remove {node}"),
        Change::SetVoters(voters) => format!("voters {}", list(voters, |node| format!("{node}"))),
    }
}

const fn storage(fault: StorageFault) -> &'static str {
    match fault {
        StorageFault::Poisoned => "poisoned",
        StorageFault::Full => "full",
        StorageFault::Roomy => "roomy",
    }
}

fn life(incarnation: Incarnation) -> String {
    if incarnation.0 == 1 { String::new() } else { format!(" to life {incarnation}") }
}

const fn yes(granted: bool) -> &'static str {
    if granted { "yes" } else { "no" }
}

fn part(role: Role, term: u64, leader: Option<NodeId>) -> String {
    match (role, leader) {
        (Role::Follower, Some(leader)) => format!("⇨ follower of {leader} in term {term}"),
        (Role::Follower, None) => format!("⇨ follower in term {term}, no leader"),
        (role, _) => format!("⇨ {} in term {term}", role.name()),
    }
}

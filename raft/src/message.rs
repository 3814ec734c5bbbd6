//! What replicas say to each other.

use alloc::vec::Vec;

use kernel::{Bytes, Entry, EntryId, Incarnation, Index, Refusal, Term, Ticket};

use crate::request::Request;

/// A message: the sender's term, and what it says. Whoever hears of a later term follows it (§5.1),
/// except where pre-vote and the leader's lease say otherwise, see [`crate::Raft`]'s election.
///
/// Answers name the incarnation that asked: an answer to an earlier life is not an answer (B8, B19).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sender's term.
    pub term: Term,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// "Would you vote for me in the next term?" Changes nothing (thesis §9.6).
    PreVote {
        /// The end of the sender's log.
        last: EntryId,
    },
    /// The answer to a pre-vote.
    PreVoteReply {
        /// Who asked.
        asked_by: Incarnation,
        /// The term in which the sender asked.
        asked_in: Term,
        /// Yes or no.
        granted: bool,
    },
    /// `RequestVote` (§5.2). Waits for the sender's own disk.
    Vote {
        /// The end of the sender's log.
        last: EntryId,
        /// The leader itself asked the sender to stand: its lease does not count (thesis §3.10).
        transfer: bool,
    },
    /// The answer. Waits for the disk.
    VoteReply {
        /// Who asked.
        asked_by: Incarnation,
        /// Yes or no.
        granted: bool,
    },
    /// `AppendEntries` with entries, or to find out where the logs agree (§5.3).
    Append {
        /// The entry before the first one.
        previous: EntryId,
        /// Consecutive entries; none to probe.
        entries: Vec<Entry>,
        /// The leader's commit index.
        commit: Index,
    },
    /// The answer. Waits for the disk.
    AppendReply {
        /// Who asked.
        asked_by: Incarnation,
        /// What became of it.
        outcome: AppendOutcome,
    },
    /// "I lead." Confirms, when answered, that it still does (thesis §6.4).
    Heartbeat {
        /// The leader's commit index.
        commit: Index,
        /// The leader's count of heartbeats.
        round: u64,
    },
    /// The answer; waits for nothing.
    HeartbeatReply {
        /// Who asked.
        asked_by: Incarnation,
        /// Which heartbeat.
        round: u64,
        /// How far the sender's log in memory is known to be the leader's.
        received: Index,
        /// How much of that is on its disk, if nothing is being written: makes good for a lost answer
        /// to an append. 0 if something is.
        matched: Index,
    },
    /// The commit index has moved, and the receiver has somebody waiting for that.
    Commit {
        /// The leader's commit index.
        commit: Index,
    },
    /// "Stand for election now": leadership is handed over (thesis §3.10).
    TimeoutNow,
    /// Requests of the sender's clients, for the leader to put into its log.
    Forward {
        /// The leader's life that is meant: no other one takes them.
        to: Incarnation,
        /// Counts the sender's forwards: a repeated one is not taken twice.
        number: u64,
        /// The requests.
        proposals: Vec<Proposal>,
    },
    /// How a forwarded request ended, where that is not told by the log.
    ForwardReply {
        /// Who asked.
        asked_by: Incarnation,
        /// Its ticket there.
        ticket: Ticket,
        /// How it ended.
        outcome: ForwardOutcome,
    },
    /// "How far must I have applied to read what is committed now?" (thesis §6.4)
    ReadIndex {
        /// The sender's number for the question, never used twice.
        number: u64,
    },
    /// The answer.
    ReadIndexReply {
        /// Who asked.
        asked_by: Incarnation,
        /// The question.
        number: u64,
        /// How far.
        index: Index,
    },
    /// "You acknowledged entries that you no longer have": the receiver's disk has lost data, and it
    /// must not go on as who it was (B15).
    Lost {
        /// What it once acknowledged.
        acknowledged: Index,
    },
}

/// What became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOutcome {
    /// The receiver's log on disk is the leader's, up to this entry.
    Accepted {
        /// The entry.
        matched: Index,
    },
    /// The receiver's log does not have the entry before the first one.
    Rejected {
        /// That entry's index.
        previous: Index,
        /// The last entry of the receiver that may be the leader's: not later than `previous`, and of no
        /// later term.
        hint: EntryId,
        /// The end of the receiver's log.
        last: Index,
    },
}

/// A request on its way to the leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Its ticket at the sender.
    pub ticket: Ticket,
    /// What is wanted.
    pub request: Request,
    /// Time of day when it was asked, milliseconds since 1970.
    pub wall_ms: u64,
}

/// How a forwarded request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardOutcome {
    /// It was carried out.
    Done(Bytes),
    /// It was not.
    Refused(Refusal),
    /// Nobody can say.
    Unknown,
}

//! What scripts can say. A node is named by its number; a list of numbers is written `1-2-3`.

use std::str::FromStr;

use kernel::{EntryId, Index, Term};

/// Numbers joined by dashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers(pub(crate) Vec<u64>);

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            part.parse().map_err(|_| format!("{text} is no list of numbers like 1-2-3"))
        };
        text.split('-').map(number).collect::<Result<_, _>>().map(Self)
    }
}

/// An entry's id, `index@term`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Id(pub(crate) EntryId);

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| part.parse().map_err(|_| format!("{text} is no id like 3@2"));
        let (index, term) = text.split_once('@').ok_or("an id is index@term")?;
        Ok(Self(EntryId { index: Index(number(index)?), term: Term(number(term)?) }))
    }
}

/// A client and its serial, `7-1`.
pub(crate) type SessionWord = Numbers;

#[derive(Debug, goldenscript::Command)]
pub(crate) enum Verb {
    /// Nodes 1 to `voters`, then learners; they start unless told not to.
    Cluster {
        voters: u64,
        #[arg(key, optional)]
        learners: u64,
        #[arg(key)]
        start: Option<bool>,
    },
    /// Settings, before the cluster is made: cache, retain, batch, window, entry, waiting (bytes),
    /// request, stall (milliseconds), behind (entries).
    Config(Vec<(String, u64)>),
    /// Print also how far tables may be flushed.
    ShowFlushes,
    /// A new node that belongs to nothing yet, and starts.
    Join(u64),
    /// What the disk of a node that does not run holds: the terms of its entries, its term, its vote.
    Disk {
        node: u64,
        #[arg(key, optional)]
        log: Numbers,
        #[arg(key)]
        term: u64,
        #[arg(key)]
        vote: Option<u64>,
        #[arg(key, optional)]
        commit: u64,
    },
    /// Start nodes that are down.
    Start(Vec<u64>),
    /// The power of these nodes fails: what is not durable is lost.
    Crash(Vec<u64>),
    /// A node crashes if it runs, and starts again; `lose`: durable entries from there on are gone;
    /// `empty`: its whole disk is; `uncertain`: recovery doubts the log's end.
    Restart {
        node: u64,
        #[arg(key)]
        lose: Option<u64>,
        #[arg(key, optional)]
        empty: bool,
        #[arg(key)]
        uncertain: Option<Id>,
    },
    /// Each node's own clock comes to its next deadline.
    Timeout(Vec<u64>),
    /// The shortest election timeout passes at all others without a sign of life; then the node's own
    /// election timeout comes.
    Campaign(u64),
    /// A node campaigns, everything arrives, and a heartbeat tells all that its first entry is committed.
    Elect(u64),
    /// Milliseconds pass at all nodes or at some; deadlines come in order; nothing arrives.
    Advance {
        milliseconds: u64,
        #[arg(optional)]
        nodes: Vec<u64>,
    },
    /// Milliseconds pass at some nodes, and they do not notice: nobody wakes them.
    Lapse { milliseconds: u64, nodes: Vec<u64> },
    /// Milliseconds pass, everything arrives at once; only outcomes are printed.
    Run(u64),
    /// Deliver what is on its way, not what that leads to.
    Deliver {
        #[arg(key)]
        from: Option<u64>,
        #[arg(key)]
        to: Option<u64>,
        #[arg(key)]
        kind: Option<String>,
        #[arg(key)]
        count: Option<usize>,
    },
    /// Deliver until nothing is on its way.
    Stabilize,
    /// Lose what is on its way.
    Drop {
        #[arg(key)]
        from: Option<u64>,
        #[arg(key)]
        to: Option<u64>,
        #[arg(key)]
        kind: Option<String>,
        #[arg(key)]
        count: Option<usize>,
    },
    /// Hold back what is on its way, under a name; with `copy` it also goes on.
    Hold {
        name: String,
        #[arg(key)]
        from: Option<u64>,
        #[arg(key)]
        to: Option<u64>,
        #[arg(key)]
        kind: Option<String>,
        #[arg(key)]
        count: Option<usize>,
        #[arg(key, optional)]
        copy: bool,
    },
    /// Put what was held back on its way again.
    Release(String),
    /// Cut all links between groups, `partition 1-2 3-4-5`.
    Partition(Vec<Numbers>),
    /// Cut one link; both ways unless `oneway`.
    Cut {
        from: u64,
        to: u64,
        #[arg(key, optional)]
        oneway: bool,
    },
    /// All links are whole again.
    Heal,
    /// A node's disk, applier or reader works only when told.
    Slow { node: u64, part: String },
    /// It works at once again, and does what waits.
    Fast { node: u64, part: String },
    /// The writes of a slow disk become durable, all or up to a number.
    Durable { node: u64, through: Option<u64> },
    /// A slow applier does its next task.
    Apply(u64),
    /// A slow reader answers: `ok`, `failed`, `compacted`.
    Fetch { node: u64, outcome: Option<String> },
    /// The tables become durable, if they may.
    Flush(u64),
    /// A disk's fault: `poisoned`, `full`, `roomy`.
    Fault { node: u64, fault: String },
    /// A node learns that it cannot reach a peer.
    Unreachable { node: u64, peer: u64 },
    /// The state machine has something to expire at this cluster time, in milliseconds.
    Expire { node: u64, milliseconds: u64 },
    /// Commands for a node's log, in one go.
    Put {
        node: u64,
        commands: Vec<String>,
        #[arg(key, optional)]
        session: SessionWord,
    },
    /// Commands of one MiB each.
    Fill { node: u64, count: u64 },
    /// A command of this many bytes.
    Large { node: u64, bytes: usize },
    /// Reads, in one go.
    Read { node: u64, count: Option<u64> },
    /// Ask for a learner.
    Add {
        node: u64,
        learner: u64,
        #[arg(key)]
        name: Option<String>,
    },
    /// Ask for a vote for a learner.
    Promote {
        node: u64,
        learner: u64,
        #[arg(key)]
        replacing: Option<u64>,
    },
    /// Ask for a member to go.
    Remove { node: u64, member: u64 },
    /// Ask for exactly these voters.
    Voters { node: u64, voters: Vec<u64> },
    /// Ask for another leader; several times in one go if `count` says so.
    Transfer { node: u64, to: Option<u64> },
    /// Several requests in one go: the node hears them all before it works. Each is `put-a`,
    /// `read`, `transfer`, `transfer-2`, `remove-3`.
    Together { node: u64, requests: Vec<String> },
    /// A snapshot arrives whole, or its stream is `broken`.
    Snapshot { from: u64, to: u64, outcome: Option<String> },
    /// One line a node.
    Status(#[arg(optional)] Vec<u64>),
    /// The log of each node; what is behind `|` is not durable.
    Log(#[arg(optional)] Vec<u64>),
    /// What a leader knows of the others.
    Peers(u64),
    /// The commands that each node has applied.
    State(#[arg(optional)] Vec<u64>),
    /// What waits for the disk before it is said.
    Gate(u64),
}

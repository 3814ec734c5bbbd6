//! What the simulator cannot know: which consensus, which system, and how clients speak to them.

use alloc::{boxed::Box, format, string::String, vec::Vec};
use core::fmt::{self, Debug};

use bytes::Bytes;
use kernel::{
    Effect, Entry, EntryId, HardState, Index, Input, Instant, Membership, Node, NodeId, Peer,
    PersistNumber, Reading, Rng, Session, Stamp, StateMachine,
};
use log::Trust;

use crate::{map_disk::MapDisk, settings::Settings, tables_disk::TablesDisk, workload::Workload};

/// Puts a consensus and a system together into something that the simulator can run.
pub trait Composition {
    /// The consensus.
    type Node: Node;
    /// The system.
    type Machine: StateMachine;
    /// The clients of the system.
    type Workload: Workload;

    /// A fresh state machine.
    fn machine(&self) -> Self::Machine;

    /// A node that starts with what its disk holds.
    fn boot(&self, boot: Boot) -> Self::Node;

    /// An empty disk for the tables of one computer: a map, or an engine over simulated files.
    fn tables_disk(&self) -> Box<dyn TablesDisk> {
        Box::new(MapDisk::default())
    }

    /// What its clients do, as `settings` say.
    fn workload(&self, settings: &Settings) -> Self::Workload;

    /// The request, and for a read the query, that `call` becomes.
    fn ask(
        &self,
        call: &CallOf<Self>,
        session: Option<Session>,
    ) -> Asked<<Self::Node as Node>::Request>;

    /// What the answer to `call` says.
    ///
    /// # Errors
    /// What is wrong with it, if it is none that `call` can get.
    fn answer(&self, call: &CallOf<Self>, answer: Bytes) -> Result<AnswerOf<Self>, String>;

    /// A request that somebody makes beside what is recorded: only that it ends matters, and what it
    /// does to the tables.
    fn aside(&self, _rng: &mut Rng) -> Option<<Self::Node as Node>::Request> {
        None
    }

    /// Looks at the tables of a node as whoever watches the system would.
    ///
    /// # Errors
    /// Which promise to watchers is broken.
    fn watch(&mut self, _node: NodeId, _reading: &Reading) -> Result<(), String> {
        Ok(())
    }

    /// The request that changes the membership.
    fn change(&self, change: &MembershipChange) -> <Self::Node as Node>::Request;

    /// The request that hands leadership over, to somebody or to `to`.
    fn transfer(&self, to: Option<NodeId>) -> <Self::Node as Node>::Request;

    /// The word for a message's kind, for people.
    fn message_kind(&self, _message: &<Self::Node as Node>::Message) -> &'static str {
        "Message"
    }

    /// What a message says, as a line for people.
    fn say_message(&self, message: &<Self::Node as Node>::Message) -> String {
        format!("{message:?}")
    }

    /// An input of `node`, as a line for people that begins with the node.
    fn say_input(&self, node: NodeId, input: &InputOf<Self::Node>) -> String {
        format!("{node} takes {input:?}")
    }

    /// An effect, as a line for people. `finished` is the last write that is durable.
    fn say_effect(
        &self,
        effect: &Effect<<Self::Node as Node>::Message>,
        _finished: PersistNumber,
    ) -> String {
        format!("{effect:?}")
    }
}

/// What a node takes.
pub type InputOf<N> = Input<<N as Node>::Message, <N as Node>::Request>;

/// What a client asks.
pub type CallOf<C> = <<C as Composition>::Workload as Workload>::Call;

/// What a client is answered.
pub type AnswerOf<C> = <<C as Composition>::Workload as Workload>::Answer;

/// What a client says to a node.
#[derive(Clone, Debug)]
pub struct Asked<Request> {
    /// The request.
    pub request: Request,
    /// What to ask the tables once the request may read them.
    pub query: Option<Bytes>,
}

/// A change of the membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MembershipChange {
    /// Let the node receive the log.
    AddLearner(NodeId),
    /// Give the learner a vote, perhaps in the place of another.
    Promote(NodeId, Option<NodeId>),
    /// Let the member go.
    Remove(NodeId),
    /// Let exactly these vote.
    SetVoters(Vec<NodeId>),
}

impl fmt::Display for MembershipChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddLearner(node) => write!(formatter, "add {node}"),
            Self::Promote(node, None) => write!(formatter, "promote {node}"),
            Self::Promote(node, Some(old)) => write!(formatter, "promote {node} replacing {old}"),
            Self::Remove(node) => write!(formatter, "remove {node}"),
            Self::SetVoters(voters) => {
                formatter.write_str("voters")?;
                voters.iter().try_for_each(|node| write!(formatter, " {node}"))
            }
        }
    }
}

/// What a node starts with.
#[derive(Debug)]
pub struct Boot {
    /// Who it is, in this life.
    pub me: Peer,
    /// Where its chances start.
    pub seed: u64,
    /// What its clock says.
    pub now: Instant,
    /// Term, vote and commit.
    pub hard: HardState,
    /// The entry at which the log begins.
    pub base: EntryId,
    /// That entry's stamp.
    pub base_stamp: Stamp,
    /// The configuration as of that entry.
    pub membership: Membership,
    /// All entries after it.
    pub entries: Vec<Entry>,
    /// How far the durable tables have been applied.
    pub applied: Index,
    /// How far the log can be trusted.
    pub trust: Trust,
}

//! How things end when they do not end well: refused, unknown, or the node must stop.

use alloc::string::String;
use core::fmt;

use crate::{
    codec::{Malformed, Reader, Wire, Writer},
    ids::{Index, NodeId},
};

/// Why a request was definitely not carried out. All may be tried again as they are, except those
/// that [`Refusal::is_final`] names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No leader was known within the time that a request may wait.
    NoLeader,
    /// The leader stepped down, or lost its majority, before the request entered its log.
    LeadershipLost,
    /// Too much is waiting already: come back later.
    Busy,
    /// Leadership is being handed over: come back in a moment.
    Transferring,
    /// The disk is full: reads and elections go on, writes do not.
    DiskFull,
    /// The request is beyond the size limit of an entry, in bytes.
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// Another change of the membership is under way.
    ChangeUnderWay,
    /// This change makes no sense for the present membership.
    BadChange(String),
    /// The learner is too far behind to vote.
    NotCaughtUp {
        /// How many entries it lacks.
        behind: u64,
    },
    /// The node is stopping.
    Stopping,
    /// Of those who would vote after the change too few are there: the cluster would stand still.
    TooFewVoters,
}

impl Refusal {
    /// True if the same request would be refused again.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::BadChange(_))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLeader => {
                formatter.write_str("no leader is known; is a majority of the nodes up?")
            }
            Self::LeadershipLost => {
                formatter.write_str("the leader changed before the request was accepted")
            }
            Self::Busy => formatter.write_str("too many requests are waiting"),
            Self::Transferring => formatter.write_str("leadership is being handed over"),
            Self::DiskFull => formatter.write_str("the disk of the leader is full"),
            Self::TooLarge { limit } => {
                write!(formatter, "the request is over the limit of {limit} bytes")
            }
            Self::ChangeUnderWay => {
                formatter.write_str("another change of the membership is under way")
            }
            Self::BadChange(why) => formatter.write_str(why),
            Self::NotCaughtUp { behind } => {
                write!(
                    formatter,
                    "the learner is {behind} entries behind; promote it once it has caught up"
                )
            }
            Self::Stopping => formatter.write_str("the node is stopping"),
            Self::TooFewVoters => formatter.write_str(
                "no majority of those who would vote can be reached; the cluster would stand still",
            ),
        }
    }
}

/// What went wrong on the log's disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageFault {
    /// A write or a flush failed. It is never tried again: nothing more becomes durable here (O10).
    Poisoned,
    /// There is no room for another segment. What was acknowledged is safe; nothing new is taken.
    Full,
    /// There is room again.
    Roomy,
}

/// The node must stop: going on could break a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A write or a flush failed.
    Storage(String),
    /// Bytes that were acknowledged are damaged.
    Corrupt(String),
    /// What this replica holds contradicts what it once acknowledged.
    LostAcknowledged {
        /// The replica that lost it.
        node: NodeId,
        /// What it has.
        has: Index,
        /// What it once acknowledged.
        acknowledged: Index,
    },
    /// The state machine cannot go on.
    StateMachine(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(what) => write!(formatter, "storage failed: {what}"),
            Self::Corrupt(what) => write!(formatter, "acknowledged data is damaged: {what}"),
            Self::LostAcknowledged { node, has, acknowledged } => write!(
                formatter,
                "replica {node} acknowledged entries up to {acknowledged} and now ends at {has}"
            ),
            Self::StateMachine(what) => write!(formatter, "the state machine stopped: {what}"),
        }
    }
}

impl core::error::Error for Fault {}

impl Wire for Refusal {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::NoLeader => writer.put_u8(1),
            Self::LeadershipLost => writer.put_u8(2),
            Self::Busy => writer.put_u8(3),
            Self::Transferring => writer.put_u8(4),
            Self::DiskFull => writer.put_u8(5),
            Self::TooLarge { limit } => {
                writer.put_u8(6);
                writer.put_u64(*limit);
            }
            Self::ChangeUnderWay => writer.put_u8(7),
            Self::BadChange(why) => {
                writer.put_u8(8);
                writer.put_bytes(why.as_bytes());
            }
            Self::NotCaughtUp { behind } => {
                writer.put_u8(9);
                writer.put_u64(*behind);
            }
            Self::Stopping => writer.put_u8(10),
            Self::TooFewVoters => writer.put_u8(11),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::NoLeader,
            2 => Self::LeadershipLost,
            3 => Self::Busy,
            4 => Self::Transferring,
            5 => Self::DiskFull,
            6 => Self::TooLarge { limit: reader.take_u64()? },
            7 => Self::ChangeUnderWay,
            8 => Self::BadChange(reader.take_string()?),
            9 => Self::NotCaughtUp { behind: reader.take_u64()? },
            10 => Self::Stopping,
            11 => Self::TooFewVoters,
            _ => return Err(Malformed("a refusal kind from 1 to 11")),
        })
    }
}

//! What clients of a replica may want.

use alloc::collections::BTreeSet;

use kernel::{Bytes, Malformed, Member, NodeId, Reader, Session, Wire, Writer};

/// What a client may want, on any member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Put a command through the log. Ends with the state machine's answer.
    Command {
        /// The command.
        data: Bytes,
        /// Makes a repeat take effect once.
        session: Option<Session>,
    },
    /// Read what is committed now. Ends with [`kernel::Effect::ReadReady`].
    Read,
    /// Change the membership. Ends with the id of the entry that did.
    Change(Change),
    /// Hand leadership over, to the given voter or to the one that is furthest.
    Transfer {
        /// The voter that should lead.
        to: Option<NodeId>,
    },
}

/// A change of the membership (§6 of the paper, §4 of the thesis). Each is one step if it moves at most
/// one vote, and goes through a joint configuration otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Let a node receive the log; or give a learner new addresses.
    AddLearner {
        /// The node.
        node: NodeId,
        /// Its name and addresses.
        member: Member,
    },
    /// Give a learner that has caught up a vote, in the place of another member if one is named.
    Promote {
        /// The learner.
        node: NodeId,
        /// Whom it replaces.
        replacing: Option<NodeId>,
    },
    /// Let a member go.
    Remove {
        /// The member.
        node: NodeId,
    },
    /// Let exactly these members vote; voters that are not among them go.
    SetVoters(BTreeSet<NodeId>),
}

impl Request {
    /// How much memory the request takes while it waits, in bytes, roughly.
    pub(crate) fn size(&self) -> u64 {
        const OVERHEAD: u64 = 128;
        match self {
            Self::Command { data, .. } => OVERHEAD + data.len() as u64,
            Self::Read | Self::Change(_) | Self::Transfer { .. } => OVERHEAD,
        }
    }
}

impl Wire for Request {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Command { data, session } => {
                writer.put_u8(1);
                writer.put_option(session.as_ref());
                writer.put_bytes(data);
            }
            Self::Read => writer.put_u8(2),
            Self::Change(change) => {
                writer.put_u8(3);
                change.encode(writer);
            }
            Self::Transfer { to } => {
                writer.put_u8(4);
                writer.put_option(to.as_ref());
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => {
                let session = reader.take_option()?;
                Self::Command { data: reader.take_bytes()?, session }
            }
            2 => Self::Read,
            3 => Self::Change(Change::decode(reader)?),
            4 => Self::Transfer { to: reader.take_option()? },
            _ => return Err(Malformed("a request kind from 1 to 4")),
        })
    }
}

impl Wire for Change {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::AddLearner { node, member } => {
                writer.put_u8(1);
                node.encode(writer);
                member.encode(writer);
            }
            Self::Promote { node, replacing } => {
                writer.put_u8(2);
                node.encode(writer);
                writer.put_option(replacing.as_ref());
            }
            Self::Remove { node } => {
                writer.put_u8(3);
                node.encode(writer);
            }
            Self::SetVoters(voters) => {
                writer.put_u8(4);
                writer.put_count(voters.len());
                for voter in voters {
                    voter.encode(writer);
                }
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => {
                Self::AddLearner { node: NodeId::decode(reader)?, member: Member::decode(reader)? }
            }
            2 => Self::Promote { node: NodeId::decode(reader)?, replacing: reader.take_option()? },
            3 => Self::Remove { node: NodeId::decode(reader)? },
            4 => Self::SetVoters(reader.take_list::<NodeId>()?.into_iter().collect()),
            _ => return Err(Malformed("a change kind from 1 to 4")),
        })
    }
}

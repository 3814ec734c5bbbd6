//! Who belongs to a group, and with what say: voters, learners, and the old voters of a joint change.

use alloc::{collections::BTreeMap, collections::BTreeSet, string::String, vec::Vec};

use crate::{
    codec::{Malformed, Reader, Wire, Writer},
    ids::{DiskId, NodeId},
};

/// One member: its name for people and where it is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// What people call it, `node1`.
    pub name: String,
    /// `host:port` for the other members.
    pub peer_address: String,
    /// `host:port` for clients.
    pub client_address: String,
    /// The data folder that carries this identity; 0 until it is known.
    pub disk: DiskId,
}

/// A configuration (§6 of the paper, §4 of the thesis): derived from snapshot and log alone.
///
/// While `outgoing` is not empty the configuration is joint, and every decision needs a majority of
/// `voters` and a majority of `outgoing`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Membership {
    /// All members, by id: exactly those who vote, voted before a joint change, or learn.
    pub members: BTreeMap<NodeId, Member>,
    /// Who votes.
    pub voters: BTreeSet<NodeId>,
    /// Who voted before the joint change that is under way.
    pub outgoing: BTreeSet<NodeId>,
    /// Who receives the log without a vote.
    pub learners: BTreeSet<NodeId>,
}

impl Membership {
    /// A configuration in which all of `members` vote.
    #[must_use]
    pub fn of_voters(members: BTreeMap<NodeId, Member>) -> Self {
        let voters = members.keys().copied().collect();
        Self { members, voters, ..Self::default() }
    }

    /// True while a change from `outgoing` to `voters` is under way.
    #[must_use]
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// True if `node` has a vote, in either half of a joint configuration.
    #[must_use]
    pub fn is_voter(&self, node: NodeId) -> bool {
        self.voters.contains(&node) || self.outgoing.contains(&node)
    }

    /// True if `node` receives the log.
    #[must_use]
    pub fn contains(&self, node: NodeId) -> bool {
        self.members.contains_key(&node)
    }

    /// Asserts what is true of every configuration.
    ///
    /// # Panics
    /// If a member has no part, a part has no member, or a learner votes.
    pub fn check(&self) {
        for node in self.members.keys() {
            assert!(
                self.is_voter(*node) || self.learners.contains(node),
                "member {node} has no part"
            );
        }
        for node in self.voters.iter().chain(&self.outgoing).chain(&self.learners) {
            assert!(self.members.contains_key(node), "{node} has a part and is no member");
        }
        assert!(self.learners.iter().all(|node| !self.is_voter(*node)), "a learner has no vote");
    }
}

impl Wire for Member {
    fn encode(&self, writer: &mut Writer) {
        writer.put_bytes(self.name.as_bytes());
        writer.put_bytes(self.peer_address.as_bytes());
        writer.put_bytes(self.client_address.as_bytes());
        self.disk.encode(writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            name: reader.take_string()?,
            peer_address: reader.take_string()?,
            client_address: reader.take_string()?,
            disk: DiskId::decode(reader)?,
        })
    }
}

impl Wire for Membership {
    fn encode(&self, writer: &mut Writer) {
        writer.put_count(self.members.len());
        for (node, member) in &self.members {
            node.encode(writer);
            member.encode(writer);
        }
        for part in [&self.voters, &self.outgoing, &self.learners] {
            writer.put_list(&part.iter().copied().collect::<Vec<_>>());
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let count = reader.take_u32()?;
        let mut members = BTreeMap::new();
        for _ in 0..count {
            let node = NodeId::decode(reader)?;
            members.insert(node, Member::decode(reader)?);
        }
        let mut part = || -> Result<BTreeSet<NodeId>, Malformed> {
            Ok(reader.take_list::<NodeId>()?.into_iter().collect())
        };
        Ok(Self { members, voters: part()?, outgoing: part()?, learners: part()? })
    }
}

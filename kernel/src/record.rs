//! What a group writes to the log. Numbered, versioned by kind, only ever added to.
//!
//! ```text
//! kind u8 | body
//!   1 Entries    count u32, then each entry with its length
//!   2 Hard       term u64 | vote (0, or 1 and node u64) | commit u64
//!   3 Truncate   from u64
//!   4 Compact    through (term u64, index u64) | stamp u64 | membership
//!   5 Snapshot   meta | generation u64
//! ```

use alloc::vec::Vec;

use crate::{
    codec::{Malformed, Reader, Wire, Writer},
    entry::Entry,
    ids::{EntryId, Generation, Index, NodeId, Term},
    membership::Membership,
    time::Stamp,
};

/// What a replica must remember besides its log (figure 2 of the paper). The commit index is a hint
/// that spares work after a restart; it is never written for its own sake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardState {
    /// The latest term the replica has seen.
    pub term: Term,
    /// Whom it voted for in that term.
    pub vote: Option<NodeId>,
    /// How far it knew the log to be committed.
    pub commit: Index,
}

/// What stands in for all entries up to `last`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotMeta {
    /// The last entry that it covers.
    pub last: EntryId,
    /// Cluster time of that entry.
    pub stamp: Stamp,
    /// The configuration as of that entry.
    pub membership: Membership,
    /// The digest of the tables.
    pub digest: u128,
}

/// One thing written to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Consecutive entries, appended after all that is there.
    Entries(Vec<Entry>),
    /// The hard state from now on.
    Hard(HardState),
    /// Everything from this index on is gone; other entries will follow.
    Truncate(Index),
    /// Everything through this entry is in the tables, durably, and needed no more in the log: once this
    /// record is durable, segments that hold nothing later may go. A new replica's first record is this
    /// one, with the zero entry and the configuration it starts from.
    Compact {
        /// The last entry that is needed no more.
        through: EntryId,
        /// Its stamp.
        stamp: Stamp,
        /// The configuration as of that entry.
        membership: Membership,
    },
    /// A received snapshot takes the place of the whole log and of the tables: from this record on the
    /// tables are those of `generation`.
    Snapshot {
        /// What it covers.
        meta: SnapshotMeta,
        /// Which generation of the tables holds it.
        generation: Generation,
    },
}

impl Wire for HardState {
    fn encode(&self, writer: &mut Writer) {
        self.term.encode(writer);
        writer.put_option(self.vote.as_ref());
        self.commit.encode(writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            term: Term::decode(reader)?,
            vote: reader.take_option()?,
            commit: Index::decode(reader)?,
        })
    }
}

impl Wire for SnapshotMeta {
    fn encode(&self, writer: &mut Writer) {
        self.last.encode(writer);
        self.stamp.encode(writer);
        self.membership.encode(writer);
        writer.put_u128(self.digest);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            last: EntryId::decode(reader)?,
            stamp: Stamp::decode(reader)?,
            membership: Membership::decode(reader)?,
            digest: reader.take_u128()?,
        })
    }
}

impl Wire for Record {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Entries(entries) => {
                writer.put_u8(1);
                writer.put_list(entries);
            }
            Self::Hard(hard) => {
                writer.put_u8(2);
                hard.encode(writer);
            }
            Self::Truncate(from) => {
                writer.put_u8(3);
                from.encode(writer);
            }
            Self::Compact { through, stamp, membership } => {
                writer.put_u8(4);
                through.encode(writer);
                stamp.encode(writer);
                membership.encode(writer);
            }
            Self::Snapshot { meta, generation } => {
                writer.put_u8(5);
                meta.encode(writer);
                generation.encode(writer);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::Entries(reader.take_list()?),
            2 => Self::Hard(HardState::decode(reader)?),
            3 => Self::Truncate(Index::decode(reader)?),
            4 => Self::Compact {
                through: EntryId::decode(reader)?,
                stamp: Stamp::decode(reader)?,
                membership: Membership::decode(reader)?,
            },
            5 => Self::Snapshot {
                meta: SnapshotMeta::decode(reader)?,
                generation: Generation::decode(reader)?,
            },
            _ => return Err(Malformed("a record kind from 1 to 5")),
        })
    }
}

//! The names of things: one type each, so that an index, a term and a count never add up by accident.

use core::fmt;

use crate::codec::{Malformed, Reader, Wire, Writer};

/// No log and no succession of leaders gets this far: who says so is not believed, and adding to what
/// is believed never overflows.
const FAR: u64 = 1 << 62;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty), $put:ident, $take:ident) => {
        id!($(#[$doc])* $name($inner), $put, $take, |_| true);
    };
    ($(#[$doc:meta])* $name:ident($inner:ty), $put:ident, $take:ident, $is_sane:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl Wire for $name {
            fn encode(&self, writer: &mut Writer) {
                writer.$put(self.0);
            }

            fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
                let is_sane: fn($inner) -> bool = $is_sane;
                let value = reader.$take()?;
                if is_sane(value) { Ok(Self(value)) } else { Err(Malformed("a number below 2^62")) }
            }
        }
    };
}

id!(
    /// One replica, for ever: a replica that lost its disk comes back under a new id.
    NodeId(u64), put_u64, take_u64
);
id!(
    /// One consensus group. A host may carry several; they share its log.
    GroupId(u64), put_u64, take_u64
);
id!(
    /// One cluster, made once at its bootstrap and checked in every file and handshake.
    ClusterId(u128), put_u128, take_u128
);
id!(
    /// One data folder, made once when the folder is made.
    DiskId(u128), put_u128, take_u128
);
id!(
    /// One life of a process: one more at each start, durable before anything is said.
    Incarnation(u64), put_u64, take_u64
);
id!(
    /// A term of office, Raft's logical clock (§5.1 of the paper).
    Term(u64), put_u64, take_u64, |term| term < FAR
);
id!(
    /// A position in the log. The first entry has index 1; 0 is the place before it.
    Index(u64), put_u64, take_u64, |index| index < FAR
);
id!(
    /// One request of one process, given by its front and never used twice within an incarnation.
    Ticket(u64), put_u64, take_u64
);
id!(
    /// One piece of persist work, numbered from 1 without gaps within an incarnation. 0 is "nothing".
    PersistNumber(u64), put_u64, take_u64
);
id!(
    /// One client that numbers its requests, see [`Session`](crate::Session).
    ClientId(u128), put_u128, take_u128
);
id!(
    /// One generation of the tables: an installed snapshot starts the next one.
    Generation(u64), put_u64, take_u64
);

impl Index {
    /// The index after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The index before this one; the place before the first entry has none before it.
    #[must_use]
    pub const fn previous(self) -> Self {
        assert!(self.0 > 0, "there is no index before 0");
        Self(self.0 - 1)
    }
}

impl Term {
    /// The term after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl PersistNumber {
    /// "Nothing to wait for": a send after this number may leave at once.
    pub const NONE: Self = Self(0);

    /// The number after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// What identifies an entry: equal ids mean equal entries and equal logs before them (log matching,
/// §5.3). Ordered as §5.4.1 compares logs: by term first, then by index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// The term in which a leader made the entry.
    pub term: Term,
    /// Where it stands in the log.
    pub index: Index,
}

impl EntryId {
    /// The entry at `index` made in `term`.
    #[must_use]
    pub const fn new(term: Term, index: Index) -> Self {
        Self { term, index }
    }
}

impl fmt::Display for EntryId {
    /// `index@term`, as the golden scripts write it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}@{}", self.index, self.term)
    }
}

impl Wire for EntryId {
    fn encode(&self, writer: &mut Writer) {
        self.term.encode(writer);
        self.index.encode(writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { term: Term::decode(reader)?, index: Index::decode(reader)? })
    }
}

/// One life of one replica: whom a message comes from and whom an answer is meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    /// The replica.
    pub node: NodeId,
    /// Its life.
    pub incarnation: Incarnation,
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.node, self.incarnation)
    }
}

impl Wire for Peer {
    fn encode(&self, writer: &mut Writer) {
        self.node.encode(writer);
        self.incarnation.encode(writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { node: NodeId::decode(reader)?, incarnation: Incarnation::decode(reader)? })
    }
}

#[cfg(test)]
mod tests {
    use super::{FAR, Index, Term};
    use crate::codec::{Malformed, Wire};

    #[test]
    fn a_term_or_an_index_that_could_overflow_is_not_believed() {
        assert_eq!(Term::from_bytes(Term(FAR - 1).to_bytes()), Ok(Term(FAR - 1)));
        assert_eq!(Term::from_bytes(Term(FAR).to_bytes()), Err(Malformed("a number below 2^62")));
        assert!(Index::from_bytes(Index(u64::MAX).to_bytes()).is_err());
    }
}

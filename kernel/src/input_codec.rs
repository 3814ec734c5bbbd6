//! The bytes of inputs: kind u8, then the fields in order. For whoever keeps what a node was given.
//!
//! ```text
//!   1 Message            from (node u64, incarnation u64) | message
//!   2 Request            ticket u64 | wall_ms u64 | request
//!   3 Timeout
//!   4 Durable            through u64
//!   5 Storage            1 poisoned, 2 full, 3 roomy
//!   6 Applied            index u64 | durable u64 | next deadline (0, or 1 and u64)
//!   7 Fetched            id u64 | 1 and the entries, 2 compacted, 3 failed
//!   8 SnapshotReady      meta | generation u64
//!   9 SnapshotSent       to u64 | delivered (0, or 1 and u64)
//!  10 SnapshotInstalled  index u64
//!  11 Unreachable        peer u64
//! ```

use crate::{
    codec::{Malformed, Reader, Wire, Writer},
    ids::{Generation, Index, NodeId, Peer, PersistNumber, Ticket},
    node::{FetchId, FetchOutcome, Input},
    outcome::StorageFault,
    record::SnapshotMeta,
};

impl<Message: Wire, Request: Wire> Wire for Input<Message, Request> {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u8(self.kind());
        match self {
            Self::Message { from, message } => {
                from.encode(writer);
                message.encode(writer);
            }
            Self::Request { ticket, request, wall_ms } => {
                ticket.encode(writer);
                writer.put_u64(*wall_ms);
                request.encode(writer);
            }
            Self::Timeout => {}
            Self::Durable { through } => through.encode(writer),
            Self::Storage(fault) => fault.encode(writer),
            Self::Applied { index, durable, next_deadline } => {
                index.encode(writer);
                durable.encode(writer);
                writer.put_option(next_deadline.as_ref());
            }
            Self::Fetched { id, outcome } => {
                id.encode(writer);
                outcome.encode(writer);
            }
            Self::SnapshotReady { meta, generation } => {
                meta.encode(writer);
                generation.encode(writer);
            }
            Self::SnapshotSent { to, delivered } => {
                to.encode(writer);
                writer.put_option(delivered.as_ref());
            }
            Self::SnapshotInstalled { index } => index.encode(writer),
            Self::Unreachable { peer } => peer.encode(writer),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::Message { from: Peer::decode(reader)?, message: Message::decode(reader)? },
            2 => {
                let ticket = Ticket::decode(reader)?;
                let wall_ms = reader.take_u64()?;
                Self::Request { ticket, request: Request::decode(reader)?, wall_ms }
            }
            3 => Self::Timeout,
            4 => Self::Durable { through: PersistNumber::decode(reader)? },
            5 => Self::Storage(StorageFault::decode(reader)?),
            6 => Self::Applied {
                index: Index::decode(reader)?,
                durable: Index::decode(reader)?,
                next_deadline: reader.take_option()?,
            },
            7 => Self::Fetched {
                id: FetchId::decode(reader)?,
                outcome: FetchOutcome::decode(reader)?,
            },
            8 => Self::SnapshotReady {
                meta: SnapshotMeta::decode(reader)?,
                generation: Generation::decode(reader)?,
            },
            9 => {
                Self::SnapshotSent { to: NodeId::decode(reader)?, delivered: reader.take_option()? }
            }
            10 => Self::SnapshotInstalled { index: Index::decode(reader)? },
            11 => Self::Unreachable { peer: NodeId::decode(reader)? },
            _ => return Err(Malformed("an input kind from 1 to 11")),
        })
    }
}

impl<Message, Request> Input<Message, Request> {
    const fn kind(&self) -> u8 {
        match self {
            Self::Message { .. } => 1,
            Self::Request { .. } => 2,
            Self::Timeout => 3,
            Self::Durable { .. } => 4,
            Self::Storage(_) => 5,
            Self::Applied { .. } => 6,
            Self::Fetched { .. } => 7,
            Self::SnapshotReady { .. } => 8,
            Self::SnapshotSent { .. } => 9,
            Self::SnapshotInstalled { .. } => 10,
            Self::Unreachable { .. } => 11,
        }
    }
}

impl Wire for FetchId {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.0);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self(reader.take_u64()?))
    }
}

impl Wire for FetchOutcome {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Entries(entries) => {
                writer.put_u8(1);
                writer.put_list(entries);
            }
            Self::Compacted => writer.put_u8(2),
            Self::Failed => writer.put_u8(3),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::Entries(reader.take_list()?),
            2 => Self::Compacted,
            3 => Self::Failed,
            _ => return Err(Malformed("the outcome of a fetch from 1 to 3")),
        })
    }
}

impl Wire for StorageFault {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u8(match self {
            Self::Poisoned => 1,
            Self::Full => 2,
            Self::Roomy => 3,
        });
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::Poisoned,
            2 => Self::Full,
            3 => Self::Roomy,
            _ => return Err(Malformed("a storage fault from 1 to 3")),
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, vec, vec::Vec};

    use super::{FetchId, FetchOutcome, StorageFault};
    use crate::{
        codec::Wire,
        entry::{Entry, EntryHead, EntryKind},
        ids::{EntryId, Generation, Incarnation, Index, NodeId, Peer, PersistNumber, Term, Ticket},
        node::Input,
        record::SnapshotMeta,
        time::Stamp,
    };

    /// Any two types that have bytes will do for the message and the request.
    type AnyInput = Input<Term, Stamp>;

    fn one_of_each() -> Vec<AnyInput> {
        let head = EntryHead {
            id: EntryId::new(Term(2), Index(3)),
            kind: EntryKind::Noop,
            stamp: Stamp(4),
            wall_ms: 5,
            origin: None,
            session: None,
        };
        let fetched = |outcome| Input::Fetched { id: FetchId(6), outcome };
        let from = Peer { node: NodeId(7), incarnation: Incarnation(8) };
        vec![
            Input::Message { from, message: Term(9) },
            Input::Request { ticket: Ticket(10), request: Stamp(11), wall_ms: 12 },
            Input::Timeout,
            Input::Durable { through: PersistNumber(13) },
            Input::Storage(StorageFault::Poisoned),
            Input::Storage(StorageFault::Full),
            Input::Storage(StorageFault::Roomy),
            Input::Applied { index: Index(14), durable: Index(15), next_deadline: Some(Stamp(16)) },
            Input::Applied { index: Index(14), durable: Index(15), next_deadline: None },
            fetched(FetchOutcome::Entries(vec![Entry::new(head, b"data")])),
            fetched(FetchOutcome::Compacted),
            fetched(FetchOutcome::Failed),
            Input::SnapshotReady { meta: SnapshotMeta::default(), generation: Generation(17) },
            Input::SnapshotSent { to: NodeId(18), delivered: Some(Index(19)) },
            Input::SnapshotSent { to: NodeId(18), delivered: None },
            Input::SnapshotInstalled { index: Index(20) },
            Input::Unreachable { peer: NodeId(21) },
        ]
    }

    #[test]
    fn every_input_is_read_back() {
        for input in one_of_each() {
            let read = AnyInput::from_bytes(input.to_bytes()).expect("these are its bytes");
            assert_eq!(format!("{read:?}"), format!("{input:?}"));
        }
    }

    #[test]
    fn bytes_that_end_early_are_no_input() {
        for input in one_of_each() {
            let bytes = input.to_bytes();
            for length in 0..bytes.len() {
                assert!(AnyInput::from_bytes(bytes.slice(..length)).is_err(), "{input:?}");
            }
        }
    }
}

//! What goes over a connection between two replicas: what their nodes say, or a piece of a snapshot.
//!
//! ```text
//! kind u8 | body
//!   1 Node       a message of the node
//!   2 Snapshot   a message of a snapshot's stream
//! ```

use kernel::{Malformed, Reader, Wire, Writer};

use crate::snapshot::SnapshotMessage;

/// One thing said by one replica to another; `M` is what their nodes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Envelope<M> {
    /// For the receiver's node.
    Node(M),
    /// For the receiver's snapshot sender or receiver.
    Snapshot(SnapshotMessage),
}

impl<M: Wire> Wire for Envelope<M> {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Node(message) => {
                writer.put_u8(1);
                message.encode(writer);
            }
            Self::Snapshot(message) => {
                writer.put_u8(2);
                message.encode(writer);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            1 => Ok(Self::Node(M::decode(reader)?)),
            2 => Ok(Self::Snapshot(SnapshotMessage::decode(reader)?)),
            _ => Err(Malformed("an envelope of kind 1 or 2")),
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Term, Wire};

    use super::Envelope;
    use crate::snapshot::SnapshotMessage;

    /// A line here may be added, never changed.
    #[test]
    fn envelopes_keep_their_bytes() {
        let node = Envelope::Node(Term(3));
        let snapshot = Envelope::Snapshot(SnapshotMessage::Refused { stream: 2 });
        for (envelope, golden) in
            [(node, &b"\x01\x03\0\0\0\0\0\0\0"[..]), (snapshot, b"\x02\x03\x02\0\0\0\0\0\0\0")]
        {
            assert_eq!(envelope.to_bytes(), golden);
            assert_eq!(Envelope::from_bytes(envelope.to_bytes()), Ok(envelope));
        }
        assert!(Envelope::<Term>::from_bytes(b"\x03"[..].into()).is_err());
    }
}

//! A log entry: framed once by the leader that makes it, the same bytes in every log and message.
//!
//! ```text
//! checksum u32   CRC-32C of all that follows
//! version  u8    1
//! kind     u8    0 no-op, 1 command, 2 configuration, 3 tick
//! flags    u8    1: has an origin, 2: has a session
//! index u64 | term u64 | stamp u64 | wall_ms u64
//! origin         node u64 | incarnation u64 | ticket u64         only if flagged
//! session        client u128 | serial u64                        only if flagged
//! data           to the end
//! ```
//! The checksum is computed once and checked on every read, send, receive and apply, so that damaged
//! memory is found before it is replicated (B63).

use alloc::sync::Arc;

use bytes::Bytes;

use crate::{
    checksum::crc32c,
    codec::{Malformed, Reader, Wire, Writer},
    ids::{ClientId, EntryId, Incarnation, Index, NodeId, Peer, Term, Ticket},
    time::Stamp,
};

const VERSION: u8 = 1;
const HAS_ORIGIN: u8 = 1;
const HAS_SESSION: u8 = 2;

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// The first entry of a term (§8): it commits what earlier terms left behind.
    Noop,
    /// A command for the state machine.
    Command,
    /// A [`Membership`](crate::Membership), in force as soon as it is appended.
    Configuration,
    /// Cluster time passes: the state machine may expire what is due at the entry's stamp.
    Tick,
}

/// Who waits for the outcome of an entry: one request of one life of one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The replica and its life.
    pub peer: Peer,
    /// The request there.
    pub ticket: Ticket,
}

/// Makes a repeated command take effect once: a client and its own number for the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// The client.
    pub client: ClientId,
    /// The client's number for this request; a repeat carries the same.
    pub serial: u64,
}

/// All of an entry but its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryHead {
    /// Term and index.
    pub id: EntryId,
    /// What the entry is for.
    pub kind: EntryKind,
    /// Cluster time at which the leader made it.
    pub stamp: Stamp,
    /// Time of day at which the leader made it, milliseconds since 1970; for display only.
    pub wall_ms: u64,
    /// Who waits for its outcome.
    pub origin: Option<Origin>,
    /// The session that makes it take effect once.
    pub session: Option<Session>,
}

/// An entry of the log. Cheap to clone and to move: it is shared, and never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    head: EntryHead,
    data: Bytes,
    frame: Bytes,
}

impl Entry {
    /// Frames a new entry.
    #[must_use]
    pub fn new(head: EntryHead, data: &[u8]) -> Self {
        let mut writer = Writer::with_capacity(96 + data.len());
        writer.put_u32(0);
        writer.put_u8(VERSION);
        encode_head(&head, &mut writer);
        let data_start = writer.len();
        writer.put_raw(data);
        let checksum = crc32c(&writer.as_mut_slice()[4..]);
        writer.as_mut_slice()[..4].copy_from_slice(&checksum.to_le_bytes());
        let frame = writer.into_bytes();
        Self::of_parts(head, frame.slice(data_start..), frame)
    }

    /// Reads an entry from its frame.
    ///
    /// # Errors
    /// [`Malformed`] if the checksum does not match or the frame is of a kind this build does not know.
    pub fn from_frame(frame: Bytes) -> Result<Self, Malformed> {
        let mut reader = Reader::new(frame.clone());
        let checksum = reader.take_u32()?;
        if crc32c(&frame[4..]) != checksum {
            return Err(Malformed("an entry whose checksum matches"));
        }
        if reader.take_u8()? != VERSION {
            return Err(Malformed("an entry of version 1"));
        }
        let head = decode_head(&mut reader)?;
        let data = reader.take_rest();
        Ok(Self::of_parts(head, data, frame))
    }

    fn of_parts(head: EntryHead, data: Bytes, frame: Bytes) -> Self {
        Self(Arc::new(Parts { head, data, frame }))
    }

    /// Term and index.
    #[must_use]
    pub fn id(&self) -> EntryId {
        self.0.head.id
    }

    /// The entry's place in the log.
    #[must_use]
    pub fn index(&self) -> Index {
        self.0.head.id.index
    }

    /// The term in which it was made.
    #[must_use]
    pub fn term(&self) -> Term {
        self.0.head.id.term
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> EntryKind {
        self.0.head.kind
    }

    /// Cluster time at which it was made.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.0.head.stamp
    }

    /// Who waits for its outcome.
    #[must_use]
    pub fn origin(&self) -> Option<Origin> {
        self.0.head.origin
    }

    /// The session that makes it take effect once.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        self.0.head.session
    }

    /// All but the data.
    #[must_use]
    pub fn head(&self) -> &EntryHead {
        &self.0.head
    }

    /// The command, the configuration, or nothing.
    #[must_use]
    pub fn data(&self) -> &Bytes {
        &self.0.data
    }

    /// The entry's bytes, checksum first.
    #[must_use]
    pub fn frame(&self) -> &Bytes {
        &self.0.frame
    }

    /// How many bytes the entry takes in a log or a message.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.frame.len() as u64 + 4
    }

    /// The entry as it is after one bit of its frame has flipped in memory, counted from 0: what the
    /// simulator hands on once in a while. Its checksum is that of before.
    ///
    /// # Panics
    /// If the frame has no such bit.
    #[must_use]
    pub fn with_flipped_bit(&self, bit: u64) -> Self {
        let mut bytes = self.0.frame.to_vec();
        let place = usize::try_from(bit / 8).expect("a place in a frame");
        bytes[place] ^= 1 << (bit % 8);
        let frame = Bytes::from(bytes);
        let data_start = frame.len() - self.0.data.len();
        Self::of_parts(self.0.head, frame.slice(data_start..), frame)
    }

    /// True if the bytes still match the checksum that the leader computed.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        crc32c(&self.0.frame[4..]).to_le_bytes() == self.0.frame[..4]
    }
}

impl Wire for Entry {
    fn encode(&self, writer: &mut Writer) {
        writer.put_bytes(&self.0.frame);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Self::from_frame(reader.take_bytes()?)
    }
}

fn encode_head(head: &EntryHead, writer: &mut Writer) {
    writer.put_u8(match head.kind {
        EntryKind::Noop => 0,
        EntryKind::Command => 1,
        EntryKind::Configuration => 2,
        EntryKind::Tick => 3,
    });
    let origin_flag = if head.origin.is_some() { HAS_ORIGIN } else { 0 };
    let session_flag = if head.session.is_some() { HAS_SESSION } else { 0 };
    writer.put_u8(origin_flag | session_flag);
    head.id.index.encode(writer);
    head.id.term.encode(writer);
    head.stamp.encode(writer);
    writer.put_u64(head.wall_ms);
    if let Some(origin) = head.origin {
        origin.peer.encode(writer);
        origin.ticket.encode(writer);
    }
    if let Some(session) = head.session {
        session.encode(writer);
    }
}

fn decode_head(reader: &mut Reader) -> Result<EntryHead, Malformed> {
    let kind = match reader.take_u8()? {
        0 => EntryKind::Noop,
        1 => EntryKind::Command,
        2 => EntryKind::Configuration,
        3 => EntryKind::Tick,
        _ => return Err(Malformed("an entry kind from 0 to 3")),
    };
    let flags = reader.take_u8()?;
    if flags & !(HAS_ORIGIN | HAS_SESSION) != 0 {
        return Err(Malformed("entry flags from 0 to 3"));
    }
    let index = Index::decode(reader)?;
    let term = Term::decode(reader)?;
    let stamp = Stamp::decode(reader)?;
    let wall_ms = reader.take_u64()?;
    let origin = if flags & HAS_ORIGIN == 0 {
        None
    } else {
        let node = NodeId::decode(reader)?;
        let incarnation = Incarnation::decode(reader)?;
        Some(Origin { peer: Peer { node, incarnation }, ticket: Ticket::decode(reader)? })
    };
    let session = if flags & HAS_SESSION == 0 { None } else { Some(Session::decode(reader)?) };
    Ok(EntryHead { id: EntryId { term, index }, kind, stamp, wall_ms, origin, session })
}

impl Wire for Session {
    fn encode(&self, writer: &mut Writer) {
        self.client.encode(writer);
        writer.put_u64(self.serial);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { client: ClientId::decode(reader)?, serial: reader.take_u64()? })
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, EntryHead, EntryKind, Origin, Session};
    use crate::{
        ids::{ClientId, EntryId, Incarnation, Index, NodeId, Peer, Term, Ticket},
        time::Stamp,
    };
    use alloc::vec::Vec;
    use bytes::Bytes;

    fn full() -> Entry {
        let head = EntryHead {
            id: EntryId::new(Term(2), Index(3)),
            kind: EntryKind::Command,
            stamp: Stamp(4),
            wall_ms: 5,
            origin: Some(Origin {
                peer: Peer { node: NodeId(6), incarnation: Incarnation(7) },
                ticket: Ticket(8),
            }),
            session: Some(Session { client: ClientId(9), serial: 10 }),
        };
        Entry::new(head, b"data")
    }

    #[test]
    fn a_frame_is_read_back() {
        let entry = full();
        assert!(entry.is_intact());
        assert_eq!(Entry::from_frame(entry.frame().clone()), Ok(entry));
    }

    #[test]
    fn every_flipped_bit_is_found() {
        let frame = full().frame().to_vec();
        for bit in 0..frame.len() * 8 {
            let mut damaged: Vec<u8> = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(Entry::from_frame(Bytes::from(damaged)).is_err(), "bit {bit}");
        }
    }
}

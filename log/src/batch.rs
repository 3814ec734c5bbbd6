//! A batch: what one flush makes durable. Batches are numbered without gaps through all segments.
//!
//! ```text
//! chain u128            hash of the chain before this batch and of all that follows here
//! version u16 | zero u16 | sectors u32 | body bytes u32
//! number u64 | durable upto u64 (the last batch known to be durable when this one was made)
//! term u64 | has vote u8 | vote u64 | commit u64        the hard state after this batch
//! last term u64 | last index u64                        the end of the log after this batch
//! body: count u32, then each record with its length
//!   1  group u64 | a kernel record
//!   2  start: incarnation u64 | state (the state before this batch)
//!
//! state: group u64 | hard state | base (term, index) | stamp | membership | generation
//!        | last (term, index) | doubt (0, or 1 and term, index)
//! ```
//! All of this is payload, laid over sectors that carry their own checksums
//! ([`sector`]). The head lies in the first sector, so it is believed, or not,
//! without the body: no length is used before it is proven, and a batch whose body was lost still
//! says how far the log and the vote had come.

use alloc::vec::Vec;

use kernel::{
    Bytes, EntryId, Generation, GroupId, HardState, Incarnation, Malformed, Membership, NodeId,
    Reader, Record, Stamp, Term, Wire, Writer,
};
use xxhash_rust::xxh3::xxh3_128;

use crate::{
    sector::{self, SECTOR_BYTES},
    segment::Link,
};

/// What the head takes, at the front of the first sector.
pub(crate) const HEAD_BYTES: usize = 16 + 2 + 2 + 4 + 4 + 8 + 8 + 8 + 1 + 8 + 8 + 8 + 8;

const VERSION: u16 = 1;
const CHAIN_BYTES: usize = 16;
const NUMBER_AT: usize = 28;
const DURABLE_AT: usize = 36;

/// What a log amounts to, but for its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) group: GroupId,
    pub(crate) hard: HardState,
    pub(crate) base: EntryId,
    pub(crate) base_stamp: Stamp,
    pub(crate) membership: Membership,
    pub(crate) generation: Generation,
    pub(crate) last: EntryId,
    /// How far the replica may once have acknowledged without having it now.
    pub(crate) doubt: Option<EntryId>,
}

/// One record of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BatchRecord {
    Group(GroupId, Record),
    Start { incarnation: Incarnation, state: State },
}

/// The head of a batch, without the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) sectors: u32,
    pub(crate) body_bytes: u32,
    pub(crate) number: u64,
    pub(crate) durable_upto: u64,
    pub(crate) hard: HardState,
    pub(crate) last: EntryId,
}

/// Why a head that is intact cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strange {
    Newer(u16),
    Malformed(Malformed),
}

impl From<Malformed> for Strange {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl Head {
    /// Reads the head from the payload of a batch's first sector.
    pub(crate) fn decode(payload: &[u8]) -> Result<Self, Strange> {
        let mut reader = Reader::new(Bytes::copy_from_slice(&payload[CHAIN_BYTES..HEAD_BYTES]));
        let version = reader.take_u16()?;
        if version != VERSION {
            return Err(Strange::Newer(version));
        }
        reader.take_u16()?;
        let (sectors, body_bytes) = (reader.take_u32()?, reader.take_u32()?);
        let (number, durable_upto) = (reader.take_u64()?, reader.take_u64()?);
        let term = Term::decode(&mut reader)?;
        let (has_vote, vote) = (reader.take_u8()?, NodeId::decode(&mut reader)?);
        let commit = Wire::decode(&mut reader)?;
        let last = EntryId::decode(&mut reader)?;
        if sector::count(HEAD_BYTES + body_bytes as usize) != sectors as usize {
            return Err(Malformed("as many sectors as head and body take").into());
        }
        let hard = HardState { term, vote: (has_vote != 0).then_some(vote), commit };
        Ok(Self { sectors, body_bytes, number, durable_upto, hard, last })
    }

    fn encode(&self, writer: &mut Writer) {
        writer.put_u16(VERSION);
        writer.put_u16(0);
        writer.put_u32(self.sectors);
        writer.put_u32(self.body_bytes);
        writer.put_u64(self.number);
        writer.put_u64(self.durable_upto);
        self.hard.term.encode(writer);
        writer.put_u8(u8::from(self.hard.vote.is_some()));
        self.hard.vote.unwrap_or_default().encode(writer);
        self.hard.commit.encode(writer);
        self.last.encode(writer);
    }

    /// The batch's size on disk, in bytes.
    pub(crate) const fn bytes_len(&self) -> u64 {
        self.sectors as u64 * SECTOR_BYTES as u64
    }
}

/// How many sectors a batch with such a body takes.
pub(crate) const fn sectors_of(body_bytes: usize) -> usize {
    sector::count(HEAD_BYTES + body_bytes)
}

/// The number and the last durable batch that a first sector's payload claims, to be believed only
/// once the sector is proven to be of that number.
pub(crate) fn claims(payload: &[u8]) -> (u64, u64) {
    let number = |at: usize| {
        let bytes = payload[at..at + 8].try_into().expect("eight bytes of a sector");
        u64::from_le_bytes(bytes)
    };
    (number(NUMBER_AT), number(DURABLE_AT))
}

/// The sectors of a batch, and the link after it.
pub(crate) fn encode(head: &Head, body: &[u8], chain: u128, salt: u64) -> (Vec<u8>, Link) {
    assert_eq!(head.body_bytes as usize, body.len(), "the head tells the body's length");
    let mut writer = Writer::with_capacity(HEAD_BYTES + body.len());
    writer.put_u128(chain);
    head.encode(&mut writer);
    assert_eq!(writer.len(), HEAD_BYTES, "the head has one size");
    writer.put_raw(body);
    let mut payload = writer.into_vec();
    let after = xxh3_128(&payload);
    payload[..CHAIN_BYTES].copy_from_slice(&after.to_le_bytes());
    let sectors = sector::fill(&payload, salt, head.number);
    assert_eq!(sectors.len() as u64, head.bytes_len(), "the head tells the batch's length");
    (sectors, Link { batch: head.number + 1, chain: after })
}

/// The body of a batch whose sectors are all new, and the link after it; nothing if the batch does
/// not follow on `chain`.
pub(crate) fn open(head: &Head, sectors: &[u8], chain: u128) -> Option<(Bytes, Link)> {
    let mut payload = sector::gather(sectors);
    payload.truncate(HEAD_BYTES + head.body_bytes as usize);
    let after: [u8; CHAIN_BYTES] = payload[..CHAIN_BYTES].try_into().expect("a head has a chain");
    let after = u128::from_le_bytes(after);
    payload[..CHAIN_BYTES].copy_from_slice(&chain.to_le_bytes());
    if xxh3_128(&payload) != after {
        return None;
    }
    let body = Bytes::from(payload).slice(HEAD_BYTES..);
    Some((body, Link { batch: head.number + 1, chain: after }))
}

/// The body of a batch whose sectors are all new, wherever it stands in the chain.
pub(crate) fn body(head: &Head, sectors: &[u8]) -> Bytes {
    let payload = Bytes::from(sector::gather(sectors));
    payload.slice(HEAD_BYTES..HEAD_BYTES + head.body_bytes as usize)
}

/// The bytes of a body.
pub(crate) fn encode_body(start: Option<&BatchRecord>, records: &[(GroupId, Record)]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(512);
    writer.put_count(records.len() + usize::from(start.is_some()));
    if let Some(start) = start {
        put_record(&mut writer, start);
    }
    for (group, record) in records {
        put_group(&mut writer, *group, record);
    }
    writer.into_vec()
}

/// The records of a body.
pub(crate) fn decode_body(body: Bytes) -> Result<Vec<BatchRecord>, Malformed> {
    let mut reader = Reader::new(body);
    let records = reader.take_list()?;
    reader.finish()?;
    Ok(records)
}

impl Wire for BatchRecord {
    fn encode(&self, writer: &mut Writer) {
        put_record(writer, self);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let kind = reader.take_u8()?;
        let mut reader = Reader::new(reader.take_bytes()?);
        let record = match kind {
            1 => Self::Group(GroupId::decode(&mut reader)?, Record::decode(&mut reader)?),
            2 => Self::Start {
                incarnation: Incarnation::decode(&mut reader)?,
                state: State::decode(&mut reader)?,
            },
            _ => return Err(Malformed("a log record of kind 1 or 2")),
        };
        reader.finish()?;
        Ok(record)
    }
}

impl Wire for State {
    fn encode(&self, writer: &mut Writer) {
        self.group.encode(writer);
        self.hard.encode(writer);
        self.base.encode(writer);
        self.base_stamp.encode(writer);
        self.membership.encode(writer);
        self.generation.encode(writer);
        self.last.encode(writer);
        writer.put_option(self.doubt.as_ref());
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            group: GroupId::decode(reader)?,
            hard: HardState::decode(reader)?,
            base: EntryId::decode(reader)?,
            base_stamp: Stamp::decode(reader)?,
            membership: Membership::decode(reader)?,
            generation: Generation::decode(reader)?,
            last: EntryId::decode(reader)?,
            doubt: reader.take_option()?,
        })
    }
}

fn put_record(writer: &mut Writer, record: &BatchRecord) {
    match record {
        BatchRecord::Group(group, record) => put_group(writer, *group, record),
        BatchRecord::Start { incarnation, state } => {
            let start = begin_record(writer, 2);
            incarnation.encode(writer);
            state.encode(writer);
            end_record(writer, start);
        }
    }
}

fn put_group(writer: &mut Writer, group: GroupId, record: &Record) {
    let start = begin_record(writer, 1);
    group.encode(writer);
    record.encode(writer);
    end_record(writer, start);
}

fn begin_record(writer: &mut Writer, kind: u8) -> usize {
    writer.put_u8(kind);
    writer.put_u32(0);
    writer.len()
}

fn end_record(writer: &mut Writer, start: usize) {
    let length = u32::try_from(writer.len() - start).expect("a record is far below 4 GiB");
    writer.as_mut_slice()[start - 4..start].copy_from_slice(&length.to_le_bytes());
}

//! A segment: one file of fixed size, made of zeros before it is needed.
//!
//! ```text
//! 0                header: one sector, the rest zero
//! 4096             batches, each a whole number of sectors, one after the other
//! size - 512       seal: where the log goes on, once it has gone on
//!
//! header   magic u64 | version u16 | cluster u128 | node u64 | disk u128 | incarnation u64
//!          | segment u64 | bytes u64 | salt u64 | first batch u64 | chain u128 before that batch
//! seal     version u16 | first batch of the next segment u64 | chain u128 before that batch
//! ```
//! The first batch of a segment begins with the whole small state as it was (see
//! [`batch`](crate::batch)), so that nothing has to be written again when older segments go.

use alloc::vec::Vec;

use kernel::{Bytes, ClusterId, DiskId, Incarnation, Malformed, NodeId, Reader, Wire as _, Writer};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    disk::SegmentNumber,
    sector::{self, Place, SECTOR_BYTES, Sector},
};

/// Where the first batch begins.
pub(crate) const HEADER_BYTES: u64 = 4096;

/// What the seal takes at the end.
pub(crate) const SEAL_BYTES: u64 = SECTOR_BYTES as u64;

const MAGIC: u64 = u64::from_le_bytes(*b"archilog");
const VERSION: u16 = 1;

/// Headers are read before the salt is known: they have one of their own.
const HEADER_PLACE: Place = Place { salt: MAGIC, batch: 0, position: 0 };

/// No batch has this number.
const SEAL_BATCH: u64 = u64::MAX;

/// Whose log it is. A file of another cluster, replica or disk is refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The cluster.
    pub cluster: ClusterId,
    /// The replica.
    pub node: NodeId,
    /// The data folder.
    pub disk: DiskId,
}

impl Identity {
    /// What tells the sectors of one segment from those of all others.
    pub(crate) fn salt(&self, segment: SegmentNumber) -> u64 {
        let mut writer = Writer::with_capacity(48);
        self.encode(&mut writer);
        writer.put_u64(segment.0);
        xxh3_64(&writer.into_vec())
    }

    fn encode(&self, writer: &mut Writer) {
        self.cluster.encode(writer);
        self.node.encode(writer);
        self.disk.encode(writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            cluster: ClusterId::decode(reader)?,
            node: NodeId::decode(reader)?,
            disk: DiskId::decode(reader)?,
        })
    }
}

/// Where a chain of batches goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The next batch.
    pub(crate) batch: u64,
    /// The hash of all batches before it.
    pub(crate) chain: u128,
}

/// The first sector of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) identity: Identity,
    pub(crate) incarnation: Incarnation,
    pub(crate) segment: SegmentNumber,
    pub(crate) bytes_len: u64,
    pub(crate) link: Link,
}

/// What stands where a header or a seal may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<T> {
    Value(T),
    Zero,
    Garbage,
    /// Intact, of a version that this build does not know.
    Newer(u16),
}

impl Header {
    /// The header's sector.
    pub(crate) fn sector(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(128);
        writer.put_u64(MAGIC);
        writer.put_u16(VERSION);
        self.identity.encode(&mut writer);
        self.incarnation.encode(&mut writer);
        writer.put_u64(self.segment.0);
        writer.put_u64(self.bytes_len);
        writer.put_u64(self.identity.salt(self.segment));
        writer.put_u64(self.link.batch);
        writer.put_u128(self.link.chain);
        sector::fill(&writer.into_vec(), HEADER_PLACE.salt, HEADER_PLACE.batch)
    }

    /// Reads the header of a segment's bytes.
    pub(crate) fn find(segment: &[u8]) -> Found<Self> {
        find(&segment[..SECTOR_BYTES], &HEADER_PLACE, |reader| {
            if reader.take_u64()? != MAGIC {
                return Err(Malformed("the magic number of a log segment"));
            }
            versioned(reader, |reader| {
                let header = Self {
                    identity: Identity::decode(reader)?,
                    incarnation: Incarnation::decode(reader)?,
                    segment: SegmentNumber(reader.take_u64()?),
                    bytes_len: reader.take_u64()?,
                    link: {
                        let _salt = reader.take_u64()?;
                        Link { batch: reader.take_u64()?, chain: reader.take_u128()? }
                    },
                };
                Ok(header)
            })
        })
    }
}

/// The last sector of a segment after which the log goes on in the next one.
pub(crate) fn seal_sector(link: &Link, salt: u64) -> Vec<u8> {
    let mut writer = Writer::with_capacity(32);
    writer.put_u16(VERSION);
    writer.put_u64(link.batch);
    writer.put_u128(link.chain);
    sector::fill(&writer.into_vec(), salt, SEAL_BATCH)
}

/// Reads the seal of a segment's bytes.
pub(crate) fn find_seal(segment: &[u8], salt: u64) -> Found<Link> {
    let place = Place { salt, batch: SEAL_BATCH, position: 0 };
    find(&segment[segment.len() - SECTOR_BYTES..], &place, |reader| {
        versioned(reader, |reader| {
            Ok(Link { batch: reader.take_u64()?, chain: reader.take_u128()? })
        })
    })
}

fn versioned<T>(
    reader: &mut Reader,
    decode: impl Fn(&mut Reader) -> Result<T, Malformed>,
) -> Result<Found<T>, Malformed> {
    match reader.take_u16()? {
        VERSION => decode(reader).map(Found::Value),
        version => Ok(Found::Newer(version)),
    }
}

fn find<T>(
    bytes: &[u8],
    place: &Place,
    decode: impl Fn(&mut Reader) -> Result<Found<T>, Malformed>,
) -> Found<T> {
    match sector::judge(bytes, place) {
        Sector::Zero => Found::Zero,
        Sector::Garbage => Found::Garbage,
        Sector::New => {
            let payload = Bytes::from(sector::gather(bytes));
            decode(&mut Reader::new(payload)).unwrap_or(Found::Garbage)
        }
    }
}

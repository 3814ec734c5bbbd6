//! What sender and receiver of a snapshot say to each other.
//!
//! ```text
//! kind u8 | stream u64 | body
//!   1 Chunk      sequence u64 | checksum u32 | body with its length
//!   2 Accepted   next u64
//!   3 Refused
//! chunk body: meta (0, or 1 and the meta) | last u8 | count u32 | key and value with their lengths ...
//! ```

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Malformed, Reader, SnapshotMeta, Wire, Writer, checksum::crc32c_of};

/// One message of a snapshot's stream. A stream is named by its sender's replica and life and by a
/// number that the sender never gives twice in that life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotMessage {
    /// A piece of the snapshot.
    Chunk {
        /// The stream.
        stream: u64,
        /// The chunk's place in the stream, from 0.
        sequence: u64,
        /// CRC-32C of stream, sequence and body.
        checksum: u32,
        /// A [`Chunk`], encoded.
        body: Bytes,
    },
    /// Everything before chunk `next` has been stored; if that was all, the whole is durable.
    Accepted {
        /// The stream.
        stream: u64,
        /// The chunk to send next.
        next: u64,
    },
    /// The receiver cannot go on with this stream: it began another, lost its place, or met damage.
    Refused {
        /// The stream.
        stream: u64,
    },
}

/// What a chunk carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// What the snapshot covers; in the first chunk and in no other.
    pub meta: Option<SnapshotMeta>,
    /// True in the last chunk.
    pub last: bool,
    /// Pairs by full key (a table's number, then the key in it), ascending.
    pub pairs: Vec<(Bytes, Bytes)>,
}

impl SnapshotMessage {
    /// The message that carries `chunk`.
    #[must_use]
    pub fn chunk(stream: u64, sequence: u64, chunk: &Chunk) -> Self {
        let body = chunk.to_bytes();
        let checksum = chunk_checksum(stream, sequence, &body);
        Self::Chunk { stream, sequence, checksum, body }
    }
}

/// Protects a chunk's place as well as its bytes, so that a chunk cannot be taken for another.
pub(super) fn chunk_checksum(stream: u64, sequence: u64, body: &[u8]) -> u32 {
    crc32c_of(&[&stream.to_le_bytes(), &sequence.to_le_bytes(), body])
}

impl Wire for Chunk {
    fn encode(&self, writer: &mut Writer) {
        writer.put_option(self.meta.as_ref());
        writer.put_u8(u8::from(self.last));
        writer.put_count(self.pairs.len());
        for (key, value) in &self.pairs {
            writer.put_bytes(key);
            writer.put_bytes(value);
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let meta = reader.take_option()?;
        let last = match reader.take_u8()? {
            0 => false,
            1 => true,
            _ => return Err(Malformed("0 or 1 for the last chunk")),
        };
        let count = reader.take_u32()?;
        let mut pairs = Vec::new();
        for _ in 0..count {
            pairs.push((reader.take_bytes()?, reader.take_bytes()?));
        }
        Ok(Self { meta, last, pairs })
    }
}

impl Wire for SnapshotMessage {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Chunk { stream, sequence, checksum, body } => {
                writer.put_u8(1);
                writer.put_u64(*stream);
                writer.put_u64(*sequence);
                writer.put_u32(*checksum);
                writer.put_bytes(body);
            }
            Self::Accepted { stream, next } => {
                writer.put_u8(2);
                writer.put_u64(*stream);
                writer.put_u64(*next);
            }
            Self::Refused { stream } => {
                writer.put_u8(3);
                writer.put_u64(*stream);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let kind = reader.take_u8()?;
        let stream = reader.take_u64()?;
        match kind {
            1 => {
                let sequence = reader.take_u64()?;
                let checksum = reader.take_u32()?;
                Ok(Self::Chunk { stream, sequence, checksum, body: reader.take_bytes()? })
            }
            2 => Ok(Self::Accepted { stream, next: reader.take_u64()? }),
            3 => Ok(Self::Refused { stream }),
            _ => Err(Malformed("a snapshot message of kind 1 to 3")),
        }
    }
}

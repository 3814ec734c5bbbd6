//! What the process of a node can ask of it, and what comes of it.

use alloc::{string::String, vec::Vec};

use bytes::Bytes;
use kernel::{Endpoint, Malformed, NodeId, Reader, Wire, Writer};

use crate::{
    id::Id,
    item::{Item, Seal},
};

/// What is wanted.
#[derive(Clone, Debug)]
pub enum Request {
    /// Store a value on the nodes nearest to its id.
    Put {
        /// The value; one that is not genuine is refused.
        item: Item,
        /// Only in the place of the value with this sequence number.
        compare: Option<i64>,
        /// Put it again each hour for as long as this node lives.
        is_kept: bool,
    },
    /// Find the value under an id; of a key's values the newest that any of the nearest nodes has.
    Get {
        /// The id.
        target: Id,
        /// The salt, if it is a key's value with one.
        salt: Bytes,
    },
    /// Say that a peer at this address has a torrent.
    Announce {
        /// Its hash.
        info_hash: Id,
        /// Where the peer listens; nothing for the node's own port.
        port: Option<u16>,
    },
    /// Find peers that have a torrent.
    Peers {
        /// Its hash.
        info_hash: Id,
    },
    /// Hand all values over to the nodes nearest to them and ask nothing more.
    Leave,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A value or an announcement was offered to the nearest nodes.
    Stored {
        /// The id that it is stored under.
        target: Id,
        /// How many nodes have taken it.
        copies: u32,
        /// What the others said.
        refusals: Vec<Refused>,
    },
    /// The value, if there is one.
    Found(Option<Item>),
    /// Peers that have the torrent, in the order of their addresses.
    Peers(Vec<Endpoint>),
    /// All values were offered to others.
    Left {
        /// How many there were.
        items: u32,
    },
}

/// What a node said that did not take a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// The code (BEP 5, BEP 44).
    pub code: i64,
    /// Its reason.
    pub text: String,
}

impl Wire for Outcome {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Stored { target, copies, refusals } => {
                writer.put_u8(1);
                writer.put_raw(&target.0);
                writer.put_u32(*copies);
                writer.put_list(refusals);
            }
            Self::Found(item) => {
                writer.put_u8(2);
                writer.put_option(item.as_ref());
            }
            Self::Peers(peers) => {
                writer.put_u8(3);
                let names: Vec<NodeId> = peers.iter().map(|peer| peer.node()).collect();
                writer.put_list(&names);
            }
            Self::Left { items } => {
                writer.put_u8(4);
                writer.put_u32(*items);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::Stored {
                target: Id(array(reader)?),
                copies: reader.take_u32()?,
                refusals: reader.take_list()?,
            },
            2 => Self::Found(reader.take_option()?),
            3 => {
                let names: Vec<NodeId> = reader.take_list()?;
                let peers: Option<_> = names.into_iter().map(Endpoint::of_node).collect();
                Self::Peers(peers.ok_or(Malformed("an address"))?)
            }
            4 => Self::Left { items: reader.take_u32()? },
            _ => return Err(Malformed("an outcome")),
        })
    }
}

impl Wire for Refused {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.code.cast_unsigned());
        writer.put_bytes(self.text.as_bytes());
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { code: reader.take_u64()?.cast_signed(), text: reader.take_string()? })
    }
}

impl Wire for Item {
    fn encode(&self, writer: &mut Writer) {
        writer.put_bytes(&self.value);
        writer.put_option(self.seal.as_ref());
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { value: reader.take_bytes()?, seal: reader.take_option()? })
    }
}

impl Wire for Seal {
    fn encode(&self, writer: &mut Writer) {
        writer.put_raw(&self.key);
        writer.put_bytes(&self.salt);
        writer.put_u64(self.sequence.cast_unsigned());
        writer.put_raw(&self.signature);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            key: array(reader)?,
            salt: reader.take_bytes()?,
            sequence: reader.take_u64()?.cast_signed(),
            signature: array(reader)?,
        })
    }
}

fn array<const BYTES: usize>(reader: &mut Reader) -> Result<[u8; BYTES], Malformed> {
    let bytes = reader.take(BYTES, "as many bytes as the field has")?;
    Ok(bytes[..].try_into().expect("as many were taken"))
}

//! KRPC, what nodes say to each other (BEP 5): queries, replies and errors, one a datagram.
//!
//! ```text
//!   query   { t, y: "q", q: method, a: { id, ... } }     ro: 1 from those who answer nothing (BEP 43)
//!   reply   { t, y: "r", r: { id, ... }, ip }            ip is where the asker was seen (BEP 42)
//!   error   { t, y: "e", e: [code, text] }
//! ```

mod decode;
mod encode;
mod error;
mod peers;

pub use decode::decode;
pub use encode::{encode_error, encode_query, encode_reply};
pub use error::KrpcError;
use kernel::Endpoint;
pub use peers::Peers;

use crate::{bencode::Raw, contact::Contact, id::Id, item::Item};

/// One datagram, understood.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// The asker's name for the query; a reply carries it back as it is.
    pub transaction: &'a [u8],
    /// What it says.
    pub body: Body<'a>,
}

/// What a datagram says.
#[derive(Clone, Debug)]
pub enum Body<'a> {
    /// Asks something, or something that makes no sense and is answered with the error.
    Query {
        /// Who asks and what.
        query: Result<Query<'a>, KrpcError>,
        /// The sender answers nothing and must not be remembered (BEP 43).
        is_read_only: bool,
    },
    /// Answers a query.
    Reply(Reply<'a>),
    /// Refuses a query.
    Error {
        /// The code.
        code: i64,
        /// The reason, for people.
        text: &'a [u8],
    },
}

/// Who asks, and what.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// The sender's id.
    pub sender: Id,
    /// What is asked.
    pub method: Method<'a>,
}

/// What can be asked.
#[derive(Clone, Debug)]
pub enum Method<'a> {
    /// Are you there?
    Ping,
    /// Who is near that id?
    FindNode {
        /// The id.
        target: Id,
        /// Which nodes are wanted (BEP 32).
        want: Want,
    },
    /// Who has that torrent?
    GetPeers {
        /// Its hash.
        info_hash: Id,
        /// Which nodes are wanted (BEP 32).
        want: Want,
    },
    /// I have that torrent.
    AnnouncePeer {
        /// Its hash.
        info_hash: Id,
        /// Where the peer listens; nothing for the port that the query came from.
        port: Option<u16>,
        /// What the receiver has given lately.
        token: &'a [u8],
    },
    /// What is stored under that id (BEP 44)?
    Get {
        /// The id.
        target: Id,
        /// The value itself is wanted only if its sequence number is higher.
        newer_than: Option<i64>,
        /// Which nodes are wanted (BEP 32).
        want: Want,
    },
    /// Store this (BEP 44).
    Put(Put<'a>),
}

/// Which nodes an asker wants to hear of (BEP 32). This node knows those of IPv4 only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Nodes with IPv4 addresses.
    pub n4: bool,
    /// Nodes with IPv6 addresses.
    pub n6: bool,
}

/// A value to be stored.
#[derive(Clone, Copy, Debug)]
pub struct Put<'a> {
    /// What the receiver has given lately.
    pub token: &'a [u8],
    /// The value.
    pub value: Raw<'a>,
    /// Who vouches for it.
    pub seal: Option<RawSeal<'a>>,
    /// Store it only in the place of the value with this number.
    pub compare: Option<i64>,
}

/// The fields of a [`Seal`](crate::item::Seal) as they came.
#[derive(Clone, Copy, Debug)]
pub struct RawSeal<'a> {
    /// The public key.
    pub key: [u8; 32],
    /// The salt.
    pub salt: &'a [u8],
    /// The sequence number.
    pub sequence: i64,
    /// The signature.
    pub signature: [u8; 64],
}

/// What a reply can carry; each query wants some of it.
#[derive(Clone, Debug)]
pub struct Reply<'a> {
    /// The sender's id.
    pub sender: Id,
    /// Nodes near what was asked for, as BEP 5 writes them.
    pub nodes: &'a [u8],
    /// Peers that have a torrent.
    pub peers: Peers<'a>,
    /// What lets the asker announce or put here.
    pub token: Option<&'a [u8]>,
    /// A stored value.
    pub value: Option<Raw<'a>>,
    /// The key that vouches for it.
    pub key: Option<[u8; 32]>,
    /// Its sequence number.
    pub sequence: Option<i64>,
    /// Its signature.
    pub signature: Option<[u8; 64]>,
}

/// What a reply of ours says; see [`Reply`].
#[derive(Clone, Debug, Default)]
pub struct Answer<'a> {
    /// Nodes near what was asked for.
    pub nodes: Option<&'a [Contact]>,
    /// Peers that have a torrent.
    pub peers: Option<&'a [Endpoint]>,
    /// What lets the asker announce or put here.
    pub token: Option<&'a [u8]>,
    /// A stored item; of a mutable one perhaps only its number.
    pub item: Option<&'a Item>,
    /// The asker has this value already: only its number is told.
    pub is_known: bool,
}

//! Messages of ours to bytes.

use alloc::{string::ToString, vec::Vec};

use bytes::Bytes;
use kernel::{Datagram, Endpoint};

use super::{Answer, KrpcError, Method, Put, Query};
use crate::{
    bencode::{DictWriter, dict, list_of_bytes},
    contact::{Contact, endpoint_bytes},
    id::Id,
    item::Item,
};

/// The longest datagram that leaves: what passes any link whole, headers aside. Only a reply with a long value
/// comes near it.
const DATAGRAM_BYTES_MAX: usize = 1472;

/// Who we are, for the statistics of others: archipel, version 0.1.
const VERSION: &[u8] = b"AP\x00\x01";

/// A query. `is_read_only` says that the sender answers nothing (BEP 43).
#[must_use]
pub fn encode_query(transaction: &[u8], query: &Query<'_>, is_read_only: bool) -> Datagram {
    datagram(|message| {
        message.dict("a", |arguments| encode_arguments(arguments, query));
        message.string("q", name(&query.method));
        if is_read_only {
            message.integer("ro", 1);
        }
        message.string("t", transaction);
        message.string("v", VERSION);
        message.string("y", b"q");
    })
}

/// The reply to a query that came from `asker`.
#[must_use]
pub fn encode_reply(transaction: &[u8], own: Id, asker: Endpoint, answer: &Answer<'_>) -> Datagram {
    datagram(|message| {
        message.string("ip", &endpoint_bytes(asker));
        message.dict("r", |reply| encode_answer(reply, own, answer));
        message.string("t", transaction);
        message.string("v", VERSION);
        message.string("y", b"r");
    })
}

/// The refusal of a query that came from `asker`.
#[must_use]
pub fn encode_error(transaction: &[u8], asker: Endpoint, error: KrpcError) -> Datagram {
    datagram(|message| {
        let list = message.key("e");
        list.push(b'l');
        crate::bencode::integer(list, error.code());
        crate::bencode::string(list, error.to_string().as_bytes());
        list.push(b'e');
        message.string("ip", &endpoint_bytes(asker));
        message.string("t", transaction);
        message.string("v", VERSION);
        message.string("y", b"e");
    })
}

fn datagram(fill: impl FnOnce(&mut DictWriter<'_>)) -> Datagram {
    let mut out = Vec::with_capacity(400);
    dict(&mut out, fill);
    assert!(out.len() <= DATAGRAM_BYTES_MAX, "no datagram of ours is cut on its way");
    Datagram(Bytes::from(out))
}

const fn name(method: &Method<'_>) -> &'static [u8] {
    match method {
        Method::Ping => b"ping",
        Method::FindNode { .. } => b"find_node",
        Method::GetPeers { .. } => b"get_peers",
        Method::AnnouncePeer { .. } => b"announce_peer",
        Method::Get { .. } => b"get",
        Method::Put(_) => b"put",
    }
}

fn encode_arguments(arguments: &mut DictWriter<'_>, query: &Query<'_>) {
    let sender = &query.sender.0;
    match &query.method {
        Method::Ping => arguments.string("id", sender),
        Method::FindNode { target, .. } => {
            arguments.string("id", sender);
            arguments.string("target", &target.0);
        }
        Method::GetPeers { info_hash, .. } => {
            arguments.string("id", sender);
            arguments.string("info_hash", &info_hash.0);
        }
        Method::AnnouncePeer { info_hash, port, token } => {
            arguments.string("id", sender);
            arguments.integer("implied_port", i64::from(port.is_none()));
            arguments.string("info_hash", &info_hash.0);
            arguments.integer("port", i64::from(port.unwrap_or(1)));
            arguments.string("token", token);
        }
        Method::Get { target, newer_than, .. } => {
            arguments.string("id", sender);
            arguments.optional_integer("seq", *newer_than);
            arguments.string("target", &target.0);
        }
        Method::Put(put) => encode_put(arguments, sender, put),
    }
}

fn encode_put(arguments: &mut DictWriter<'_>, sender: &[u8], put: &Put<'_>) {
    arguments.optional_integer("cas", put.compare);
    arguments.string("id", sender);
    if let Some(seal) = &put.seal {
        arguments.string("k", &seal.key);
        arguments.optional_string("salt", Some(seal.salt).filter(|salt| !salt.is_empty()));
        arguments.integer("seq", seal.sequence);
        arguments.string("sig", &seal.signature);
    }
    arguments.string("token", put.token);
    arguments.raw("v", put.value.bytes());
}

fn encode_answer(reply: &mut DictWriter<'_>, own: Id, answer: &Answer<'_>) {
    let whole = answer.item.filter(|_| !answer.is_known);
    let seal = answer.item.and_then(|item| item.seal.as_ref());
    let shown = seal.filter(|_| !answer.is_known);
    reply.string("id", &own.0);
    reply.optional_string("k", shown.map(|seal| &seal.key[..]));
    if let Some(nodes) = answer.nodes {
        reply.string("nodes", &compact(nodes));
    }
    reply.optional_integer("seq", seal.map(|seal| seal.sequence));
    reply.optional_string("sig", shown.map(|seal| &seal.signature[..]));
    reply.optional_string("token", answer.token);
    if let Some(Item { value, .. }) = whole {
        reply.raw("v", value);
    }
    if let Some(peers) = answer.peers {
        let peers: Vec<[u8; 6]> = peers.iter().copied().map(endpoint_bytes).collect();
        list_of_bytes(reply.key("values"), peers.iter().map(|peer| &peer[..]));
    }
}

fn compact(nodes: &[Contact]) -> Vec<u8> {
    nodes.iter().flat_map(|contact| contact.to_bytes()).collect()
}

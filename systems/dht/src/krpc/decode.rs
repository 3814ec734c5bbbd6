//! Bytes of a datagram to a [`Message`], all of whose parts still lie in the datagram.

use super::{Body, KrpcError, Message, Method, Peers, Put, Query, RawSeal, Reply, Want};
use crate::{
    bencode::{Dict, Raw},
    id::Id,
};

/// The longest name of a query that is carried back.
const TRANSACTION_BYTES_MAX: usize = 32;

/// The message in a datagram. Nothing if it is none, or one that cannot be answered: silence is the only thing
/// that cannot be turned against others.
#[must_use]
pub fn decode(datagram: &[u8]) -> Option<Message<'_>> {
    let dict = Raw::parse(datagram).ok()?.as_dict()?;
    let transaction = dict.string("t").filter(|name| name.len() <= TRANSACTION_BYTES_MAX)?;
    let body = match dict.string("y")? {
        b"q" => Body::Query { query: query(dict), is_read_only: dict.integer("ro") == Some(1) },
        b"r" => Body::Reply(reply(dict.dict("r")?)?),
        b"e" => error(dict)?,
        _ => return None,
    };
    Some(Message { transaction, body })
}

fn query(dict: Dict<'_>) -> Result<Query<'_>, KrpcError> {
    let method = dict.string("q").ok_or(KrpcError::Invalid("q"))?;
    let arguments = dict.dict("a").ok_or(KrpcError::Invalid("a"))?;
    let sender = id(arguments, "id")?;
    Ok(Query { sender, method: self::method(method, arguments)? })
}

fn method<'a>(name: &[u8], arguments: Dict<'a>) -> Result<Method<'a>, KrpcError> {
    let want = want(arguments);
    Ok(match name {
        b"ping" => Method::Ping,
        b"find_node" => Method::FindNode { target: id(arguments, "target")?, want },
        b"get_peers" => Method::GetPeers { info_hash: id(arguments, "info_hash")?, want },
        b"announce_peer" => announce_peer(arguments)?,
        b"get" => {
            let (target, newer_than) = (id(arguments, "target")?, arguments.integer("seq"));
            Method::Get { target, newer_than, want }
        }
        b"put" => Method::Put(put(arguments)?),
        _ => unknown(arguments, want)?,
    })
}

/// What a later protocol asks about an id is answered with the nodes near it, so that its lookups get on.
fn unknown(arguments: Dict<'_>, want: Want) -> Result<Method<'_>, KrpcError> {
    let target = id(arguments, "target").or_else(|_| id(arguments, "info_hash"));
    target.map(|target| Method::FindNode { target, want }).map_err(|_| KrpcError::UnknownMethod)
}

fn announce_peer(arguments: Dict<'_>) -> Result<Method<'_>, KrpcError> {
    let port = if arguments.integer("implied_port").is_some_and(|implied| implied != 0) {
        None
    } else {
        let port = arguments.integer("port").and_then(|port| u16::try_from(port).ok());
        Some(port.filter(|port| *port != 0).ok_or(KrpcError::Invalid("port"))?)
    };
    let token = arguments.string("token").ok_or(KrpcError::Invalid("token"))?;
    Ok(Method::AnnouncePeer { info_hash: id(arguments, "info_hash")?, port, token })
}

fn put(arguments: Dict<'_>) -> Result<Put<'_>, KrpcError> {
    let value = arguments.get("v").ok_or(KrpcError::Invalid("v"))?;
    let token = arguments.string("token").ok_or(KrpcError::Invalid("token"))?;
    let seal = if arguments.get("k").is_some() { Some(seal(arguments)?) } else { None };
    Ok(Put { token, value, seal, compare: arguments.integer("cas") })
}

fn seal(arguments: Dict<'_>) -> Result<RawSeal<'_>, KrpcError> {
    let sequence = arguments.integer("seq").filter(|sequence| *sequence >= 0);
    Ok(RawSeal {
        key: arguments.array("k").ok_or(KrpcError::Invalid("k"))?,
        salt: arguments.string("salt").unwrap_or_default(),
        sequence: sequence.ok_or(KrpcError::Invalid("seq"))?,
        signature: arguments.array("sig").ok_or(KrpcError::Invalid("sig"))?,
    })
}

/// Nobody who says nothing wants IPv6 from an IPv4 address (BEP 32).
fn want(arguments: Dict<'_>) -> Want {
    if arguments.get("want").is_none() {
        return Want { n4: true, n6: false };
    }
    let has = |name: &[u8]| arguments.list("want").any(|item| item.as_string() == Some(name));
    Want { n4: has(b"n4"), n6: has(b"n6") }
}

fn id(arguments: Dict<'_>, key: &'static str) -> Result<Id, KrpcError> {
    arguments.array(key).map(Id).ok_or(KrpcError::Invalid(key))
}

fn reply(dict: Dict<'_>) -> Option<Reply<'_>> {
    Some(Reply {
        sender: Id(dict.array("id")?),
        nodes: dict.string("nodes").unwrap_or_default(),
        peers: Peers(dict.list("values")),
        token: dict.string("token").filter(|token| token.len() <= 64),
        value: dict.get("v"),
        key: dict.array("k"),
        sequence: dict.integer("seq"),
        signature: dict.array("sig"),
    })
}

fn error(dict: Dict<'_>) -> Option<Body<'_>> {
    let mut pair = dict.list("e");
    let (code, text) = (pair.next()?.as_integer()?, pair.next()?.as_string()?);
    Some(Body::Error { code, text })
}

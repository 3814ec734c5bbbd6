//! Answers the queries of others, at once and from memory.

use bytes::Bytes;
use kernel::{Datagram, Effects, Endpoint, Instant};

use super::{Dht, asking::Purpose, send};
use crate::{
    contact::Contact,
    id::Id,
    item::{Item, SALT_BYTES_MAX, Seal, VALUE_BYTES_MAX},
    krpc::{Answer, KrpcError, Method, Put, Query, Want, encode_error, encode_reply},
    table::K,
};

impl Dht {
    pub(super) fn serve(
        &mut self,
        now: Instant,
        from: Endpoint,
        transaction: &[u8],
        query: Result<Query<'_>, KrpcError>,
        asker_is_read_only: bool,
        effects: &mut Effects<Datagram>,
    ) {
        if self.settings.is_read_only {
            return;
        }
        let reply = match &query {
            Ok(query) => self.answer(now, from, transaction, &query.method),
            Err(error) => Err(*error),
        };
        let datagram = reply.unwrap_or_else(|error| encode_error(transaction, from, error));
        send(effects, from, datagram);
        if let (Ok(query), false) = (query, asker_is_read_only) {
            self.meet(now, Contact { id: query.sender, endpoint: from }, effects);
        }
    }

    /// Who asks may be worth knowing: once it has answered, since its address may be somebody else's.
    fn meet(&mut self, now: Instant, asker: Contact, effects: &mut Effects<Datagram>) {
        self.table.asked(now, asker);
        let is_wanted =
            self.settings.may_be(asker.id, asker.endpoint) && self.table.has_use_for(asker);
        if is_wanted && self.asking.may_meet(asker.endpoint) {
            self.ask(now, asker.endpoint, Purpose::Meet(asker), &Method::Ping, effects);
        }
    }

    fn answer(
        &mut self,
        now: Instant,
        from: Endpoint,
        transaction: &[u8],
        method: &Method<'_>,
    ) -> Result<Datagram, KrpcError> {
        let token = self.secret.token(now, from);
        let (own, mut answer) = (self.settings.id, Answer::default());
        let nearest = |id, want: &Want| want.n4.then(|| self.table.nearest(id, K));
        let (nodes, peers);
        match method {
            Method::Ping => {}
            Method::FindNode { target, want } => {
                nodes = nearest(*target, want);
                answer.nodes = nodes.as_deref();
            }
            Method::GetPeers { info_hash, want } => {
                nodes = nearest(*info_hash, want);
                peers = self.peers.get(*info_hash, now.0);
                answer.nodes = nodes.as_deref();
                answer.peers = Some(&peers[..]).filter(|peers| !peers.is_empty());
                answer.token = Some(&token);
            }
            Method::Get { target, newer_than, want } => {
                nodes = nearest(*target, want);
                answer.nodes = nodes.as_deref();
                answer.token = Some(&token);
                answer.item = self.items.get(*target);
                answer.is_known = answer.item.is_some_and(|item| is_known(item, *newer_than));
            }
            Method::AnnouncePeer { info_hash, port, token } => {
                self.announce(now, from, *info_hash, *port, token)?;
            }
            Method::Put(put) => self.store(now, from, put)?,
        }
        Ok(encode_reply(transaction, own, from, &answer))
    }

    fn announce(
        &mut self,
        now: Instant,
        from: Endpoint,
        info_hash: Id,
        port: Option<u16>,
        token: &[u8],
    ) -> Result<(), KrpcError> {
        if !self.secret.is_valid(now, from, token) {
            return Err(KrpcError::BadToken);
        }
        let peer = Endpoint { port: port.unwrap_or(from.port), ..from };
        self.peers.announce(now, self.settings.id, info_hash, peer);
        Ok(())
    }

    /// What costs little is asked first: a signature is looked at only if all else is right.
    fn store(&mut self, now: Instant, from: Endpoint, put: &Put<'_>) -> Result<(), KrpcError> {
        if put.value.bytes().len() > VALUE_BYTES_MAX {
            return Err(KrpcError::ValueTooBig);
        }
        if put.seal.is_some_and(|seal| seal.salt.len() > SALT_BYTES_MAX) {
            return Err(KrpcError::SaltTooBig);
        }
        if !self.secret.is_valid(now, from, put.token) {
            return Err(KrpcError::BadToken);
        }
        let item = item(put);
        if !item.is_genuine() {
            return Err(KrpcError::BadSignature);
        }
        self.items.put(now, self.settings.id, item, put.compare)
    }
}

/// True if the asker has a value that is as new.
fn is_known(item: &Item, newer_than: Option<i64>) -> bool {
    let sequence = item.seal.as_ref().map(|seal| seal.sequence);
    sequence.zip(newer_than).is_some_and(|(stored, known)| stored <= known)
}

fn item(put: &Put<'_>) -> Item {
    let seal = put.seal.map(|seal| Seal {
        key: seal.key,
        salt: Bytes::copy_from_slice(seal.salt),
        sequence: seal.sequence,
        signature: seal.signature,
    });
    Item { value: Bytes::copy_from_slice(put.value.bytes()), seal }
}

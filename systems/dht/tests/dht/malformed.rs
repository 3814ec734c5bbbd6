//! A million datagrams that are almost right: nothing panics, nothing grows.

use dht::{Dht, Id, Item, Scope, Settings, krpc};
use kernel::{Datagram, Effect, Endpoint, Incarnation, Input, Instant, Node as _, Peer, Rng};

const DATAGRAMS: u64 = 1_000_000;

fn endpoint(number: u64) -> Endpoint {
    let port = u16::try_from(1 + number % 60_000).expect("below 2^16");
    Endpoint { ip: [127, 0, 0, 2], port }
}

/// One of each kind of message, all of them right.
fn samples(node: &mut Dht) -> Vec<Vec<u8>> {
    use krpc::{Method, Put, Query, RawSeal, Want};
    let (target, want) = (Id::hash(&[b"target"]), Want { n4: true, n6: false });
    let token = token_of(node);
    let item = Item::signed(
        &[1; 32],
        bytes::Bytes::from_static(b"salt"),
        7,
        bytes::Bytes::from_static(b"5:hello"),
    );
    let seal = item.seal.as_ref().expect("it is signed");
    let value = dht::bencode::Raw::parse(&item.value).expect("it is bencode");
    let seal = RawSeal {
        key: seal.key,
        salt: &seal.salt,
        sequence: seal.sequence,
        signature: seal.signature,
    };
    let methods = [
        Method::Ping,
        Method::FindNode { target, want },
        Method::GetPeers { info_hash: target, want },
        Method::AnnouncePeer { info_hash: target, port: Some(9), token: &token },
        Method::Get { target, newer_than: Some(3), want },
        Method::Put(Put { token: &token, value, seal: Some(seal), compare: Some(1) }),
        Method::Put(Put { token: &token, value, seal: None, compare: None }),
    ];
    let sender = Id::hash(&[b"sender"]);
    let mut samples: Vec<Vec<u8>> = methods
        .into_iter()
        .map(|method| krpc::encode_query(b"tttt", &Query { sender, method }, false).0.to_vec())
        .collect();
    let answer = krpc::Answer { item: Some(&item), token: Some(&token), ..krpc::Answer::default() };
    samples.push(krpc::encode_reply(b"tttt", sender, endpoint(1), &answer).0.to_vec());
    samples.push(krpc::encode_error(b"tttt", endpoint(1), krpc::KrpcError::BadToken).0.to_vec());
    samples
}

fn token_of(node: &mut Dht) -> Vec<u8> {
    let query = b"d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa9:info_hash20:bbbbbbbbbbbbbbbbbbbbe1:q9:get_peers1:t1:t1:y1:qe";
    let sent = give(node, Instant(0), endpoint(1), query);
    let reply = krpc::decode(&sent[0]).expect("a right query has an answer");
    let krpc::Body::Reply(reply) = reply.body else {
        panic!("a right query has a reply");
    };
    reply.token.expect("get_peers gives a token").to_vec()
}

fn give(node: &mut Dht, now: Instant, from: Endpoint, datagram: &[u8]) -> Vec<Vec<u8>> {
    let from = Peer { node: from.node(), incarnation: Incarnation(0) };
    let message = Datagram(bytes::Bytes::copy_from_slice(datagram));
    let mut effects = Vec::new();
    node.handle(now, Input::Message { from, message }, &mut effects);
    let sent = effects.into_iter().filter_map(|effect| match effect {
        Effect::Send { message, .. } => Some(message.0.to_vec()),
        _ => None,
    });
    sent.collect()
}

/// Changes, doubles, drops or swaps some bytes; keeps the rest.
fn spoil(rng: &mut Rng, datagram: &mut Vec<u8>) {
    for _ in 0..rng.between(1, 4) {
        let place = usize::try_from(rng.below(datagram.len() as u64)).expect("a place");
        match rng.below(5) {
            0 => datagram[place] = u8::try_from(rng.below(256)).expect("a byte"),
            1 => drop(datagram.drain(place..)),
            2 => datagram.insert(place, *rng.pick(b"0123456789:ilde-").expect("some")),
            3 => drop(datagram.remove(place)),
            _ => datagram.extend_from_within(place..),
        }
        if datagram.is_empty() {
            datagram.push(b'd');
        }
        datagram.truncate(2048);
    }
}

#[test]
fn a_million_datagrams_that_are_almost_right_do_no_harm() {
    let settings = Settings {
        id: Id::hash(&[b"own"]),
        endpoint: Endpoint { ip: [127, 0, 0, 1], port: 6881 },
        scope: Scope::Loopback,
        bootstrap: Vec::new(),
        is_read_only: false,
    };
    let mut node = Dht::new(settings, [5; 20]);
    let samples = samples(&mut node);
    let mut rng = Rng::new(44);
    let (mut answered, mut longest) = (0_u64, 0);
    for number in 0..DATAGRAMS {
        let mut datagram = rng.pick(&samples).unwrap().clone();
        spoil(&mut rng, &mut datagram);
        let sent = give(&mut node, Instant(number * 1000), endpoint(rng.next()), &datagram);
        answered += u64::from(!sent.is_empty());
        longest = sent.iter().map(Vec::len).max().unwrap_or(0).max(longest);
        assert!(sent.len() <= 2, "one datagram draws an answer and a ping at most");
        if number % 10_000 == 0 {
            node.check();
        }
    }
    node.check();
    // Some are still right: the test would prove nothing if all were dropped at the first look.
    assert!((DATAGRAMS / 100..DATAGRAMS / 2).contains(&answered), "{answered} were answered");
    assert!(longest <= 1024, "{longest} bytes");
    let status = node.status();
    assert!(status.nodes == 0 && status.tasks == 0 && status.queries <= 64, "{status:?}");
}

//! Sender and receiver, over a link that does its worst.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};
use core::time::Duration;

use bytes::Bytes;
use kernel::{
    EntryId, Generation, Incarnation, Index, Instant, NodeId, Peer, Reading, Rng, SnapshotMeta,
    Stamp, TableId, Tables, TablesMeta, Term, Wire,
};

use super::{
    Chunk, ReceiverEffect, SenderEffect, SnapshotMessage, SnapshotReceiver, SnapshotSender,
};
use crate::map_base::MapBase;

const RECEIVER: NodeId = NodeId(9);

fn peer(node: NodeId, incarnation: u64) -> Peer {
    Peer { node, incarnation: Incarnation(incarnation) }
}

/// Tables with pairs in several of them, in memory and in the base, as of entry `applied`.
fn tables(rng: &mut Rng, applied: u64) -> Reading {
    let base = MapBase::default();
    let mut tables = Tables::new(base.reading(), TablesMeta::default());
    for index in 1..=applied {
        let key = [u8::try_from(rng.below(200)).expect("small"), 0];
        let length = usize::try_from(rng.below(90)).expect("short");
        let table = TableId([1, 2, 16, 254][usize::try_from(rng.below(4)).expect("small")]);
        tables.put(table, &key, &vec![key[0]; length]).expect("memory can be read");
        tables.advance(EntryId::new(Term(1), Index(index)), Stamp(index));
    }
    tables.reading()
}

fn meta(reading: &Reading) -> SnapshotMeta {
    let TablesMeta { applied, stamp, membership, digest } = reading.meta().clone();
    SnapshotMeta { last: applied, stamp, membership: (*membership).clone(), digest }
}

/// The generations of the receiver, as its disk has them.
#[derive(Default)]
struct Disk {
    unfinished: BTreeMap<Bytes, Bytes>,
    begun: Option<Generation>,
    finished: Vec<(SnapshotMeta, Generation, BTreeMap<Bytes, Bytes>)>,
}

impl Disk {
    /// Carries out effects; gives the replies.
    fn carry_out(&mut self, effects: Vec<ReceiverEffect>) -> Vec<(NodeId, SnapshotMessage)> {
        let mut replies = Vec::new();
        for effect in effects {
            match effect {
                ReceiverEffect::Begin { generation } => {
                    let taken = self.finished.iter().any(|(_, old, _)| *old == generation);
                    assert!(!taken, "a finished generation is never begun again");
                    self.begun = Some(generation);
                    self.unfinished.clear();
                }
                ReceiverEffect::Store { pairs } => {
                    assert!(self.begun.is_some(), "pairs go into a generation that was begun");
                    self.unfinished.extend(pairs);
                }
                ReceiverEffect::Finish { meta, generation } => {
                    assert_eq!(self.begun.take(), Some(generation));
                    self.finished.push((meta, generation, core::mem::take(&mut self.unfinished)));
                }
                ReceiverEffect::Reply { to, message } => replies.push((to, message)),
            }
        }
        replies
    }
}

/// A message on its way.
struct Packet {
    from: Peer,
    to: NodeId,
    message: SnapshotMessage,
    arrives: Instant,
}

/// Two replicas send snapshots to a third.
struct World {
    rng: Rng,
    now: Instant,
    /// The link is bad until here.
    heals: Instant,
    packets: Vec<Packet>,
    readings: BTreeMap<NodeId, Reading>,
    senders: BTreeMap<NodeId, SnapshotSender>,
    streams: u64,
    receiver: SnapshotReceiver,
    receiver_life: u64,
    disk: Disk,
    delivered: BTreeSet<NodeId>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut readings = BTreeMap::new();
        for node in [NodeId(1), NodeId(2)] {
            let applied = rng.between(1, 400);
            readings.insert(node, tables(&mut rng, applied));
        }
        Self {
            now: Instant(0),
            heals: Instant(0).after(Duration::from_secs(rng.below(90))),
            packets: Vec::new(),
            readings,
            senders: BTreeMap::new(),
            streams: 0,
            receiver: SnapshotReceiver::new(Generation(0)),
            receiver_life: 1,
            disk: Disk::default(),
            delivered: BTreeSet::new(),
            rng,
        }
    }

    fn step(&mut self) {
        self.now = self.now.after(Duration::from_millis(self.rng.between(1, 100)));
        for node in [NodeId(1), NodeId(2)] {
            // After the link has healed, the one that was delivered leaves the receiver to the other.
            let tries = self.now < self.heals || !self.delivered.contains(&node);
            if tries && !self.senders.contains_key(&node) && self.rng.chance(1, 30) {
                self.begin(node);
            }
            let mut effects = Vec::new();
            if let Some(sender) = self.senders.get_mut(&node) {
                sender.poll(self.now, &mut effects).expect("memory can be read");
            }
            self.carry_out(node, effects);
        }
        if self.now < self.heals && self.rng.chance(1, 200) {
            self.restart_receiver();
        }
        self.deliver();
    }

    fn begin(&mut self, node: NodeId) {
        self.streams += 1;
        let mut sender = SnapshotSender::new(RECEIVER, self.streams, self.readings[&node].clone());
        sender.set_chunk_bytes_max(usize::try_from(self.rng.between(1, 3000)).expect("small"));
        self.senders.insert(node, sender);
    }

    fn carry_out(&mut self, node: NodeId, effects: Vec<SenderEffect>) {
        for effect in effects {
            match effect {
                SenderEffect::Send { to, message } => self.send(peer(node, 1), to, message),
                SenderEffect::Done { to, delivered } => {
                    assert_eq!(to, RECEIVER);
                    let sender = self.senders.remove(&node).expect("a sender ends once");
                    assert_eq!(sender.deadline(), None);
                    if let Some(index) = delivered {
                        let sent = meta(&self.readings[&node]);
                        assert_eq!(index, sent.last.index);
                        assert!(self.disk.finished.iter().any(|(meta, ..)| *meta == sent));
                        self.delivered.insert(node);
                    }
                }
            }
        }
    }

    /// The receiver's process dies; what was not finished is of no use to the next one.
    fn restart_receiver(&mut self) {
        let newest = self.disk.finished.last().map_or(Generation(0), |(_, newest, _)| *newest);
        self.receiver = SnapshotReceiver::new(newest);
        self.receiver_life += 1;
        self.disk.begun = None;
    }

    fn send(&mut self, from: Peer, to: NodeId, message: SnapshotMessage) {
        let is_bad = self.now < self.heals;
        let copies = if !is_bad { 1 } else { [0, 1, 1, 1, 1, 1, 1, 2][self.pick(8)] };
        for _ in 0..copies {
            let message = if is_bad && self.rng.chance(1, 60) {
                self.damage(&message)
            } else {
                message.clone()
            };
            let delay = Duration::from_millis(self.rng.below(if is_bad { 1500 } else { 20 }));
            self.packets.push(Packet { from, to, message, arrives: self.now.after(delay) });
        }
    }

    /// One bit is wrong. What can no longer be read as a message at all does not arrive.
    fn damage(&mut self, message: &SnapshotMessage) -> SnapshotMessage {
        if let SnapshotMessage::Chunk { stream, sequence, checksum, body } = message {
            let mut body = body.to_vec();
            let place = self.pick(body.len());
            body[place] ^= 1 << self.rng.below(8);
            let (stream, sequence, checksum) = (*stream, *sequence, *checksum);
            return SnapshotMessage::Chunk { stream, sequence, checksum, body: body.into() };
        }
        message.clone()
    }

    fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.rng.below(count as u64)).expect("below a small number")
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (arrived, rest) = core::mem::take(&mut self.packets)
            .into_iter()
            .partition(|packet| packet.arrives <= now);
        self.packets = rest;
        let mut arrived: Vec<Packet> = arrived;
        while !arrived.is_empty() {
            let packet = arrived.swap_remove(self.pick(arrived.len()));
            self.arrive(packet);
        }
    }

    fn arrive(&mut self, Packet { from, to, message, .. }: Packet) {
        let message = SnapshotMessage::from_bytes(message.to_bytes()).expect("a message is read");
        if to == RECEIVER {
            let mut effects = Vec::new();
            self.receiver.handle(from, &message, &mut effects);
            for (to, message) in self.disk.carry_out(effects) {
                self.send(peer(RECEIVER, self.receiver_life), to, message);
            }
        } else {
            let mut effects = Vec::new();
            if let Some(sender) = self.senders.get_mut(&to) {
                sender.handle(self.now, from, &message, &mut effects).expect("memory can be read");
            }
            self.carry_out(to, effects);
        }
    }

    /// What was finished is what was sent, to the byte.
    fn check(&self) {
        for (finished, _, pairs) in &self.disk.finished {
            let sent = self.readings.values().find(|reading| meta(reading) == *finished);
            let sent = sent.expect("what was finished was sent");
            assert_eq!(*pairs, MapBase::of(sent).pairs);
        }
    }
}

#[test]
fn over_any_link_a_snapshot_arrives_whole_or_not_at_all() {
    for seed in 0..100 {
        let mut world = World::new(seed);
        for _ in 0..20_000 {
            world.step();
            if world.now >= world.heals && world.delivered.len() == 2 {
                break;
            }
        }
        world.check();
        assert_eq!(world.delivered.len(), 2, "seed {seed}: on a good link both arrive in the end");
    }
}

/// Sends to a receiver over a perfect link until the sender is done; gives all that was sent.
fn stream(reading: &Reading, chunk_bytes_max: usize) -> Vec<SnapshotMessage> {
    let mut sender = SnapshotSender::new(RECEIVER, 1, reading.clone());
    sender.set_chunk_bytes_max(chunk_bytes_max);
    let mut receiver = SnapshotReceiver::new(Generation(3));
    let mut disk = Disk::default();
    let mut sent = Vec::new();
    let mut wishes = Vec::new();
    sender.poll(Instant(0), &mut wishes).expect("memory can be read");
    while let Some(SenderEffect::Send { message, .. }) = wishes.pop() {
        let mut effects = Vec::new();
        receiver.handle(peer(NodeId(1), 1), &message, &mut effects);
        sent.push(message);
        for (_, reply) in disk.carry_out(effects) {
            sender
                .handle(Instant(0), peer(RECEIVER, 1), &reply, &mut wishes)
                .expect("memory can be read");
        }
    }
    assert_eq!(disk.finished.len(), 1);
    assert_eq!(disk.finished[0].1, Generation(4));
    assert_eq!(disk.finished[0].2, MapBase::of(reading).pairs);
    sent
}

#[test]
fn tables_without_a_pair_are_one_chunk() {
    let empty = Tables::new(MapBase::default().reading(), TablesMeta::default()).reading();
    assert_eq!(stream(&empty, 1000).len(), 1);
}

#[test]
fn a_chunk_keeps_its_limit_unless_one_pair_is_larger() {
    let reading = tables(&mut Rng::new(5), 300);
    let pairs = MapBase::of(&reading).pairs.len();
    assert_eq!(stream(&reading, 1).len(), pairs);
    for message in stream(&reading, 500) {
        let SnapshotMessage::Chunk { body, .. } = message else { panic!("a sender sends chunks") };
        let chunk = Chunk::from_bytes(body).expect("a chunk is read");
        let bytes: usize = chunk.pairs.iter().map(|(key, value)| key.len() + value.len() + 8).sum();
        assert!(bytes <= 500);
    }
}

/// Gives the chunks to a fresh receiver; true if it finished.
fn finishes(messages: &[SnapshotMessage]) -> bool {
    let mut receiver = SnapshotReceiver::new(Generation(0));
    let mut disk = Disk::default();
    for message in messages {
        let mut effects = Vec::new();
        receiver.handle(peer(NodeId(1), 1), message, &mut effects);
        disk.carry_out(effects);
    }
    assert!(disk.finished.len() <= 1);
    !disk.finished.is_empty()
}

#[test]
fn a_chunk_with_any_bit_wrong_is_refused_before_it_is_stored() {
    let sent = stream(&tables(&mut Rng::new(6), 10), 150);
    assert!(finishes(&sent) && sent.len() > 2);
    let SnapshotMessage::Chunk { stream, sequence, checksum, body } = &sent[1] else {
        panic!("a sender sends chunks")
    };
    for bit in 0..body.len() * 8 {
        let mut body = body.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        let mut receiver = SnapshotReceiver::new(Generation(0));
        receiver.handle(peer(NodeId(1), 1), &sent[0], &mut Vec::new());
        let (stream, sequence, checksum) = (*stream, *sequence, *checksum);
        let damaged = SnapshotMessage::Chunk { stream, sequence, checksum, body: body.into() };
        let mut effects = Vec::new();
        receiver.handle(peer(NodeId(1), 1), &damaged, &mut effects);
        let message = SnapshotMessage::Refused { stream };
        assert_eq!(effects, [ReceiverEffect::Reply { to: NodeId(1), message }], "bit {bit}");
        assert!(!receiver.is_receiving());
    }
}

#[test]
fn a_receiver_that_lost_its_place_says_so_at_once() {
    let sent = stream(&tables(&mut Rng::new(6), 10), 150);
    let refused = SnapshotMessage::Refused { stream: 1 };
    // It has restarted since the first chunk, or it has it and is offered the third.
    for before in [0, 1] {
        let mut receiver = SnapshotReceiver::new(Generation(0));
        for message in &sent[..before] {
            receiver.handle(peer(NodeId(1), 1), message, &mut Vec::new());
        }
        let mut effects = Vec::new();
        receiver.handle(peer(NodeId(1), 1), &sent[2], &mut effects);
        let reply = ReceiverEffect::Reply { to: NodeId(1), message: refused.clone() };
        assert_eq!(effects, [reply]);
    }
}

/// Chunks that are in order and intact, and still not the snapshot that was promised.
#[test]
fn the_whole_must_have_the_digest_that_was_promised() {
    let sent = stream(&tables(&mut Rng::new(7), 30), 400);
    let chunks: Vec<Chunk> = sent
        .iter()
        .map(|message| match message {
            SnapshotMessage::Chunk { body, .. } => Chunk::from_bytes(body.clone()).expect("chunk"),
            _ => panic!("a sender sends chunks"),
        })
        .collect();
    let finishes = |chunks: &[Chunk]| {
        let numbered = chunks.iter().zip(0..);
        let messages = numbered.map(|(chunk, sequence)| SnapshotMessage::chunk(1, sequence, chunk));
        finishes(&messages.collect::<Vec<_>>())
    };
    assert!(finishes(&chunks));
    let changed = |change: &dyn Fn(&mut Vec<Chunk>)| {
        let mut chunks = chunks.clone();
        change(&mut chunks);
        finishes(&chunks)
    };
    assert!(!changed(&|chunks| drop(chunks[1].pairs.pop())), "a pair is missing");
    assert!(!changed(&|chunks| drop(chunks.remove(1))), "a chunk is missing");
    assert!(!changed(&|chunks| chunks[1].pairs.swap(0, 1)), "two pairs are swapped");
    assert!(!changed(&|chunks| chunks[1].pairs[0].1 = Bytes::new()), "a value is another");
    assert!(!changed(&|chunks| chunks[0].meta = None), "the first chunk has no meta");
    assert!(!changed(&|chunks| chunks[1].meta = chunks[0].meta.clone()), "another has one");
    assert!(!changed(&|chunks| chunks[1].last = true), "the last chunk comes early");
}

#[test]
fn an_old_stream_never_begins_again() {
    let reading = tables(&mut Rng::new(8), 30);
    let first = |stream| {
        let chunk = Chunk { meta: Some(meta(&reading)), last: false, pairs: Vec::new() };
        SnapshotMessage::chunk(stream, 0, &chunk)
    };
    let mut receiver = SnapshotReceiver::new(Generation(0));
    let mut replies = |from, message: &SnapshotMessage| {
        let mut effects = Vec::new();
        receiver.handle(from, message, &mut effects);
        effects
    };
    let accepted = |stream| SnapshotMessage::Accepted { stream, next: 1 };
    let refused = |stream| SnapshotMessage::Refused { stream };
    let begin = |generation| ReceiverEffect::Begin { generation: Generation(generation) };
    let reply = |message| ReceiverEffect::Reply { to: NodeId(1), message };
    let (old, new) = (peer(NodeId(1), 4), peer(NodeId(1), 5));
    assert_eq!(replies(old, &first(7)), [begin(1), reply(accepted(7))]);
    assert_eq!(replies(old, &first(8)), [begin(2), reply(accepted(8))]);
    assert_eq!(replies(old, &first(7)), [reply(refused(7))]);
    assert_eq!(replies(old, &first(8)), [reply(accepted(8))]);
    assert_eq!(replies(new, &first(1)), [begin(3), reply(accepted(1))]);
    assert_eq!(replies(old, &first(9)), [reply(refused(9))]);
    assert_eq!(replies(new, &first(1)), [reply(accepted(1))]);
}

#[test]
fn a_sender_gives_up_after_half_a_minute_of_silence() {
    let reading = tables(&mut Rng::new(9), 3);
    let mut sender = SnapshotSender::new(RECEIVER, 1, reading);
    let mut effects = Vec::new();
    let mut now = Instant(0);
    while let Some(deadline) = sender.deadline() {
        now = deadline;
        sender.poll(now, &mut effects).expect("memory can be read");
    }
    assert_eq!(now, Instant(0).after(Duration::from_secs(30)));
    assert_eq!(effects.len(), 31);
    assert_eq!(effects[30], SenderEffect::Done { to: RECEIVER, delivered: None });
}

/// The bytes of every kind. A line here may be added, never changed.
#[test]
fn messages_keep_their_bytes() {
    let pairs = vec![(Bytes::from_static(b"\x10k"), Bytes::from_static(b"v"))];
    let meta = Some(SnapshotMeta { stamp: Stamp(7), digest: 8, ..SnapshotMeta::default() });
    let first = SnapshotMessage::chunk(2, 0, &Chunk { meta, last: false, pairs: Vec::new() });
    let last = SnapshotMessage::chunk(2, 1, &Chunk { meta: None, last: true, pairs });
    for (message, golden) in [
        (first, FIRST),
        (last, LAST),
        (SnapshotMessage::Accepted { stream: 2, next: 3 }, "0202000000000000000300000000000000"),
        (SnapshotMessage::Refused { stream: 2 }, "030200000000000000"),
    ] {
        let bytes = message.to_bytes();
        let shown: Vec<_> = bytes.iter().map(|byte| alloc::format!("{byte:02x}")).collect();
        assert_eq!(shown.concat(), golden);
        assert_eq!(SnapshotMessage::from_bytes(bytes), Ok(message));
    }
}

const FIRST: &str = "01020000000000000000000000000000004c3284823e000000\
    0100000000000000000000000000000000070000000000000000000000000000\
    000000000000000000080000000000000000000000000000000000000000";
const LAST: &str =
    "0102000000000000000100000000000000fa13ac931100000000010100000002000000106b0100000076";

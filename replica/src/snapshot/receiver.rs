//! Receives one snapshot at a time into a generation of the tables that nobody sees yet.

use alloc::{collections::BTreeMap, vec::Vec};

use bytes::Bytes;
use kernel::{Generation, Incarnation, NodeId, Peer, SnapshotMeta, Wire, tables::pair_hash};

use super::{Chunk, SnapshotMessage, message::chunk_checksum};

/// What a receiver wants done, in this order: a reply must not leave before what stands in front of it
/// has been carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiverEffect {
    /// Make this generation of the tables, empty. One that was begun and not finished is of no use any
    /// more, whatever its number.
    Begin {
        /// Its number.
        generation: Generation,
    },
    /// Put these pairs into the generation that was begun last; no need to make them durable yet.
    Store {
        /// Pairs by full key, ascending, above all stored before.
        pairs: Vec<(Bytes, Bytes)>,
    },
    /// Everything is there and the digest agrees. Make the generation durable with this as what it says
    /// of itself, then give [`Input::SnapshotReady`](kernel::Input::SnapshotReady) to the node.
    Finish {
        /// What it covers.
        meta: SnapshotMeta,
        /// Its number.
        generation: Generation,
    },
    /// Send this. It may be lost.
    Reply {
        /// The receiver.
        to: NodeId,
        /// What to say.
        message: SnapshotMessage,
    },
}

/// Receives snapshots, one at a time. A stream that begins takes the place of the one before it.
#[derive(Debug)]
pub struct SnapshotReceiver {
    /// The number of the next generation.
    next: Generation,
    /// The latest stream of each replica that was begun here.
    latest: BTreeMap<NodeId, (Incarnation, u64)>,
    current: Option<Stream>,
}

/// The stream whose chunks are taken.
#[derive(Debug)]
struct Stream {
    from: Peer,
    number: u64,
    meta: SnapshotMeta,
    generation: Generation,
    next: u64,
    last_key: Option<Bytes>,
    digest: u128,
    is_finished: bool,
}

impl SnapshotReceiver {
    /// A receiver whose first generation is the one after `current`, the one that the tables are of.
    #[must_use]
    pub const fn new(current: Generation) -> Self {
        Self { next: Generation(current.0 + 1), latest: BTreeMap::new(), current: None }
    }

    /// Takes what another replica's sender says.
    pub fn handle(
        &mut self,
        from: Peer,
        message: &SnapshotMessage,
        effects: &mut Vec<ReceiverEffect>,
    ) {
        let SnapshotMessage::Chunk { stream, sequence, checksum, body } = message else {
            return;
        };
        if chunk_checksum(*stream, *sequence, body) != *checksum {
            return self.refuse(from, *stream, effects);
        }
        let Ok(chunk) = Chunk::from_bytes(body.clone()) else {
            return self.refuse(from, *stream, effects);
        };
        if *sequence == 0 && self.is_new(from, *stream) {
            let Some(meta) = chunk.meta.clone() else {
                return self.refuse(from, *stream, effects);
            };
            self.begin(from, *stream, meta, effects);
        }
        self.take(from, *stream, *sequence, chunk, effects);
    }

    /// True while a snapshot is being received.
    #[must_use]
    pub fn is_receiving(&self) -> bool {
        self.current.as_ref().is_some_and(|stream| !stream.is_finished)
    }

    /// A late copy of a first chunk must not begin an old stream again.
    fn is_new(&self, from: Peer, stream: u64) -> bool {
        self.latest.get(&from.node).is_none_or(|latest| *latest < (from.incarnation, stream))
    }

    fn begin(
        &mut self,
        from: Peer,
        number: u64,
        meta: SnapshotMeta,
        effects: &mut Vec<ReceiverEffect>,
    ) {
        self.latest.insert(from.node, (from.incarnation, number));
        let generation = self.next;
        self.next = Generation(generation.0 + 1);
        self.current = Some(Stream {
            from,
            number,
            meta,
            generation,
            next: 0,
            last_key: None,
            digest: 0,
            is_finished: false,
        });
        effects.push(ReceiverEffect::Begin { generation });
    }

    fn take(
        &mut self,
        from: Peer,
        number: u64,
        sequence: u64,
        chunk: Chunk,
        effects: &mut Vec<ReceiverEffect>,
    ) {
        let Some(stream) = self.current.as_mut().filter(|stream| stream.is(from, number)) else {
            return self.refuse(from, number, effects);
        };
        if sequence > stream.next {
            return self.refuse(from, number, effects);
        }
        if sequence == stream.next && !stream.store(chunk, effects) {
            return self.refuse(from, number, effects);
        }
        let message = SnapshotMessage::Accepted { stream: number, next: stream.next };
        effects.push(ReceiverEffect::Reply { to: from.node, message });
    }

    /// Refuses a stream, and gives it up if it is the present one and not finished.
    fn refuse(&mut self, from: Peer, number: u64, effects: &mut Vec<ReceiverEffect>) {
        if self.current.as_ref().is_some_and(|one| one.is(from, number) && !one.is_finished) {
            self.current = None;
        }
        let message = SnapshotMessage::Refused { stream: number };
        effects.push(ReceiverEffect::Reply { to: from.node, message });
    }
}

impl Stream {
    fn is(&self, from: Peer, number: u64) -> bool {
        self.from == from && self.number == number
    }

    /// Stores the next chunk; false if it makes no sense or the whole is not what was promised.
    fn store(&mut self, chunk: Chunk, effects: &mut Vec<ReceiverEffect>) -> bool {
        if self.is_finished || chunk.meta.is_some() != (self.next == 0) {
            return false;
        }
        for (key, value) in &chunk.pairs {
            if key.is_empty() || self.last_key.as_ref().is_some_and(|last| last >= key) {
                return false;
            }
            self.last_key = Some(key.clone());
            self.digest = self.digest.wrapping_add(pair_hash(key, value));
        }
        if chunk.last && self.digest != self.meta.digest {
            return false;
        }
        self.next += 1;
        self.is_finished = chunk.last;
        if !chunk.pairs.is_empty() {
            effects.push(ReceiverEffect::Store { pairs: chunk.pairs });
        }
        if chunk.last {
            let meta = self.meta.clone();
            effects.push(ReceiverEffect::Finish { meta, generation: self.generation });
        }
        true
    }
}

//! Sends one moment of the tables to one replica.

use alloc::{collections::VecDeque, vec::Vec};
use core::time::Duration;

use bytes::Bytes;
use kernel::{
    Fault, Index, Instant, NodeId, Peer, Reading, SnapshotMeta, TableId, tables::full_key,
};

use super::{CHUNK_BYTES_MAX, Chunk, SnapshotMessage};

/// How long the receiver may be silent before the chunk is sent again.
const RESEND_AFTER: Duration = Duration::from_secs(1);

/// After how many sends of one chunk without a sign of life the stream is given up: half a minute. The
/// receiver is silent while it makes the last chunk durable.
const SENDS_MAX: u32 = 30;

/// How many pairs are read at once. What does not fit into a chunk waits for the next one.
const PAIRS_READ_MAX: usize = 64;

/// What a sender wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SenderEffect {
    /// Send this to the receiver. It may be lost.
    Send {
        /// The receiver.
        to: NodeId,
        /// What to say.
        message: SnapshotMessage,
    },
    /// The stream has ended; this is the last effect, and becomes
    /// [`Input::SnapshotSent`](kernel::Input::SnapshotSent).
    Done {
        /// The receiver.
        to: NodeId,
        /// The last entry that the snapshot covers if the receiver has it all, durably.
        delivered: Option<Index>,
    },
}

/// Sends one moment of the tables to one replica, one chunk under way at a time.
///
/// It reads the tables inside [`SnapshotSender::poll`] and [`SnapshotSender::handle`], which may wait
/// for the disk: a host runs it beside the consensus thread.
#[derive(Debug)]
pub struct SnapshotSender {
    to: NodeId,
    stream: u64,
    source: Option<Source>,
    sequence: u64,
    chunk: Option<SnapshotMessage>,
    chunk_is_last: bool,
    sends: u32,
    deadline: Instant,
    covers: Index,
    chunk_bytes_max: usize,
}

/// The pairs still to be sent.
#[derive(Debug)]
struct Source {
    reading: Reading,
    /// Where to read on; nothing once all tables have been read.
    next: Option<(TableId, Bytes)>,
    waiting: VecDeque<(Bytes, Bytes)>,
}

impl SnapshotSender {
    /// A sender of what `reading` shows, which says nothing yet. `stream` was never used before in this
    /// life of this replica.
    #[must_use]
    pub fn new(to: NodeId, stream: u64, reading: Reading) -> Self {
        let covers = reading.meta().applied.index;
        Self {
            to,
            stream,
            source: Some(Source::new(reading)),
            sequence: 0,
            chunk: None,
            chunk_is_last: false,
            sends: 0,
            deadline: Instant::default(),
            covers,
            chunk_bytes_max: CHUNK_BYTES_MAX,
        }
    }

    /// Makes chunks end before they are larger than `bytes` instead of [`CHUNK_BYTES_MAX`].
    pub const fn set_chunk_bytes_max(&mut self, bytes: usize) {
        self.chunk_bytes_max = bytes;
    }

    /// Whom it sends to.
    #[must_use]
    pub const fn to(&self) -> NodeId {
        self.to
    }

    /// The number of its stream.
    #[must_use]
    pub const fn stream(&self) -> u64 {
        self.stream
    }

    /// When [`SnapshotSender::poll`] is next needed; nothing once the stream has ended.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.source.is_some().then_some(self.deadline)
    }

    /// Sends the first chunk, or the present one again if the deadline has come, or gives up.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn poll(&mut self, now: Instant, effects: &mut Vec<SenderEffect>) -> Result<(), Fault> {
        if self.source.is_none() || now < self.deadline {
            return Ok(());
        }
        if self.sends == SENDS_MAX {
            self.end(None, effects);
            return Ok(());
        }
        self.send(now, effects)
    }

    /// Takes what the receiver says. What belongs to another stream or another replica is ignored.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn handle(
        &mut self,
        now: Instant,
        from: Peer,
        message: &SnapshotMessage,
        effects: &mut Vec<SenderEffect>,
    ) -> Result<(), Fault> {
        if self.source.is_none() || self.chunk.is_none() || from.node != self.to {
            return Ok(());
        }
        match message {
            SnapshotMessage::Accepted { stream, next } if *stream == self.stream => {
                self.accepted(now, *next, effects)
            }
            SnapshotMessage::Refused { stream } if *stream == self.stream => {
                self.end(None, effects);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn accepted(
        &mut self,
        now: Instant,
        next: u64,
        effects: &mut Vec<SenderEffect>,
    ) -> Result<(), Fault> {
        if next != self.sequence + 1 {
            // A late repeat of an earlier answer, or nonsense: the chunk under way is still to come.
            return Ok(());
        }
        if self.chunk_is_last {
            self.end(Some(self.covers), effects);
            return Ok(());
        }
        self.sequence = next;
        self.chunk = None;
        self.sends = 0;
        self.send(now, effects)
    }

    fn send(&mut self, now: Instant, effects: &mut Vec<SenderEffect>) -> Result<(), Fault> {
        let message = match self.chunk.take() {
            Some(message) => message,
            None => self.next_chunk()?,
        };
        self.chunk = Some(message.clone());
        self.sends += 1;
        self.deadline = now.after(RESEND_AFTER);
        effects.push(SenderEffect::Send { to: self.to, message });
        Ok(())
    }

    fn next_chunk(&mut self) -> Result<SnapshotMessage, Fault> {
        let source = self.source.as_mut().expect("a chunk is made only while the stream goes on");
        let mut chunk = source.take_chunk(self.chunk_bytes_max)?;
        assert!(!self.chunk_is_last, "nothing follows the last chunk");
        self.chunk_is_last = chunk.last;
        if self.sequence == 0 {
            chunk.meta = Some(source.meta());
        }
        Ok(SnapshotMessage::chunk(self.stream, self.sequence, &chunk))
    }

    fn end(&mut self, delivered: Option<Index>, effects: &mut Vec<SenderEffect>) {
        assert!(self.source.take().is_some(), "a stream ends once");
        self.chunk = None;
        effects.push(SenderEffect::Done { to: self.to, delivered });
    }
}

impl Source {
    fn new(reading: Reading) -> Self {
        Self { reading, next: Some((TableId(0), Bytes::new())), waiting: VecDeque::new() }
    }

    fn meta(&self) -> SnapshotMeta {
        let meta = self.reading.meta();
        SnapshotMeta {
            last: meta.applied,
            stamp: meta.stamp,
            membership: (*meta.membership).clone(),
            digest: meta.digest,
        }
    }

    fn take_chunk(&mut self, bytes_max: usize) -> Result<Chunk, Fault> {
        let mut chunk = Chunk::default();
        let mut bytes = 0;
        loop {
            if self.waiting.is_empty() {
                self.read_on()?;
            }
            let Some((key, value)) = self.waiting.front() else {
                chunk.last = true;
                return Ok(chunk);
            };
            bytes += key.len() + value.len() + 8;
            if bytes > bytes_max && !chunk.pairs.is_empty() {
                return Ok(chunk);
            }
            chunk.pairs.extend(self.waiting.pop_front());
        }
    }

    /// Reads the next pairs, from the tables that follow if need be.
    fn read_on(&mut self) -> Result<(), Fault> {
        while let Some((table, from)) = self.next.take() {
            let pairs = self.reading.scan(table, &from, None, PAIRS_READ_MAX)?;
            let read = pairs.len();
            assert!(read <= PAIRS_READ_MAX, "a scan gives no more than it was asked for");
            self.next = match pairs.last() {
                Some((key, _)) if read == PAIRS_READ_MAX => Some((table, successor(key))),
                // Table 255 does not exist: it would have no end.
                _ if table.0 == u8::MAX - 1 => None,
                _ => Some((TableId(table.0 + 1), Bytes::new())),
            };
            if read > 0 {
                self.waiting
                    .extend(pairs.into_iter().map(|(key, value)| (full_key(table, &key), value)));
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The least key above `key`.
fn successor(key: &[u8]) -> Bytes {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    Bytes::from(next)
}

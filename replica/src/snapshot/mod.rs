//! Snapshots on their way from one replica to another, a chunk at a time.
//!
//! ```text
//!   sender                                receiver
//!   Chunk 0  meta, first pairs     ─▶     Begin, Store
//!                                  ◀─     Accepted 1
//!   Chunk 1  next pairs            ─▶     Store
//!                                  ◀─     Accepted 2
//!   ...
//!   Chunk n  last pairs            ─▶     Store, the digest agrees: Finish
//!                                  ◀─     Accepted n + 1
//! ```
//! One chunk is under way at a time, so neither side holds more than one. The link may lose, repeat,
//! reorder and damage messages: a lost one is sent again, a repeated one is acknowledged again, a
//! damaged one ends the stream. A stream that ends early is begun anew, from its first pair, under a
//! new number; nothing of it is visible, because only [`ReceiverEffect::Finish`] makes it so.

mod message;
mod receiver;
mod sender;
#[cfg(test)]
mod tests;

pub use message::{Chunk, SnapshotMessage};
pub use receiver::{ReceiverEffect, SnapshotReceiver};
pub use sender::{SenderEffect, SnapshotSender};

/// A chunk ends before it is larger than this, in bytes, but holds one pair at least.
pub const CHUNK_BYTES_MAX: usize = 1 << 20;

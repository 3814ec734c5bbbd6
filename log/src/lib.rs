//! The write-ahead log without I/O: format, recovery, compaction.
//!
//! ```text
//!   records ─▶ Log::append ─▶ one batch ─▶ write, flush ─▶ Log::appended
//!   files ─▶ Recovery::feed ─▶ finish ─▶ Recovered { log, what the replica was, how far to trust it }
//!
//!   segment   header | batch | batch | ... | zeros | seal       a file of fixed size, zeros at first
//!   batch     head | records                                    what one flush makes durable
//!   sector    504 bytes of payload | checksum                   what a disk writes whole or not at all
//! ```
//! One log a disk. Batches are numbered without gaps and chained by a hash through all segments. The
//! first batch of a segment, and of each life of the replica, repeats the whole small state, so that
//! old segments simply go once the tables have what they hold. Entries are cut by a record that says
//! so; nothing that was written is ever written over.
//!
//! # The end of the log after a crash
//!
//! Recovery must tell two things apart. A batch that was being written when the power went is
//! **torn**: it was never acknowledged and has to be cut, or the replica could never start again. A
//! batch that was acknowledged and cannot be read is **damage**: to cut it is to break a promise, and
//! with the vote in it even to vote twice. Both look like "a checksum does not match", and a rule that
//! guesses is wrong on one side (cut what was acknowledged) or the other (a power cut of the whole
//! site leaves a majority that may not vote).
//!
//! What makes the two distinguishable:
//! 1. Files are zeros before they are written, durably, and no place is written twice with different
//!    bytes. A disk writes a sector whole or not at all (for NVMe the standard demands it of a logical
//!    block). So on a healthy disk each sector of an unflushed batch is either **new** or **zero**,
//!    whatever the order in which they went. Each sector carries a checksum that also covers its
//!    segment, batch and place, so recovery knows *for each one* whether it is new, zero or garbage.
//! 2. One batch is under way at a time: batch `n + 1` is written only once `n` is durable, and says so
//!    (`durable upto`). Any later head that is intact, the seal of a segment and the header of the next
//!    one prove that all before them was acknowledged; the seal is written only once the first batch of
//!    the next segment is durable, and proves that too.
//!
//! Hence the rule for the first batch that is not whole:
//!
//! | what stands there                                | verdict                  | what follows |
//! |--------------------------------------------------|--------------------------|--------------|
//! | anything, and something later proves it durable  | damage, proven           | [`RecoveryError::Damaged`] |
//! | only new and zero sectors                        | torn                     | cut: [`Trust::Torn`] |
//! | garbage, but the first sector is new             | doubt, with known bounds | [`Trust::Uncertain`] |
//! | garbage in the first sector, or in the first     | doubt without bounds     | damaged, not proven |
//! | batch of a segment                               |                          |              |
//!
//! **A power cut of the whole site** leaves only torn tails on healthy disks, on any number of
//! replicas, for any subset of unflushed sectors: all start and all may vote. Doubt takes a disk that
//! garbles, that is a fault of that disk; no entry is lost and a majority can vote as long as fewer
//! than half the replicas have one. If more do, acknowledged entries may really be gone from a
//! majority, and only a person can decide to go on.
//!
//! **Why an uncertain replica may acknowledge but not vote.** It may have acknowledged entries that it
//! has no more. Were it to vote, a candidate without those entries could win. Its acknowledgements are
//! harmless only if its term and vote are right: one that forgot a vote in term 5 could acknowledge an
//! entry of the leader of term 4 that the leader of term 5, elected with that vote, does not have. The
//! two would be a quorum each, and nothing in the protocol would notice. So the head of each batch,
//! which is one sector, carries term, vote and the last entry *after* the batch: with the head intact,
//! both are known, and the doubt has an end, the last entry that the replica can ever have
//! acknowledged. (What the head calls committed is not taken over: the lost batch may have replaced the
//! entries that stand there now.) Once its log is at least as up to date as that entry, in the very order by which
//! votes are given (§5.4.1), a leader that was elected without its vote has brought it everything it
//! lost that was committed, and it votes again. The doubt is part of the state at the start of each
//! life, so that another restart does not forget it. And the lost batch may be the one that began the
//! latest life: the next one skips its number, so that no answer to the one is taken for an answer to the
//! other. That start goes into a new segment, and until it
//! is durable the damaged batch stays as it was: a crash in between finds it again. The first batch of
//! a segment has no such place to be kept, and it may be the only one that knows of an earlier doubt, on
//! a disk that garbles again. Garbage there is treated like a lost head. Without the head nothing bounds
//! the doubt, and the replica has the one way back of every lost disk: a new disk id, learner, caught
//! up, promoted.
//!
//! **What the rule trusts.** A disk that reports a flush done and then loses the last batch to zeros
//! leaves what a torn batch leaves; no log can tell, except by the copies on other replicas. A flush
//! that *failed* is another matter: the system may then serve unwritten bytes from its cache as if
//! they were on the disk. The replica stops at once, and recovery writes the last batch again, from
//! what it has read, before the replica says anything.
#![no_std]

extern crate alloc;

mod append;
mod batch;
mod disk;
mod error;
mod founding;
mod ledger;
mod limits;
mod locate;
mod recovery;
mod replay;
mod resume;
mod scan;
mod sector;
mod segment;

pub use append::{Log, NeedsSegment, record_bytes};
pub use disk::{DiskOperation, SegmentNumber};
pub use error::{Damage, RecoveryError, Trust};
pub use founding::Founding;
pub use limits::Limits;
pub use locate::{Fetch, Located, ReadRange, Unreadable};
pub use recovery::{Recovered, Recovery, Salvage};
pub use segment::Identity;

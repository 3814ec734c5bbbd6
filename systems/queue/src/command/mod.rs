//! What goes through the log.
//!
//! ```text
//! kind u8 | body
//!   1 Put        queue | kind | key (0, or 1 and bytes) | payload | priority u32 | start
//!                lease ms (0, or 1 and u64) | retry (0, or 1 and it) | live ms (0, or 1 and u64)
//!   2 Take       queues | kinds | count u32 | lease ms (0, or 1 and u64) | holder (0, or 1 and it)
//!   3 TakeOne    task | lease ms (0, or 1 and u64) | holder (0, or 1 and it)
//!   4 Complete   task | claim | result
//!   5 Fail       task | claim | error
//!   6 Extend     task | claim | lease ms (0, or 1 and u64)
//!   7 Release    task | claim | priority (0, or 1 and u32) | delay ms u64
//!   8 Bury       task | claim | priority (0, or 1 and u32) | error
//!   9 Kick       queue | sleepers u8 (1 any, 2 buried, 3 delayed) | count u32
//!  10 KickOne    task
//!  11 Delete     task | claim (0, or 1 and it)
//!  12 LetGo      holder
//!  13 LetGoBefore  node u64 | incarnation u64
//!  14 Configure  queue | settings (0, or 1 and them)
//!  15 Pause      queue | for ms (0, or 1 and u64)
//!  16 Resume     queue
//!  17 Purge      queue | count u32
//! start: 1 at once · 2 after ms u64 · 3 at u64, in cluster time
//! ```
//! Bytes have their length in front, as u32; lists their count. Numbers are never used again and layouts
//! never change: what is new gets a new number.

mod codec;

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Incarnation, NodeId, Stamp};

use crate::{
    ERROR_BYTES_MAX, NAME_BYTES_MAX, PAYLOAD_BYTES_MAX, QUEUES_MAX,
    failure::Invalid,
    retry::Retry,
    settings::Settings,
    task::{Claim, Holder, TaskId},
};

pub(crate) use codec::unknown_kind;

/// A change of the queues. What each comes to stands with its [`Answer`](crate::Answer); whatever names a
/// task that is not there is answered [`NotFound`](crate::Failure::NotFound).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Puts a task: [`Answer::Put`](crate::Answer::Put), or [`Full`](crate::Failure::Full).
    Put(Put),
    /// Hands out what is ready, the lowest priority first, then the oldest: [`Answer::Taken`](crate::Answer::Taken).
    Take(Take),
    /// Hands out this task, ready, delayed or buried, even if its queue is paused: one taken, or
    /// [`WrongState`](crate::Failure::WrongState).
    TakeOne {
        /// The task.
        task: TaskId,
        /// How long the lease lasts, in milliseconds; nothing for what the task says.
        lease_ms: Option<u64>,
        /// The connection that shall hold it, if it is one.
        holder: Option<Holder>,
    },
    /// The task is done: [`Answer::Now`](crate::Answer::Now), or [`NotHeld`](crate::Failure::NotHeld).
    Complete {
        /// The task.
        task: TaskId,
        /// By what right.
        claim: Claim,
        /// What it came to.
        result: Bytes,
    },
    /// The attempt failed: the task waits for the next one, or is a dead letter. `Now`, or `NotHeld`.
    Fail {
        /// The task.
        task: TaskId,
        /// By what right.
        claim: Claim,
        /// What went wrong.
        error: Bytes,
    },
    /// Lets the lease begin again: `Now`, or `NotHeld`.
    Extend {
        /// The task.
        task: TaskId,
        /// By what right.
        claim: Claim,
        /// How long it lasts from now on, in milliseconds; nothing for as long as before.
        lease_ms: Option<u64>,
    },
    /// Gives the task back, which is no failure: `Now`, or `NotHeld`.
    Release {
        /// The task.
        task: TaskId,
        /// By what right.
        claim: Claim,
        /// Its priority from now on; nothing for the one it has.
        priority: Option<u32>,
        /// How long it waits before it is ready, in milliseconds.
        delay_ms: u64,
    },
    /// Makes the task a dead letter: `Now`, or `NotHeld`.
    Bury {
        /// The task.
        task: TaskId,
        /// By what right.
        claim: Claim,
        /// Its priority from now on; nothing for the one it has.
        priority: Option<u32>,
        /// Why.
        error: Bytes,
    },
    /// Makes dead letters or delayed tasks of a queue ready: [`Answer::Kicked`](crate::Answer::Kicked). Who wants
    /// more than one entry does goes on with the kind of sleepers that the answer names.
    Kick {
        /// The queue.
        queue: Bytes,
        /// Which of them.
        sleepers: Sleepers,
        /// How many at most; one entry does [`AT_ONCE_MAX`](crate::AT_ONCE_MAX) at most.
        count: u32,
    },
    /// Makes a dead letter or a delayed task ready: `Now`, or `WrongState`.
    KickOne {
        /// The task.
        task: TaskId,
    },
    /// Deletes a task: [`Answer::Done`](crate::Answer::Done), or [`Reserved`](crate::Failure::Reserved)
    /// without a claim, or `NotHeld` with one that does not hold.
    Delete {
        /// The task.
        task: TaskId,
        /// By what right, if it is reserved. A connection deletes nothing that is over: for it, that has
        /// gone already.
        claim: Option<Claim>,
    },
    /// A connection has ended, and lets go of all that it holds:
    /// [`Answer::Count`](crate::Answer::Count). What does not fit in one entry goes with the next ticks. Its
    /// takes must have ended before: what one of them gets later stays until its lease ends.
    LetGo {
        /// The connection.
        holder: Holder,
    },
    /// A node has begun a new life: the connections of its earlier ones have ended. `Count`.
    LetGoBefore {
        /// The node.
        node: NodeId,
        /// Its present life.
        incarnation: Incarnation,
    },
    /// Gives a queue settings of its own: `Done`. They hold for what is put and taken from now on.
    Configure {
        /// The queue.
        queue: Bytes,
        /// The settings; nothing for the usual ones.
        settings: Option<Settings>,
    },
    /// Lets nothing be taken from a queue for a while: `Done`.
    Pause {
        /// The queue.
        queue: Bytes,
        /// For how long, in milliseconds; nothing for until it is resumed.
        for_ms: Option<u64>,
    },
    /// Ends the pause of a queue: `Done`.
    Resume {
        /// The queue.
        queue: Bytes,
    },
    /// Deletes the oldest dead letters of a queue: `Count`.
    Purge {
        /// The queue.
        queue: Bytes,
        /// How many at most; one entry does [`AT_ONCE_MAX`](crate::AT_ONCE_MAX) at most.
        count: u32,
    },
}

/// A task to put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The queue, which need not be there.
    pub queue: Bytes,
    /// The type; empty for none.
    pub kind: Bytes,
    /// If a task that is still known was put into the queue under this key, there will be no other.
    pub key: Option<Bytes>,
    /// What it is about.
    pub payload: Bytes,
    /// What is smaller is served earlier.
    pub priority: u32,
    /// When it is ready.
    pub start: Start,
    /// How long a lease lasts, in milliseconds; nothing for what the queue says.
    pub lease_ms: Option<u64>,
    /// What follows a failed attempt; nothing for what the queue says.
    pub retry: Option<Retry>,
    /// After how long it is of no use any more, in milliseconds; nothing for never.
    pub live_ms: Option<u64>,
}

/// When a task is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At once.
    AtOnce,
    /// So many milliseconds later.
    AfterMs(u64),
    /// At this moment of cluster time, or at once if it has been.
    At(Stamp),
}

/// What to hand out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// From which queues; from all of them alike.
    pub queues: Vec<Bytes>,
    /// Only of these types; of any, or none, if there are no types here.
    pub kinds: Vec<Bytes>,
    /// How many tasks at most; one entry does [`AT_ONCE_MAX`](crate::AT_ONCE_MAX) at most, and no more
    /// than some payloads.
    pub count: u32,
    /// How long each lease lasts, in milliseconds; nothing for what each task says.
    pub lease_ms: Option<u64>,
    /// The connection that shall hold them, if it is one.
    pub holder: Option<Holder>,
}

/// Tasks that wait for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleepers {
    /// Dead letters, or if there are none, delayed tasks: as beanstalkd.
    Any,
    /// Dead letters, in the order in which they were buried.
    Buried,
    /// Delayed tasks, the one whose time comes first in front.
    Delayed,
}

impl Command {
    /// Holds the command against the limits. A front asks before it proposes the command, the state
    /// machine asks again.
    ///
    /// # Errors
    /// Which limit it breaks.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Put(put) => put.check(),
            Self::Take(take) => take.check(),
            Self::Complete { result, .. } => {
                at_most(result, PAYLOAD_BYTES_MAX).ok_or(Invalid::Result)
            }
            Self::Fail { error, .. } | Self::Bury { error, .. } => {
                at_most(error, ERROR_BYTES_MAX).ok_or(Invalid::Error)
            }
            Self::Kick { queue, .. }
            | Self::Configure { queue, .. }
            | Self::Pause { queue, .. }
            | Self::Resume { queue }
            | Self::Purge { queue, .. } => check_queue(queue),
            Self::TakeOne { .. }
            | Self::Extend { .. }
            | Self::Release { .. }
            | Self::KickOne { .. }
            | Self::Delete { .. }
            | Self::LetGo { .. }
            | Self::LetGoBefore { .. } => Ok(()),
        }
    }
}

impl Put {
    fn check(&self) -> Result<(), Invalid> {
        check_queue(&self.queue)?;
        at_most(&self.kind, NAME_BYTES_MAX).ok_or(Invalid::Kind)?;
        if let Some(key) = &self.key {
            let is_named = at_most(key, NAME_BYTES_MAX).filter(|()| !key.is_empty());
            is_named.ok_or(Invalid::Key)?;
        }
        at_most(&self.payload, PAYLOAD_BYTES_MAX).ok_or(Invalid::Payload)
    }
}

impl Take {
    fn check(&self) -> Result<(), Invalid> {
        let sources = self.queues.len().saturating_mul(self.kinds.len().max(1));
        if sources == 0 || sources > QUEUES_MAX {
            return Err(Invalid::TooMany);
        }
        self.queues.iter().try_for_each(check_queue)?;
        let is_kind = |kind: &Bytes| !kind.is_empty() && kind.len() <= NAME_BYTES_MAX;
        if self.kinds.iter().all(is_kind) { Ok(()) } else { Err(Invalid::Kind) }
    }
}

/// Holds a queue's name against the limits.
pub(crate) fn check_queue(queue: &Bytes) -> Result<(), Invalid> {
    if queue.is_empty() { None } else { at_most(queue, NAME_BYTES_MAX) }.ok_or(Invalid::QueueName)
}

fn at_most(bytes: &Bytes, bytes_max: usize) -> Option<()> {
    (bytes.len() <= bytes_max).then_some(())
}

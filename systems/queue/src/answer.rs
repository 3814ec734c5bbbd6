//! What a command or a query comes to.
//!
//! ```text
//! kind u8 | body
//!   1 Put        task u64 | is duplicate u8
//!   2 Taken      stamp u64 | tasks, each: task u64 | token u64 | due u64 | queue | kind | priority u32
//!                failures u32 | payload
//!   3 Now        state
//!   4 Done
//!   5 Kicked     sleepers u8 | count u32
//!   6 Count      count u32 | more u8
//!   7 Invalid    reason u8      8 Failed  reason u8      (failure.rs)
//!   9 Found      details
//!  10 Missing
//!  11 Page       details | more u8
//!  12 Queue      queue | stamp u64 | counts | settings | paused until (0, or 1 and u64)
//!  13 Names      queues | more u8
//!  14 Totals     stamp u64 | counts
//!  15 Held       stamp u64 | each: task u64 | due u64
//!  16 Ready      is ready u8
//! details: task u64 | stamp u64 | task | payload | result | attempts
//! ```

use alloc::{boxed::Box, vec::Vec};

use bytes::Bytes;
use kernel::{Malformed, Reader, Stamp, Wire, Writer};

use crate::{
    attempt::Attempt,
    command::Sleepers,
    failure::{Failure, Invalid},
    numbers::{put_names, take_names},
    settings::{Counts, Settings},
    task::{State, Task, TaskId, take_flag},
};

/// What a command or a query comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The task is there.
    Put {
        /// Its number.
        task: TaskId,
        /// True if it was there before, under the same key; then nothing was changed.
        is_duplicate: bool,
    },
    /// These were handed out; none if none was ready.
    Taken {
        /// When, in cluster time.
        stamp: Stamp,
        /// What.
        tasks: Vec<Taken>,
    },
    /// Done: where the task stands now.
    Now(State),
    /// Done.
    Done,
    /// Tasks were made ready.
    Kicked {
        /// Dead letters, or delayed ones.
        sleepers: Sleepers,
        /// How many.
        count: u32,
    },
    /// That was done to so many tasks.
    Count {
        /// How many.
        count: u32,
        /// True if more are left that this entry did not get to.
        more: bool,
    },
    /// The command or the query breaks a limit, and changed nothing.
    Invalid(Invalid),
    /// The command changed nothing.
    Failed(Failure),
    /// A task.
    Found(Box<Details>),
    /// There is no such task, or no such queue.
    Missing,
    /// Some tasks.
    Page {
        /// The tasks.
        tasks: Vec<Details>,
        /// True if more follow.
        more: bool,
    },
    /// A queue.
    Queue(Report),
    /// The names of queues, in the order of their bytes.
    Names {
        /// The names.
        names: Vec<Bytes>,
        /// True if more follow.
        more: bool,
    },
    /// All queues together, those that have gone too.
    Totals {
        /// When, in cluster time.
        stamp: Stamp,
        /// What they count.
        counts: Counts,
    },
    /// What a connection holds.
    Held {
        /// When, in cluster time.
        stamp: Stamp,
        /// Each task, and when its lease ends.
        tasks: Vec<Held>,
    },
    /// True if a take would find something.
    Ready(bool),
}

/// A task that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its number.
    pub task: TaskId,
    /// The token of the lease; it grows with each delivery of the task.
    pub token: u64,
    /// When the lease ends, unless it is extended.
    pub due: Stamp,
    /// The queue.
    pub queue: Bytes,
    /// The type; empty if it has none.
    pub kind: Bytes,
    /// What is smaller is served earlier.
    pub priority: u32,
    /// How many attempts have failed before this one.
    pub failures: u32,
    /// What it is about.
    pub payload: Bytes,
}

/// All that is known of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// Its number.
    pub id: TaskId,
    /// Cluster time at which this was so.
    pub stamp: Stamp,
    /// What is known of it.
    pub task: Task,
    /// What it is about.
    pub payload: Bytes,
    /// What it came to; empty before it is completed.
    pub result: Bytes,
    /// How its latest deliveries ended that did not complete it, oldest first.
    pub attempts: Vec<Attempt>,
}

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub queue: Bytes,
    /// Cluster time at which this was so.
    pub stamp: Stamp,
    /// What is in it.
    pub counts: Counts,
    /// What holds for its tasks.
    pub settings: Settings,
    /// Until when nothing is taken from it; the last stamp of all if until it is resumed.
    pub paused_until: Option<Stamp>,
}

/// A task that a connection holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its number.
    pub task: TaskId,
    /// When its lease ends.
    pub due: Stamp,
}

impl Wire for Answer {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Put { task, is_duplicate } => {
                writer.put_u8(1);
                task.encode(writer);
                writer.put_u8(u8::from(*is_duplicate));
            }
            Self::Taken { stamp, tasks } => {
                writer.put_u8(2);
                stamp.encode(writer);
                writer.put_list(tasks);
            }
            Self::Now(state) => {
                writer.put_u8(3);
                state.encode(writer);
            }
            Self::Done => writer.put_u8(4),
            Self::Kicked { sleepers, count } => {
                writer.put_u8(5);
                sleepers.encode(writer);
                writer.put_u32(*count);
            }
            Self::Count { count, more } => {
                writer.put_u8(6);
                writer.put_u32(*count);
                writer.put_u8(u8::from(*more));
            }
            Self::Invalid(invalid) => {
                writer.put_u8(7);
                writer.put_u8(invalid.number());
            }
            Self::Failed(failure) => {
                writer.put_u8(8);
                writer.put_u8(failure.number());
            }
            other => other.encode_read(writer),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::Put { task: TaskId::decode(reader)?, is_duplicate: take_flag(reader)? },
            2 => Self::Taken { stamp: Stamp::decode(reader)?, tasks: reader.take_list()? },
            3 => Self::Now(State::decode(reader)?),
            4 => Self::Done,
            5 => Self::Kicked { sleepers: Sleepers::decode(reader)?, count: reader.take_u32()? },
            6 => Self::Count { count: reader.take_u32()?, more: take_flag(reader)? },
            7 => Self::Invalid(Invalid::from_number(reader.take_u8()?)?),
            8 => Self::Failed(Failure::from_number(reader.take_u8()?)?),
            9 => Self::Found(Box::new(Details::decode(reader)?)),
            10 => Self::Missing,
            11 => Self::Page { tasks: reader.take_list()?, more: take_flag(reader)? },
            12 => Self::Queue(Report::decode(reader)?),
            13 => Self::Names { names: take_names(reader)?, more: take_flag(reader)? },
            14 => Self::Totals { stamp: Stamp::decode(reader)?, counts: Counts::decode(reader)? },
            15 => Self::Held { stamp: Stamp::decode(reader)?, tasks: reader.take_list()? },
            16 => Self::Ready(take_flag(reader)?),
            _ => return Err(Malformed("an answer of kind 1 to 16")),
        })
    }
}

impl Answer {
    /// The answers that only queries have.
    fn encode_read(&self, writer: &mut Writer) {
        match self {
            Self::Found(details) => {
                writer.put_u8(9);
                details.encode(writer);
            }
            Self::Missing => writer.put_u8(10),
            Self::Page { tasks, more } => {
                writer.put_u8(11);
                writer.put_list(tasks);
                writer.put_u8(u8::from(*more));
            }
            Self::Queue(report) => {
                writer.put_u8(12);
                report.encode(writer);
            }
            Self::Names { names, more } => {
                writer.put_u8(13);
                put_names(names, writer);
                writer.put_u8(u8::from(*more));
            }
            Self::Totals { stamp, counts } => {
                writer.put_u8(14);
                stamp.encode(writer);
                counts.encode(writer);
            }
            Self::Held { stamp, tasks } => {
                writer.put_u8(15);
                stamp.encode(writer);
                writer.put_list(tasks);
            }
            Self::Ready(is_ready) => {
                writer.put_u8(16);
                writer.put_u8(u8::from(*is_ready));
            }
            other => panic!("an answer of a query: {other:?}"),
        }
    }
}

impl Wire for Taken {
    fn encode(&self, writer: &mut Writer) {
        self.task.encode(writer);
        writer.put_u64(self.token);
        self.due.encode(writer);
        writer.put_bytes(&self.queue);
        writer.put_bytes(&self.kind);
        writer.put_u32(self.priority);
        writer.put_u32(self.failures);
        writer.put_bytes(&self.payload);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            task: TaskId::decode(reader)?,
            token: reader.take_u64()?,
            due: Stamp::decode(reader)?,
            queue: reader.take_bytes()?,
            kind: reader.take_bytes()?,
            priority: reader.take_u32()?,
            failures: reader.take_u32()?,
            payload: reader.take_bytes()?,
        })
    }
}

impl Wire for Details {
    fn encode(&self, writer: &mut Writer) {
        self.id.encode(writer);
        self.stamp.encode(writer);
        self.task.encode(writer);
        writer.put_bytes(&self.payload);
        writer.put_bytes(&self.result);
        writer.put_list(&self.attempts);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            id: TaskId::decode(reader)?,
            stamp: Stamp::decode(reader)?,
            task: Task::decode(reader)?,
            payload: reader.take_bytes()?,
            result: reader.take_bytes()?,
            attempts: reader.take_list()?,
        })
    }
}

impl Wire for Report {
    fn encode(&self, writer: &mut Writer) {
        writer.put_bytes(&self.queue);
        self.stamp.encode(writer);
        self.counts.encode(writer);
        self.settings.encode(writer);
        writer.put_option(self.paused_until.as_ref());
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            queue: reader.take_bytes()?,
            stamp: Stamp::decode(reader)?,
            counts: Counts::decode(reader)?,
            settings: Settings::decode(reader)?,
            paused_until: reader.take_option()?,
        })
    }
}

impl Wire for Held {
    fn encode(&self, writer: &mut Writer) {
        self.task.encode(writer);
        self.due.encode(writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { task: TaskId::decode(reader)?, due: Stamp::decode(reader)? })
    }
}

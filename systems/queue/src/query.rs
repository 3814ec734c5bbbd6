//! Reads that skip the log: from one moment of the tables, on any thread.
//!
//! ```text
//! kind u8 | body
//!   1 Get     task u64
//!   2 First   queue | standing u8 (1 ready, 2 delayed, 3 buried)
//!   3 Dead    queue | from place u64 | limit u32
//!   4 Queue   queue
//!   5 Queues  after (0, or 1 and the name) | limit u32
//!   6 Totals
//!   7 Held    holder
//!   8 Ready   queues | kinds
//! ```
//! A read shows what the last applied entry left: a lease that has run out is shown as reserved until the
//! tick that ends it, which follows at once.

use alloc::{boxed::Box, vec::Vec};

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, Reading, Wire, Writer};

use crate::{
    HELD_MAX, PAGE_BYTES_MAX, PAGE_TASKS_MAX, QUEUES_MAX,
    answer::{Answer, Details, Held, Report},
    command::check_queue,
    failure::Invalid,
    numbers::{put_names, take_names},
    settings::Counts,
    state_machine::sources,
    store::{
        attempts, each_row, holders,
        queues::{self, GONE, QUEUES},
        ready::Source,
        sleeping, tasks,
    },
    task::{Holder, State, TaskId, put_optional_bytes, take_optional_bytes},
};

/// A read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// A task: [`Answer::Found`] or [`Answer::Missing`].
    Get {
        /// The task.
        task: TaskId,
    },
    /// The task of a queue that is next to leave where it stands: `Found` or `Missing`.
    First {
        /// The queue.
        queue: Bytes,
        /// Where it stands.
        standing: Standing,
    },
    /// The dead letters of a queue, in the order in which they were buried: [`Answer::Page`].
    Dead {
        /// The queue.
        queue: Bytes,
        /// The first place; 0 for the first page, then one more than the last place of the page before.
        from: u64,
        /// How many at most; [`PAGE_TASKS_MAX`] if it is 0 or larger than that.
        limit: u32,
    },
    /// A queue: [`Answer::Queue`], or `Missing` if it is empty and has no settings of its own.
    Queue {
        /// The queue.
        queue: Bytes,
    },
    /// The names of all queues: [`Answer::Names`].
    Queues {
        /// Only names above this one: the last one of the page before.
        after: Option<Bytes>,
        /// How many at most; [`PAGE_TASKS_MAX`] if it is 0 or larger than that.
        limit: u32,
    },
    /// All queues together: [`Answer::Totals`]. It takes as long as there are queues.
    Totals,
    /// What a connection holds, [`HELD_MAX`] tasks at most: [`Answer::Held`].
    Held {
        /// The connection.
        holder: Holder,
    },
    /// Whether a take from these queues would find something: [`Answer::Ready`].
    Ready {
        /// The queues.
        queues: Vec<Bytes>,
        /// Only of these types; of any, or none, if there are no types here.
        kinds: Vec<Bytes>,
    },
}

/// Where a task stands that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Ready.
    Ready,
    /// Delayed.
    Delayed,
    /// Among the dead letters.
    Buried,
}

impl Query {
    /// Answers the query from one moment of the tables.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn answer(&self, reading: &Reading) -> Result<Answer, Fault> {
        if let Err(invalid) = self.check() {
            return Ok(Answer::Invalid(invalid));
        }
        match self {
            Self::Get { task } => found(reading, Some(*task)),
            Self::First { queue, standing } => found(reading, first(reading, queue, *standing)?),
            Self::Dead { queue, from, limit } => dead(reading, queue, *from, page_limit(*limit)),
            Self::Queue { queue } => report(reading, queue),
            Self::Queues { after, limit } => names(reading, after.as_ref(), page_limit(*limit)),
            Self::Totals => totals(reading),
            Self::Held { holder } => held(reading, *holder),
            Self::Ready { queues, kinds } => {
                let sources = sources(reading, reading.meta().stamp, queues, kinds)?;
                let mut is_ready = false;
                for source in sources {
                    is_ready = is_ready || source.first(reading)?.is_some();
                }
                Ok(Answer::Ready(is_ready))
            }
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::First { queue, .. } | Self::Dead { queue, .. } | Self::Queue { queue } => {
                check_queue(queue)
            }
            Self::Ready { queues, kinds } => {
                let count = queues.len().saturating_mul(kinds.len().max(1));
                queues.iter().chain(kinds).try_for_each(check_queue)?;
                if count > QUEUES_MAX { Err(Invalid::TooMany) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }
}

/// How many tasks or names a page holds at most if `limit` was asked for.
pub(crate) fn page_limit(limit: u32) -> usize {
    let limit = if limit == 0 { PAGE_TASKS_MAX } else { limit.min(PAGE_TASKS_MAX) };
    usize::try_from(limit).expect("a page's limit is small")
}

fn first(reading: &Reading, queue: &Bytes, standing: Standing) -> Result<Option<TaskId>, Fault> {
    match standing {
        Standing::Ready => Ok(Source::of_queue(queue).first(reading)?.map(|(_, task)| task)),
        Standing::Delayed => Ok(sleeping::first_delayed(reading, queue, 1)?.pop()),
        Standing::Buried => {
            Ok(sleeping::buried_from(reading, queue, 0, 1)?.pop().map(|(_, task)| task))
        }
    }
}

fn found(reading: &Reading, id: Option<TaskId>) -> Result<Answer, Fault> {
    let details = id.map(|id| details(reading, id)).transpose()?.flatten();
    Ok(details.map_or(Answer::Missing, |details| Answer::Found(Box::new(details))))
}

fn details(reading: &Reading, id: TaskId) -> Result<Option<Details>, Fault> {
    let Some(task) = tasks::find(reading, id)? else {
        return Ok(None);
    };
    Ok(Some(Details {
        id,
        stamp: reading.meta().stamp,
        task,
        payload: tasks::payload(reading, id)?,
        result: tasks::result(reading, id)?,
        attempts: attempts::of_task(reading, id)?,
    }))
}

fn dead(reading: &Reading, queue: &Bytes, from: u64, limit: usize) -> Result<Answer, Fault> {
    let (mut tasks, mut bytes) = (Vec::new(), 0);
    // One more than asked for tells whether more follow.
    for (_, id) in sleeping::buried_from(reading, queue, from, limit + 1)? {
        let details = details(reading, id)?.expect("a dead letter is a task");
        bytes += details.payload.len();
        if tasks.len() == limit || (bytes > PAGE_BYTES_MAX && !tasks.is_empty()) {
            return Ok(Answer::Page { tasks, more: true });
        }
        tasks.push(details);
    }
    Ok(Answer::Page { tasks, more: false })
}

fn report(reading: &Reading, name: &Bytes) -> Result<Answer, Fault> {
    let Some(queue) = queues::find(reading, name)? else {
        return Ok(Answer::Missing);
    };
    let stamp = reading.meta().stamp;
    Ok(Answer::Queue(Report {
        queue: name.clone(),
        stamp,
        counts: queue.counts,
        settings: queues::settings(reading, name)?,
        paused_until: queue.paused_until.filter(|_| queue.is_paused(stamp)),
    }))
}

fn names(reading: &Reading, after: Option<&Bytes>, limit: usize) -> Result<Answer, Fault> {
    // The empty name is no queue's.
    let from = [after.map_or(GONE, |after| after), &[0]].concat();
    let rows = reading.scan(QUEUES, &from, None, limit + 1)?;
    let more = rows.len() > limit;
    let names = rows.into_iter().take(limit).map(|(name, _)| name).collect();
    Ok(Answer::Names { names, more })
}

fn totals(reading: &Reading) -> Result<Answer, Fault> {
    let mut counts = Counts::default();
    each_row(reading, QUEUES, (&[], None), |_, row| {
        counts.add(&queues::decode(row)?.counts);
        Ok(())
    })?;
    Ok(Answer::Totals { stamp: reading.meta().stamp, counts })
}

fn held(reading: &Reading, holder: Holder) -> Result<Answer, Fault> {
    let mut tasks = Vec::new();
    for id in holders::held(reading, &holders::only(holder), HELD_MAX)? {
        let task = tasks::find(reading, id)?.expect("what is held is a task");
        let State::Reserved { due, .. } = task.state else {
            panic!("what is held is reserved");
        };
        tasks.push(Held { task: id, due });
    }
    Ok(Answer::Held { stamp: reading.meta().stamp, tasks })
}

impl Wire for Query {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Get { task } => {
                writer.put_u8(1);
                task.encode(writer);
            }
            Self::First { queue, standing } => {
                writer.put_u8(2);
                writer.put_bytes(queue);
                standing.encode(writer);
            }
            Self::Dead { queue, from, limit } => {
                writer.put_u8(3);
                writer.put_bytes(queue);
                writer.put_u64(*from);
                writer.put_u32(*limit);
            }
            Self::Queue { queue } => {
                writer.put_u8(4);
                writer.put_bytes(queue);
            }
            Self::Queues { after, limit } => {
                writer.put_u8(5);
                put_optional_bytes(after.as_ref(), writer);
                writer.put_u32(*limit);
            }
            Self::Totals => writer.put_u8(6),
            Self::Held { holder } => {
                writer.put_u8(7);
                holder.encode(writer);
            }
            Self::Ready { queues, kinds } => {
                writer.put_u8(8);
                put_names(queues, writer);
                put_names(kinds, writer);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(match reader.take_u8()? {
            1 => Self::Get { task: TaskId::decode(reader)? },
            2 => Self::First { queue: reader.take_bytes()?, standing: Standing::decode(reader)? },
            3 => Self::Dead {
                queue: reader.take_bytes()?,
                from: reader.take_u64()?,
                limit: reader.take_u32()?,
            },
            4 => Self::Queue { queue: reader.take_bytes()? },
            5 => Self::Queues { after: take_optional_bytes(reader)?, limit: reader.take_u32()? },
            6 => Self::Totals,
            7 => Self::Held { holder: Holder::decode(reader)? },
            8 => Self::Ready { queues: take_names(reader)?, kinds: take_names(reader)? },
            _ => return Err(Malformed("a query of kind 1 to 8")),
        })
    }
}

impl Wire for Standing {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u8(match self {
            Self::Ready => 1,
            Self::Delayed => 2,
            Self::Buried => 3,
        });
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            1 => Ok(Self::Ready),
            2 => Ok(Self::Delayed),
            3 => Ok(Self::Buried),
            _ => Err(Malformed("a standing of kind 1 to 3")),
        }
    }
}

//! What is asked of a queue, and what is answered. Stamps are in nanoseconds of cluster time.

use alloc::{format, string::String, vec::Vec};
use core::fmt;

/// What a producer puts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// Its name, which nobody uses twice.
    pub name: Vec<u8>,
    /// The queue.
    pub queue: Vec<u8>,
    /// What is smaller is served earlier.
    pub priority: u32,
    /// While a task put under a key is known, there is no other of that key in its queue.
    pub key: Option<Vec<u8>>,
    /// How long it waits before it is ready.
    pub delay_ns: u64,
    /// After how long it is of no use any more, if ever.
    pub live_ns: Option<u64>,
    /// What follows a failed attempt.
    pub retry: Retry,
    /// For how long it is known at least after it was done.
    pub retention_ns: u64,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// How many attempts there are before the task is a dead letter; 0 for no end of them.
    pub attempts_max: u64,
    /// How long the task waits after its first failure. Each wait doubles the one before.
    pub first_ns: u64,
    /// The longest wait.
    pub limit_ns: u64,
    /// By how much a wait may be longer, in percent.
    pub jitter_percent: u64,
}

impl Retry {
    /// The shortest and the longest wait after so many failures, at least one.
    #[must_use]
    pub fn wait_ns(&self, failures: u64) -> (u64, u64) {
        let doublings = failures.saturating_sub(1).min(63);
        let wait_ns = self.first_ns.saturating_mul(1 << doublings).min(self.limit_ns);
        (wait_ns, wait_ns.saturating_add(wait_ns.saturating_mul(self.jitter_percent) / 100))
    }

    /// True if a task that has failed so often is a dead letter.
    #[must_use]
    pub const fn is_over(&self, failures: u64) -> bool {
        self.attempts_max > 0 && failures >= self.attempts_max
    }
}

/// One delivery of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The task's name.
    pub task: Vec<u8>,
    /// Which of its deliveries, counted from 1.
    pub token: u64,
}

/// Who holds what it takes: a connection of one life of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    /// The node.
    pub node: u64,
    /// Its life.
    pub life: u64,
    /// The connection; each take has its own.
    pub connection: u64,
}

/// What is asked of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Put a task.
    Put(Task),
    /// Take what is ready in these queues.
    Take {
        /// From where.
        queues: Vec<Vec<u8>>,
        /// How many tasks at most.
        count: u64,
        /// The connection that shall hold them, if it is one.
        holder: Option<Holder>,
    },
    /// A delivery is done.
    Complete(Delivery),
    /// A delivery failed.
    Fail(Delivery),
    /// The lease of a delivery shall begin again.
    Extend(Delivery),
    /// A delivery is given back, which is no failure.
    Release {
        /// The delivery.
        delivery: Delivery,
        /// How long the task waits then.
        delay_ns: u64,
    },
    /// The task of a delivery shall be a dead letter.
    Bury(Delivery),
    /// Delete a task that nobody holds.
    Delete(Vec<u8>),
    /// Make a dead letter or a delayed task ready.
    KickOne(Vec<u8>),
    /// Make dead letters of a queue ready, or if there are none, delayed tasks.
    Kick(Vec<u8>),
    /// A connection has ended.
    LetGo(Holder),
    /// All connections of a node's lives before this one have ended.
    LetGoBefore {
        /// The node.
        node: u64,
        /// The life that is not over.
        life: u64,
    },
    /// Let nothing be taken from a queue for a while.
    Pause {
        /// The queue.
        queue: Vec<u8>,
        /// For how long; nothing for until it is resumed.
        for_ns: Option<u64>,
    },
    /// End the pause of a queue.
    Resume(Vec<u8>),
    /// Give a queue its settings.
    Configure(Vec<u8>),
    /// Read which tasks of a queue are dead letters.
    Dead(Vec<u8>),
    /// Read how many tasks are still to be done.
    Look,
}

/// A task that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Which delivery of which task.
    pub delivery: Delivery,
    /// The task's number: what was put later has a larger one.
    pub number: u64,
    /// Its priority.
    pub priority: u32,
    /// How many attempts have failed before.
    pub failures: u64,
    /// When the lease ends, unless it is extended.
    pub due_ns: u64,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The task of this number is in the queue.
    Accepted {
        /// The task's number.
        number: u64,
        /// True if it was there before, under the same key, and nothing was put.
        is_duplicate: bool,
    },
    /// These were taken.
    Taken {
        /// When.
        stamp_ns: u64,
        /// What.
        tasks: Vec<Taken>,
    },
    /// The delivery is done.
    Completed {
        /// When.
        stamp_ns: u64,
    },
    /// The task waits for another attempt.
    Waits {
        /// Until when; nothing if it is ready.
        until_ns: Option<u64>,
    },
    /// There will be no other attempt: the task is a dead letter.
    Buried,
    /// There will be no other attempt: the task's time has run out.
    Expired,
    /// The lease began again.
    Extended {
        /// When it ends.
        due_ns: u64,
    },
    /// The delivery is not held any more, the task is not where something could be done with it, or the queue is
    /// full; nothing was done.
    NotHeld,
    /// It was done.
    Done,
    /// It was done to so many tasks.
    Count(u64),
    /// These are the dead letters, in the order in which they were buried.
    Dead(Vec<Vec<u8>>),
    /// How many tasks are ready, delayed or held.
    Looked {
        /// When.
        stamp_ns: u64,
        /// Of these, how many are ready.
        ready: u64,
        /// All of them.
        open: u64,
        /// How many leases have ever run out.
        timeouts: u64,
        /// How many tasks have ever expired.
        expired: u64,
    },
}

impl Call {
    /// True if `answer` is of the kind that this call gets.
    #[must_use]
    pub const fn fits(&self, answer: &Answer) -> bool {
        match self {
            Self::Put(_) => matches!(answer, Answer::Accepted { .. } | Answer::NotHeld),
            Self::Take { .. } => matches!(answer, Answer::Taken { .. }),
            Self::Complete(_) => matches!(answer, Answer::Completed { .. } | Answer::NotHeld),
            Self::Fail(_) | Self::Release { .. } => matches!(
                answer,
                Answer::Waits { .. } | Answer::Buried | Answer::Expired | Answer::NotHeld
            ),
            Self::Extend(_) => matches!(answer, Answer::Extended { .. } | Answer::NotHeld),
            Self::Bury(_) => matches!(answer, Answer::Buried | Answer::NotHeld),
            Self::Delete(_) | Self::KickOne(_) => matches!(answer, Answer::Done | Answer::NotHeld),
            Self::Kick(_) | Self::LetGo(_) | Self::LetGoBefore { .. } => {
                matches!(answer, Answer::Count(_))
            }
            Self::Pause { .. } | Self::Resume(_) | Self::Configure(_) => {
                matches!(answer, Answer::Done)
            }
            Self::Dead(_) => matches!(answer, Answer::Dead(_)),
            Self::Look => matches!(answer, Answer::Looked { .. }),
        }
    }

    /// True if the call changes nothing.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        matches!(self, Self::Dead(_) | Self::Look)
    }

    /// The delivery for which it asks, if it is one's holder who asks.
    #[must_use]
    pub const fn delivery(&self) -> Option<&Delivery> {
        match self {
            Self::Complete(delivery)
            | Self::Fail(delivery)
            | Self::Extend(delivery)
            | Self::Release { delivery, .. }
            | Self::Bury(delivery) => Some(delivery),
            _ => None,
        }
    }
}

impl Answer {
    /// The moment that it tells, if it tells one.
    #[must_use]
    pub const fn stamp_ns(&self) -> Option<u64> {
        match self {
            Self::Taken { stamp_ns, .. }
            | Self::Completed { stamp_ns }
            | Self::Looked { stamp_ns, .. } => Some(*stamp_ns),
            _ => None,
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn texts<'a>(names: impl IntoIterator<Item = &'a Vec<u8>>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| text(name)).collect();
    names.join(" ")
}

fn ms(ns: u64) -> String {
    format!("{}.{:03}ms", ns / 1_000_000, ns / 1_000 % 1_000)
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} priority {}", text(&self.queue), text(&self.name), self.priority)?;
        if let Some(key) = &self.key {
            write!(formatter, " key {}", text(key))?;
        }
        if self.delay_ns > 0 {
            write!(formatter, " in {}", ms(self.delay_ns))?;
        }
        if let Some(live_ns) = self.live_ns {
            write!(formatter, " for {}", ms(live_ns))?;
        }
        let Retry { attempts_max, first_ns, .. } = self.retry;
        write!(formatter, " tries {attempts_max} every {}", ms(first_ns))
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}#{}", text(&self.task), self.token)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}/{}", self.node, self.life, self.connection)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put(task) => write!(formatter, "put {task}"),
            Self::Take { queues, count, holder } => {
                write!(formatter, "take {count} of {}", texts(queues))?;
                holder.map_or(Ok(()), |holder| write!(formatter, " as {holder}"))
            }
            Self::Complete(delivery) => write!(formatter, "complete {delivery}"),
            Self::Fail(delivery) => write!(formatter, "fail {delivery}"),
            Self::Extend(delivery) => write!(formatter, "extend {delivery}"),
            Self::Release { delivery, delay_ns } => {
                write!(formatter, "release {delivery} in {}", ms(*delay_ns))
            }
            Self::Bury(delivery) => write!(formatter, "bury {delivery}"),
            Self::Delete(task) => write!(formatter, "delete {}", text(task)),
            Self::KickOne(task) => write!(formatter, "kick {}", text(task)),
            Self::Kick(queue) => write!(formatter, "kick all of {}", text(queue)),
            Self::LetGo(holder) => write!(formatter, "let go {holder}"),
            Self::LetGoBefore { node, life } => write!(formatter, "let go before {node}.{life}"),
            Self::Pause { queue, for_ns } => {
                write!(formatter, "pause {}", text(queue))?;
                for_ns.map_or(Ok(()), |for_ns| write!(formatter, " for {}", ms(for_ns)))
            }
            Self::Resume(queue) => write!(formatter, "resume {}", text(queue)),
            Self::Configure(queue) => write!(formatter, "configure {}", text(queue)),
            Self::Dead(queue) => write!(formatter, "dead of {}", text(queue)),
            Self::Look => formatter.write_str("look"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { number, is_duplicate: false } => write!(formatter, "task {number}"),
            Self::Accepted { number, is_duplicate: true } => {
                write!(formatter, "was there as task {number}")
            }
            Self::Taken { stamp_ns, tasks } => {
                write!(formatter, "at {}", ms(*stamp_ns))?;
                for Taken { delivery, number, priority, failures, due_ns } in tasks {
                    write!(formatter, " {delivery} (task {number} priority {priority} ")?;
                    write!(formatter, "failed {failures} until {})", ms(*due_ns))?;
                }
                if tasks.is_empty() { formatter.write_str(" nothing") } else { Ok(()) }
            }
            Self::Completed { stamp_ns } => write!(formatter, "done at {}", ms(*stamp_ns)),
            Self::Waits { until_ns: None } => formatter.write_str("ready"),
            Self::Waits { until_ns: Some(until_ns) } => {
                write!(formatter, "waits until {}", ms(*until_ns))
            }
            Self::Buried => formatter.write_str("buried"),
            Self::Expired => formatter.write_str("expired"),
            Self::Extended { due_ns } => write!(formatter, "until {}", ms(*due_ns)),
            Self::NotHeld => formatter.write_str("not held"),
            Self::Done => formatter.write_str("done"),
            Self::Count(count) => write!(formatter, "{count} tasks"),
            Self::Dead(names) => write!(formatter, "[{}]", texts(names)),
            Self::Looked { stamp_ns, ready, open, .. } => {
                write!(formatter, "{ready} ready of {open} at {}", ms(*stamp_ns))
            }
        }
    }
}

//! The replicated work queue: nothing lost, and nothing done twice while a lease holds.
//!
//! Queues by name hold tasks: a payload, a priority, a time. Whoever takes a task holds it for the time of a
//! lease, and ends that by completing it, failing it or giving it back. The jobs of beanstalkd are the same
//! tasks under its own words: tubes are queues, a reserved job is held by its connection.
//!
//! ```text
//!   Command   put, take, complete, fail, extend, release, bury, ...   through the log     state_machine/
//!   Query     a task, the first of a queue, dead letters, counts      from a Reading      query.rs
//!   Answer    what either of them comes to                                                answer.rs
//!
//!               take             complete
//!    Ready ──────────▶ Reserved ──────────▶ Completed ─▶ forgotten
//!    ▲  ▲ ▲             │  │  └─ bury ─────▶ Buried     (a dead letter)
//!    │  │ └── release ──┘  │ fail, lease over, connection lost
//!    │  └── Delayed ◀──────┴──▶ Buried       after the last attempt
//!    └── kick ── Buried, Delayed             Ready, Delayed ─▶ Expired   at the end of the time to live
//! ```
//! What it promises:
//!
//! 1. A task whose put was answered is there until it is completed and forgotten, deleted, or expires.
//! 2. While a lease holds, nobody else gets its task. A lease holds up to the moment it names, in cluster
//!    time: the stamp of an entry alone decides, not when a tick comes. Once it is over, whatever its holder
//!    still asks is refused, whether or not somebody else has the task by then.
//! 3. Of what is ready, the lowest priority number is served first, and of those the oldest task. A delay, a
//!    retry or a lease takes nothing of a task's age.
//! 4. A failed attempt is followed by another after a wait that doubles, as often as the task allows, and
//!    then the task is a dead letter. A lease that ran out and a lost connection are failed attempts.
//! 5. After a new term has begun every lease holds for [`TERM_GRACE_MS`] at least, or for its own length if
//!    that is less: its holder could reach nobody. It needs no more, because cluster time rests while there
//!    is no leader; a whole lease again, as in the key/value store, would keep the tasks of a worker that died
//!    waiting for as long as the longest lease.
//! 6. One entry does a bounded amount of work. What is due beyond that goes on at the next tick.
//! 7. The cost of a put, a take or an end does not grow with the number of tasks but for the logarithm of a
//!    lookup.
//! 8. Nothing that a client sends stops a replica. A command of a kind that this build does not know does.
//!
//! Who waits for a task waits outside. The machine has no waiting consumers: the node to which a consumer is
//! connected keeps it in memory, in the order of arrival, looks at [`Query::Ready`] after entries were applied,
//! and proposes a [`Take`] for as many as wait when something is ready. The other way, waiters as rows that a
//! put answers, saves one entry for a task that finds an idle worker. But it costs an entry and two rows for
//! each poll that finds nothing; it hands tasks to workers of a node that has just died, where each is lost for
//! a lease, exactly when the cluster is in trouble; and its answer comes with somebody else's entry, so a
//! repeat within a session could not find it. As it is, a lost leader costs waiters nothing, since they are
//! where their connections are, and a lost node takes its waiters along. Consumers of one node are served in
//! order; those of several nodes race, and who loses is answered with nothing and waits on in its place.
#![no_std]

extern crate alloc;

mod answer;
mod attempt;
pub mod command;
mod failure;
pub mod model;
mod numbers;
pub mod protocol;
pub mod query;
mod retry;
mod settings;
pub mod state_machine;
mod store;
mod task;

pub use answer::{Answer, Details, Held, Report, Taken};
pub use attempt::{Attempt, AttemptEnd};
pub use command::{Command, Put, Sleepers, Start, Take};
pub use failure::{Failure, Invalid};
pub use model::Model;
pub use query::{Query, Standing};
pub use retry::Retry;
pub use settings::{Counts, Settings};
pub use state_machine::QueueMachine;
pub use task::{Claim, Holder, State, Task, TaskId};

/// The longest name of a queue or a type, and the longest key, in bytes.
pub const NAME_BYTES_MAX: usize = 200;

/// The longest payload and the longest result, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// The longest error, in bytes.
pub const ERROR_BYTES_MAX: usize = 16 << 10;

/// The most queues, each with each type, from which a command takes.
pub const QUEUES_MAX: usize = 1024;

/// The most tasks that one entry takes, kicks or purges.
pub const AT_ONCE_MAX: u32 = 256;

/// A take hands out no more payloads than these together, in bytes, but one task at least.
pub const TAKE_BYTES_MAX: usize = 1 << 20;

/// The most tasks or names on one page.
pub const PAGE_TASKS_MAX: u32 = 1000;

/// A page ends before its payloads together are longer than this, in bytes, but holds one task at least if
/// there is one.
pub const PAGE_BYTES_MAX: usize = 1 << 20;

/// The most tasks of a connection that are listed.
pub const HELD_MAX: usize = 1000;

/// How long a lease holds at least after a new term has begun, in milliseconds.
pub const TERM_GRACE_MS: u64 = 10_000;

/// The priority that is called high.
pub const PRIORITY_HIGH: u32 = 512;

/// The priority that is called normal: what clients of beanstalkd give if nobody tells them otherwise.
pub const PRIORITY_NORMAL: u32 = 65_536;

/// The priority that is called low.
pub const PRIORITY_LOW: u32 = 1 << 24;

/// Priorities below this are counted as urgent, as in beanstalkd.
pub const URGENT_BELOW: u32 = 1024;

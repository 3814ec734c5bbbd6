//! [`Task`]: what is known of a task but its payload, and the names around it.
//!
//! ```text
//! task: queue | kind | key (0, or 1 and bytes) | priority u32 | created u64 | created wall ms u64
//!       delay ms u64 | lease ms u64 | retry | expires (0, or 1 and u64) | deliveries u64 | failures u32
//!       timeouts u32 | releases u32 | buries u32 | kicks u32 | state
//! state: 1 ready · 2 delayed, until u64 · 3 reserved, since u64, due u64, lease ms u64, holder (0, or 1 and it)
//!        4 buried, place u64 · 5 completed, at u64, gone u64 · 6 expired, at u64, gone u64
//! ```
//! This is also the layout of its row, with a number in front of it (`store/tasks.rs`).

use core::fmt;

use bytes::Bytes;
use kernel::{Incarnation, Malformed, NodeId, Reader, Stamp, Wire, Writer};

use crate::retry::Retry;

/// The number of a task, from 1; one for all queues, and never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u64);

/// Who holds tasks without a token: one connection of one life of one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    /// The node that the connection leads to.
    pub node: NodeId,
    /// Its life.
    pub incarnation: Incarnation,
    /// The connection's number in that life.
    pub connection: u64,
}

/// By what right somebody asks for a change of a reserved task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The token of the lease, as the take gave it. It fences: the token of an earlier lease is stale.
    Token(u64),
    /// The connection holds the task.
    Holder(Holder),
}

/// What is known of a task but its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The queue in which it is.
    pub queue: Bytes,
    /// Its type; empty if it has none.
    pub kind: Bytes,
    /// While the task is known, nothing else is put into its queue under this key.
    pub key: Option<Bytes>,
    /// What is smaller is served earlier.
    pub priority: u32,
    /// When it was put.
    pub created: Stamp,
    /// When that was by the time of day, in milliseconds since 1970: for display, nothing else reads it.
    pub created_wall_ms: u64,
    /// How long it was last made to wait, in milliseconds.
    pub delay_ms: u64,
    /// How long a lease lasts unless a take says otherwise, in milliseconds.
    pub lease_ms: u64,
    /// What follows a failed attempt.
    pub retry: Retry,
    /// When it is of no use any more, unless somebody holds it by then.
    pub expires: Option<Stamp>,
    /// How often it was handed out: also the token of the present lease.
    pub deliveries: u64,
    /// How many attempts have failed since it was put or last kicked.
    pub failures: u32,
    /// How many leases ran out.
    pub timeouts: u32,
    /// How often it was given back.
    pub releases: u32,
    /// How often it was buried.
    pub buries: u32,
    /// How often it was kicked.
    pub kicks: u32,
    /// Where it stands.
    pub state: State,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Whoever asks next gets it.
    Ready,
    /// It waits for its time.
    Delayed {
        /// When it is ready.
        until: Stamp,
    },
    /// Somebody holds it.
    Reserved {
        /// Since when.
        since: Stamp,
        /// When the lease ends. A term that began meanwhile may put that off.
        due: Stamp,
        /// How long the lease lasts from when it is extended, in milliseconds.
        lease_ms: u64,
        /// The connection that holds it, if it is one.
        holder: Option<Holder>,
    },
    /// A dead letter: it stays until somebody kicks or deletes it.
    Buried {
        /// Its place among the dead letters of its queue: what was buried later has a larger one.
        place: u64,
    },
    /// It was done.
    Completed {
        /// When.
        at: Stamp,
        /// When it is forgotten.
        gone: Stamp,
    },
    /// Its time to live ran out before anybody did it.
    Expired {
        /// When.
        at: Stamp,
        /// When it is forgotten.
        gone: Stamp,
    },
}

impl State {
    /// True if it is over, and only remembered.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Expired { .. })
    }

    /// True if somebody holds it.
    #[must_use]
    pub const fn is_reserved(&self) -> bool {
        matches!(self, Self::Reserved { .. })
    }
}

impl Task {
    /// True if who claims it holds it. A lease that has run out must have been ended before.
    #[must_use]
    pub fn is_held_by(&self, claim: Claim) -> bool {
        match (self.state, claim) {
            (State::Reserved { .. }, Claim::Token(token)) => self.deliveries == token,
            (State::Reserved { holder, .. }, Claim::Holder(claimant)) => holder == Some(claimant),
            _ => false,
        }
    }
}

/// The moment so many milliseconds later.
pub(crate) const fn later(stamp: Stamp, wait_ms: u64) -> Stamp {
    Stamp(stamp.0.saturating_add(wait_ms.saturating_mul(1_000_000)))
}

impl fmt::Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl Wire for TaskId {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.0);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self(reader.take_u64()?))
    }
}

impl Wire for Holder {
    fn encode(&self, writer: &mut Writer) {
        self.node.encode(writer);
        self.incarnation.encode(writer);
        writer.put_u64(self.connection);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            node: NodeId::decode(reader)?,
            incarnation: Incarnation::decode(reader)?,
            connection: reader.take_u64()?,
        })
    }
}

impl Wire for Claim {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Token(token) => {
                writer.put_u8(1);
                writer.put_u64(*token);
            }
            Self::Holder(holder) => {
                writer.put_u8(2);
                holder.encode(writer);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            1 => Ok(Self::Token(reader.take_u64()?)),
            2 => Ok(Self::Holder(Holder::decode(reader)?)),
            _ => Err(Malformed("a claim of kind 1 or 2")),
        }
    }
}

impl Wire for State {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Ready => writer.put_u8(1),
            Self::Delayed { until } => {
                writer.put_u8(2);
                until.encode(writer);
            }
            Self::Reserved { since, due, lease_ms, holder } => {
                writer.put_u8(3);
                since.encode(writer);
                due.encode(writer);
                writer.put_u64(*lease_ms);
                writer.put_option(holder.as_ref());
            }
            Self::Buried { place } => {
                writer.put_u8(4);
                writer.put_u64(*place);
            }
            Self::Completed { at, gone } => {
                writer.put_u8(5);
                at.encode(writer);
                gone.encode(writer);
            }
            Self::Expired { at, gone } => {
                writer.put_u8(6);
                at.encode(writer);
                gone.encode(writer);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            1 => Ok(Self::Ready),
            2 => Ok(Self::Delayed { until: Stamp::decode(reader)? }),
            3 => Ok(Self::Reserved {
                since: Stamp::decode(reader)?,
                due: Stamp::decode(reader)?,
                lease_ms: reader.take_u64()?,
                holder: reader.take_option()?,
            }),
            4 => Ok(Self::Buried { place: reader.take_u64()? }),
            5 => Ok(Self::Completed { at: Stamp::decode(reader)?, gone: Stamp::decode(reader)? }),
            6 => Ok(Self::Expired { at: Stamp::decode(reader)?, gone: Stamp::decode(reader)? }),
            _ => Err(Malformed("a state of kind 1 to 6")),
        }
    }
}

impl Wire for Task {
    fn encode(&self, writer: &mut Writer) {
        writer.put_bytes(&self.queue);
        writer.put_bytes(&self.kind);
        put_optional_bytes(self.key.as_ref(), writer);
        writer.put_u32(self.priority);
        self.created.encode(writer);
        writer.put_u64(self.created_wall_ms);
        writer.put_u64(self.delay_ms);
        writer.put_u64(self.lease_ms);
        self.retry.encode(writer);
        writer.put_option(self.expires.as_ref());
        writer.put_u64(self.deliveries);
        for count in [self.failures, self.timeouts, self.releases, self.buries, self.kicks] {
            writer.put_u32(count);
        }
        self.state.encode(writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            queue: reader.take_bytes()?,
            kind: reader.take_bytes()?,
            key: take_optional_bytes(reader)?,
            priority: reader.take_u32()?,
            created: Stamp::decode(reader)?,
            created_wall_ms: reader.take_u64()?,
            delay_ms: reader.take_u64()?,
            lease_ms: reader.take_u64()?,
            retry: Retry::decode(reader)?,
            expires: reader.take_option()?,
            deliveries: reader.take_u64()?,
            failures: reader.take_u32()?,
            timeouts: reader.take_u32()?,
            releases: reader.take_u32()?,
            buries: reader.take_u32()?,
            kicks: reader.take_u32()?,
            state: State::decode(reader)?,
        })
    }
}

pub(crate) fn put_optional_bytes(bytes: Option<&Bytes>, writer: &mut Writer) {
    writer.put_u8(u8::from(bytes.is_some()));
    if let Some(bytes) = bytes {
        writer.put_bytes(bytes);
    }
}

pub(crate) fn take_optional_bytes(reader: &mut Reader) -> Result<Option<Bytes>, Malformed> {
    if take_flag(reader)? { Ok(Some(reader.take_bytes()?)) } else { Ok(None) }
}

pub(crate) fn take_flag(reader: &mut Reader) -> Result<bool, Malformed> {
    match reader.take_u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("0 or 1 for a flag")),
    }
}

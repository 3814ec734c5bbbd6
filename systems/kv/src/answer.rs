//! What a command or a query comes to.
//!
//! ```text
//! kind u8 | body
//!   1 Put        revision u64 | version u64 | previous revision (0, or 1 and u64)
//!   2 Deleted    was there u8 | revision u64
//!   3 Mismatch   current revision (0, or 1 and u64)
//!   4 Found      item, with its key
//!   5 Missing
//!   6 Page       more u8 | count u32 | items
//!   7 Invalid    reason u8: 1 key empty, 2 key too long, 3 value too long, 4 malformed
//!   8 Failed     reason u8 (failure.rs)
//!   9 Done       revision u64 | replies
//!  10 Read       revision u64 | what was found
//!  11 Revision   u64
//!  12 Granted    lease i64 | seconds u64 | revision u64
//!  13 Left       seconds i64 | granted u64 | keys | revision u64
//!  14 Leases     revision u64 | leases
//!  15 Names      revision u64 | names
//!  16 Permitted  revision u64 | permissions
//!  17 Standing   revision u64 | authentication is on u8 | auth revision u64
//!  18 Alarms     revision u64 | alarms
//! item: key | value | created u64 | modified u64 | version u64 | lease i64
//! ```

use alloc::{string::String, vec::Vec};
use core::fmt;

use bytes::Bytes;
use kernel::{Malformed, Reader, Wire, Writer};

use crate::{
    KEY_BYTES_MAX, VALUE_BYTES_MAX,
    alarm::Alarm,
    auth::{Permission, put_names, take_names},
    failure::Failure,
    item::{Item, LeaseId},
    range::Found,
    reply::Replies,
};

/// What a command or a query comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The key was put.
    Put {
        /// The store's revision since then.
        revision: u64,
        /// How often the key has been put since it was created, this time included.
        version: u64,
        /// The revision that had changed the key before; nothing if it was not there.
        previous_revision: Option<u64>,
    },
    /// The key is not there, as asked.
    Deleted {
        /// True if it was there before; otherwise nothing has changed.
        was_there: bool,
        /// The store's revision since then.
        revision: u64,
    },
    /// The expectation was not met, and nothing has changed.
    Mismatch {
        /// The revision that last changed the key; nothing if it is not there.
        current: Option<u64>,
    },
    /// The key is there.
    Found(Item),
    /// The key is not there.
    Missing,
    /// A page of a list.
    Page {
        /// The items, by key, ascending.
        items: Vec<Item>,
        /// True if more follow: ask again after the last key.
        more: bool,
    },
    /// The command or the query breaks a rule, would always break it, and has changed nothing.
    Invalid(Invalid),
    /// A command or a read of etcd's kind has changed or given nothing.
    Failed(Failure),
    /// A transaction is done.
    Done {
        /// The store's revision since then.
        revision: u64,
        /// What its operations came to.
        replies: Replies,
    },
    /// A range was read.
    Read {
        /// The store's revision.
        revision: u64,
        /// What was found.
        found: Found,
    },
    /// What was asked is done: the store was compacted, a lease was revoked.
    Revision(u64),
    /// A lease is granted, or kept alive.
    Granted {
        /// The lease.
        lease: LeaseId,
        /// How long it lasts from now on, in seconds; 0 if there was none to keep alive.
        seconds: u64,
        /// The store's revision.
        revision: u64,
    },
    /// How long a lease has left.
    Left {
        /// The seconds that are left, -1 if there is no such lease.
        seconds: i64,
        /// How long it was granted for, in seconds.
        granted: u64,
        /// The keys that go with it, if they were wanted.
        keys: Vec<Bytes>,
        /// The store's revision.
        revision: u64,
    },
    /// All leases.
    Leases {
        /// The store's revision.
        revision: u64,
        /// Their numbers, ascending.
        leases: Vec<LeaseId>,
    },
    /// Names of users or roles.
    Names {
        /// The store's revision.
        revision: u64,
        /// The names, ascending.
        names: Vec<String>,
    },
    /// What a role may do.
    Permitted {
        /// The store's revision.
        revision: u64,
        /// In the order of their first keys.
        permissions: Vec<Permission>,
    },
    /// Whether authentication is on.
    Standing {
        /// The store's revision.
        revision: u64,
        /// True if it is.
        is_on: bool,
        /// How often users and roles have changed.
        auth_revision: u64,
    },
    /// Alarms: all there are, or those that the command was about.
    Alarms {
        /// The store's revision.
        revision: u64,
        /// The alarms.
        alarms: Vec<Alarm>,
    },
}

/// Which rule a command or a query breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// A key has one byte at least.
    KeyEmpty,
    /// The key is longer than [`KEY_BYTES_MAX`].
    KeyTooLong,
    /// The value is longer than [`VALUE_BYTES_MAX`].
    ValueTooLong,
    /// The bytes are no command or query.
    Malformed,
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyEmpty => formatter.write_str("the key is empty; a key has at least one byte"),
            Self::KeyTooLong => {
                write!(formatter, "the key is over the limit of {KEY_BYTES_MAX} bytes")
            }
            Self::ValueTooLong => {
                write!(formatter, "the value is over the limit of {VALUE_BYTES_MAX} bytes")
            }
            Self::Malformed => formatter.write_str("the request is malformed"),
        }
    }
}

impl core::error::Error for Invalid {}

impl Wire for Answer {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Put { revision, version, previous_revision } => {
                writer.put_u8(1);
                writer.put_u64(*revision);
                writer.put_u64(*version);
                put_revision(*previous_revision, writer);
            }
            Self::Deleted { was_there, revision } => {
                writer.put_u8(2);
                writer.put_u8(u8::from(*was_there));
                writer.put_u64(*revision);
            }
            Self::Mismatch { current } => {
                writer.put_u8(3);
                put_revision(*current, writer);
            }
            Self::Found(item) => {
                writer.put_u8(4);
                item.encode(writer);
            }
            Self::Missing => writer.put_u8(5),
            Self::Page { items, more } => {
                writer.put_u8(6);
                writer.put_u8(u8::from(*more));
                writer.put_list(items);
            }
            Self::Invalid(invalid) => {
                writer.put_u8(7);
                writer.put_u8(invalid.number());
            }
            other => other.encode_etcd(writer),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            1 => Ok(Self::Put {
                revision: reader.take_u64()?,
                version: reader.take_u64()?,
                previous_revision: take_revision(reader)?,
            }),
            2 => Ok(Self::Deleted { was_there: take_flag(reader)?, revision: reader.take_u64()? }),
            3 => Ok(Self::Mismatch { current: take_revision(reader)? }),
            4 => Ok(Self::Found(Item::decode(reader)?)),
            5 => Ok(Self::Missing),
            6 => {
                let more = take_flag(reader)?;
                Ok(Self::Page { items: reader.take_list()?, more })
            }
            7 => Ok(Self::Invalid(Invalid::from_number(reader.take_u8()?)?)),
            8 => Ok(Self::Failed(Failure::from_number(reader.take_u8()?)?)),
            9 => Ok(Self::Done { revision: reader.take_u64()?, replies: Replies::decode(reader)? }),
            10 => Ok(Self::Read { revision: reader.take_u64()?, found: Found::decode(reader)? }),
            11 => Ok(Self::Revision(reader.take_u64()?)),
            12 => Ok(Self::Granted {
                lease: LeaseId::decode(reader)?,
                seconds: reader.take_u64()?,
                revision: reader.take_u64()?,
            }),
            13 => Ok(Self::Left {
                seconds: reader.take_u64()?.cast_signed(),
                granted: reader.take_u64()?,
                keys: take_keys(reader)?,
                revision: reader.take_u64()?,
            }),
            14 => Ok(Self::Leases { revision: reader.take_u64()?, leases: reader.take_list()? }),
            15 => Ok(Self::Names { revision: reader.take_u64()?, names: take_names(reader)? }),
            16 => Ok(Self::Permitted {
                revision: reader.take_u64()?,
                permissions: reader.take_list()?,
            }),
            17 => Ok(Self::Standing {
                revision: reader.take_u64()?,
                is_on: take_flag(reader)?,
                auth_revision: reader.take_u64()?,
            }),
            18 => Ok(Self::Alarms { revision: reader.take_u64()?, alarms: reader.take_list()? }),
            _ => Err(Malformed("an answer of kind 1 to 18")),
        }
    }
}

impl Answer {
    /// The answers that only etcd's interface has.
    fn encode_etcd(&self, writer: &mut Writer) {
        match self {
            Self::Failed(failure) => {
                writer.put_u8(8);
                writer.put_u8(failure.number());
            }
            Self::Done { revision, replies } => {
                writer.put_u8(9);
                writer.put_u64(*revision);
                replies.encode(writer);
            }
            Self::Read { revision, found } => {
                writer.put_u8(10);
                writer.put_u64(*revision);
                found.encode(writer);
            }
            Self::Revision(revision) => {
                writer.put_u8(11);
                writer.put_u64(*revision);
            }
            Self::Granted { lease, seconds, revision } => {
                writer.put_u8(12);
                lease.encode(writer);
                writer.put_u64(*seconds);
                writer.put_u64(*revision);
            }
            Self::Left { seconds, granted, keys, revision } => {
                writer.put_u8(13);
                writer.put_u64(seconds.cast_unsigned());
                writer.put_u64(*granted);
                writer.put_count(keys.len());
                keys.iter().for_each(|key| writer.put_bytes(key));
                writer.put_u64(*revision);
            }
            Self::Leases { revision, leases } => {
                writer.put_u8(14);
                writer.put_u64(*revision);
                writer.put_list(leases);
            }
            Self::Names { revision, names } => {
                writer.put_u8(15);
                writer.put_u64(*revision);
                put_names(names, writer);
            }
            Self::Permitted { revision, permissions } => {
                writer.put_u8(16);
                writer.put_u64(*revision);
                writer.put_list(permissions);
            }
            Self::Standing { revision, is_on, auth_revision } => {
                writer.put_u8(17);
                writer.put_u64(*revision);
                writer.put_u8(u8::from(*is_on));
                writer.put_u64(*auth_revision);
            }
            Self::Alarms { revision, alarms } => {
                writer.put_u8(18);
                writer.put_u64(*revision);
                writer.put_list(alarms);
            }
            other => panic!("an answer of the course's interface: {other:?}"),
        }
    }
}

impl Invalid {
    const fn number(self) -> u8 {
        match self {
            Self::KeyEmpty => 1,
            Self::KeyTooLong => 2,
            Self::ValueTooLong => 3,
            Self::Malformed => 4,
        }
    }

    const fn from_number(number: u8) -> Result<Self, Malformed> {
        match number {
            1 => Ok(Self::KeyEmpty),
            2 => Ok(Self::KeyTooLong),
            3 => Ok(Self::ValueTooLong),
            4 => Ok(Self::Malformed),
            _ => Err(Malformed("a reason from 1 to 4")),
        }
    }
}

fn put_revision(revision: Option<u64>, writer: &mut Writer) {
    writer.put_u8(u8::from(revision.is_some()));
    if let Some(revision) = revision {
        writer.put_u64(revision);
    }
}

fn take_revision(reader: &mut Reader) -> Result<Option<u64>, Malformed> {
    if take_flag(reader)? { Ok(Some(reader.take_u64()?)) } else { Ok(None) }
}

fn take_keys(reader: &mut Reader) -> Result<Vec<Bytes>, Malformed> {
    (0..reader.take_u32()?).map(|_| reader.take_bytes()).collect()
}

pub(crate) fn take_flag(reader: &mut Reader) -> Result<bool, Malformed> {
    match reader.take_u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("0 or 1 for a flag")),
    }
}

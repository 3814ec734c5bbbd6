//! What goes through the log.
//!
//! ```text
//! kind u8 | body
//!   1 Put      key | value | expectation           bytes have their length in front, as u32
//!   2 Delete   key | expectation
//!   3 Do       transaction
//!   4 Compact  revision u64
//!   5 Grant    lease i64 | seconds u64
//!   6 Revoke   lease i64
//!   7 KeepAlive lease i64
//!   8 TimeLeft lease i64 | with its keys u8
//!   9 As       auth revision u64 | user | command, of another kind
//!  10 to 20    users and roles: auth/change.rs      21 and 22    alarms: alarm.rs
//! expectation: 0 any · 1 absent · 2 value, then the bytes · 3 revision, then u64
//! ```
//! Numbers are never used again and layouts never change: what is new gets a new number. A new kind of
//! expectation comes with new kinds of commands, so that a build that lacks it knows that it does.

use alloc::boxed::Box;
use core::ops::RangeInclusive;

use bytes::Bytes;
use kernel::{Malformed, Reader, Wire, Writer};

use crate::{
    KEY_BYTES_MAX, VALUE_BYTES_MAX,
    alarm::Alarm,
    answer::{Invalid, take_flag},
    auth::{
        Caller,
        change::{self, Change},
    },
    item::LeaseId,
    transaction::Transaction,
};

/// The kinds that this build knows.
const KINDS: RangeInclusive<u8> = 1..=22;

const AS: u8 = 9;

/// A change of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Sets a key to a value.
    Put {
        /// The key.
        key: Bytes,
        /// Its new value.
        value: Bytes,
        /// What must be true of the key for the command to take effect.
        expect: Expect,
    },
    /// Removes a key.
    Delete {
        /// The key.
        key: Bytes,
        /// What must be true of the key for the command to take effect.
        expect: Expect,
    },
    /// Does what a transaction says.
    Do(Transaction),
    /// Gives up what was there before a revision.
    Compact {
        /// The first revision that can still be read.
        revision: u64,
    },
    /// Grants a lease.
    Grant {
        /// Its number, which its owner or a front has drawn.
        lease: LeaseId,
        /// How long it lasts, in seconds.
        seconds: u64,
    },
    /// Ends a lease, and deletes the keys that go with it.
    Revoke {
        /// The lease.
        lease: LeaseId,
    },
    /// Lets a lease begin again.
    KeepAlive {
        /// The lease.
        lease: LeaseId,
    },
    /// Asks how long a lease has left. It goes through the log because only the log knows the time.
    TimeLeft {
        /// The lease.
        lease: LeaseId,
        /// The keys that go with it are wanted.
        with_keys: bool,
    },
    /// Does something on behalf of a user.
    As {
        /// Who.
        caller: Caller,
        /// What; not on behalf of yet another one.
        command: Box<Self>,
    },
    /// Changes who may do what.
    Auth(Change),
    /// Raises an alarm.
    Raise(Alarm),
    /// Ends an alarm.
    Disarm(Alarm),
}

/// What must be true of a key for a command to take effect: compare-and-set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    #[default]
    Any,
    /// It is not there.
    Absent,
    /// It has this value.
    Value(Bytes),
    /// It was last changed at this revision; 0 means, as in etcd, that it is not there.
    Revision(u64),
}

impl Command {
    /// Holds the command against the limits of the course's interface. A front asks before it proposes
    /// the command, the state machine asks again.
    ///
    /// # Errors
    /// Which limit it breaks.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Put { key, value, .. } => {
                check_key(key)?;
                if value.len() > VALUE_BYTES_MAX { Err(Invalid::ValueTooLong) } else { Ok(()) }
            }
            Self::Delete { key, .. } => check_key(key),
            Self::As { command, .. } if matches!(**command, Self::As { .. }) => {
                Err(Invalid::Malformed)
            }
            Self::As { command, .. } => command.check(),
            _ => Ok(()),
        }
    }

    /// On behalf of this caller, if there is one.
    #[must_use]
    pub fn by(self, caller: Option<Caller>) -> Self {
        match caller {
            Some(caller) => Self::As { caller, command: Box::new(self) },
            None => self,
        }
    }

    /// On whose behalf it is, and what it is.
    pub(crate) fn parts(&self) -> (Option<&Caller>, &Self) {
        match self {
            Self::As { caller, command } => (Some(caller), command),
            command => (None, command),
        }
    }

    /// The kind of the command with these bytes, if this build does not know it.
    pub(crate) fn unknown_kind(data: &Bytes) -> Option<u8> {
        let mut reader = Reader::new(data.clone());
        let mut kind = reader.take_u8().ok()?;
        if kind == AS {
            Caller::decode(&mut reader).ok()?;
            kind = reader.take_u8().ok()?;
        }
        (!KINDS.contains(&kind)).then_some(kind)
    }

    fn decode_kind(kind: u8, reader: &mut Reader) -> Result<Self, Malformed> {
        match kind {
            1 => Ok(Self::Put {
                key: reader.take_bytes()?,
                value: reader.take_bytes()?,
                expect: Expect::decode(reader)?,
            }),
            2 => Ok(Self::Delete { key: reader.take_bytes()?, expect: Expect::decode(reader)? }),
            3 => Ok(Self::Do(Transaction::decode(reader)?)),
            4 => Ok(Self::Compact { revision: reader.take_u64()? }),
            5 => Ok(Self::Grant { lease: LeaseId::decode(reader)?, seconds: reader.take_u64()? }),
            6 => Ok(Self::Revoke { lease: LeaseId::decode(reader)? }),
            7 => Ok(Self::KeepAlive { lease: LeaseId::decode(reader)? }),
            8 => Ok(Self::TimeLeft {
                lease: LeaseId::decode(reader)?,
                with_keys: take_flag(reader)?,
            }),
            21 => Ok(Self::Raise(Alarm::decode(reader)?)),
            22 => Ok(Self::Disarm(Alarm::decode(reader)?)),
            kind if change::KINDS.contains(&kind) => Ok(Self::Auth(Change::decode(kind, reader)?)),
            _ => Err(Malformed("a command of kind 1 to 22, of which 9 stands only in front")),
        }
    }
}

/// Holds a key against the limits.
pub(crate) const fn check_key(key: &Bytes) -> Result<(), Invalid> {
    if key.is_empty() {
        return Err(Invalid::KeyEmpty);
    }
    if key.len() > KEY_BYTES_MAX {
        return Err(Invalid::KeyTooLong);
    }
    Ok(())
}

impl Wire for Command {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Put { key, value, expect } => {
                writer.put_u8(1);
                writer.put_bytes(key);
                writer.put_bytes(value);
                expect.encode(writer);
            }
            Self::Delete { key, expect } => {
                writer.put_u8(2);
                writer.put_bytes(key);
                expect.encode(writer);
            }
            Self::Do(transaction) => {
                writer.put_u8(3);
                transaction.encode(writer);
            }
            Self::Compact { revision } => {
                writer.put_u8(4);
                writer.put_u64(*revision);
            }
            Self::Grant { lease, seconds } => {
                writer.put_u8(5);
                lease.encode(writer);
                writer.put_u64(*seconds);
            }
            Self::Revoke { lease } => {
                writer.put_u8(6);
                lease.encode(writer);
            }
            Self::KeepAlive { lease } => {
                writer.put_u8(7);
                lease.encode(writer);
            }
            Self::TimeLeft { lease, with_keys } => {
                writer.put_u8(8);
                lease.encode(writer);
                writer.put_u8(u8::from(*with_keys));
            }
            Self::As { caller, command } => {
                writer.put_u8(AS);
                caller.encode(writer);
                command.encode(writer);
            }
            Self::Auth(change) => change.encode(writer),
            Self::Raise(alarm) => {
                writer.put_u8(21);
                alarm.encode(writer);
            }
            Self::Disarm(alarm) => {
                writer.put_u8(22);
                alarm.encode(writer);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            AS => {
                let caller = Caller::decode(reader)?;
                let kind = reader.take_u8()?;
                Ok(Self::As { caller, command: Box::new(Self::decode_kind(kind, reader)?) })
            }
            kind => Self::decode_kind(kind, reader),
        }
    }
}

impl Wire for Expect {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Any => writer.put_u8(0),
            Self::Absent => writer.put_u8(1),
            Self::Value(value) => {
                writer.put_u8(2);
                writer.put_bytes(value);
            }
            Self::Revision(revision) => {
                writer.put_u8(3);
                writer.put_u64(*revision);
            }
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            0 => Ok(Self::Any),
            1 => Ok(Self::Absent),
            2 => Ok(Self::Value(reader.take_bytes()?)),
            3 => Ok(Self::Revision(reader.take_u64()?)),
            _ => Err(Malformed("an expectation of kind 0 to 3")),
        }
    }
}

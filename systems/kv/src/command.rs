//! What goes through the log.
//!
//! ```text
//! kind u8 | body
//!   1 Put      key | value | expectation           bytes have their length in front, as u32
//!   2 Delete   key | expectation
//! expectation: 0 any · 1 absent · 2 value, then the bytes · 3 revision, then u64
//! ```
//! Numbers are never used again and layouts never change: what is new gets a new number. A new kind of
//! expectation comes with new kinds of commands, so that a build that lacks it knows that it does.

use bytes::Bytes;
use kernel::{Malformed, Reader, Wire, Writer};

use crate::{KEY_BYTES_MAX, VALUE_BYTES_MAX, answer::Invalid};

/// A change of one key.
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
    /// The key that the command is about.
    #[must_use]
    pub const fn key(&self) -> &Bytes {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } => key,
        }
    }

    /// What must be true of the key.
    #[must_use]
    pub const fn expect(&self) -> &Expect {
        match self {
            Self::Put { expect, .. } | Self::Delete { expect, .. } => expect,
        }
    }

    /// Holds the command against the limits. A front asks before it proposes the command, the state
    /// machine asks again.
    ///
    /// # Errors
    /// Which limit it breaks.
    pub fn check(&self) -> Result<(), Invalid> {
        check_key(self.key())?;
        match self {
            Self::Put { value, .. } if value.len() > VALUE_BYTES_MAX => Err(Invalid::ValueTooLong),
            _ => Ok(()),
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
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            1 => Ok(Self::Put {
                key: reader.take_bytes()?,
                value: reader.take_bytes()?,
                expect: Expect::decode(reader)?,
            }),
            2 => Ok(Self::Delete { key: reader.take_bytes()?, expect: Expect::decode(reader)? }),
            _ => Err(Malformed("a command of kind 1 or 2")),
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

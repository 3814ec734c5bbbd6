//! Who may do what: users, their roles, and what a role may do with which keys; as etcd defines it.
//!
//! ```text
//! Caller ─▶ gate ─▶ needs    what a command or a query needs its caller to be allowed
//!             └───▶ grants   what the roles of the caller allow
//! Change ─▶ state_machine/auth.rs ─▶ the tables of users and roles
//! ```
//! While authentication is off nobody is asked who they are. While it is on, a command that names no
//! caller is refused, but for what the members themselves do. A command is judged when it is applied, a
//! query at the moment of the tables that it reads. Each change of users and roles has an auth revision
//! of its own, and a command that was checked at an earlier one is refused: whoever sent it must say
//! again who they are. Whoever has the role `root` may do everything.
//!
//! Passwords come as hashes, and the key that makes the front's tokens comes drawn: what is costly or
//! secret happens before the log.

pub(crate) mod change;
pub(crate) mod failure;
pub(crate) mod gate;
mod grants;
mod needs;

pub use change::Change;
pub use failure::AuthFailure;

use alloc::{string::String, vec::Vec};

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, Reading, Wire, Writer};

use crate::{
    answer::take_flag,
    keys::Keys,
    store::{self, guards, users},
};

/// The user and the role that may do everything.
pub const ROOT: &str = "root";

/// On whose behalf something is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The auth revision at which the front made sure of that.
    pub auth_revision: u64,
    /// The user's name.
    pub user: String,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// True if no password makes somebody this user.
    pub no_password: bool,
    /// The hash of the password.
    pub password: Bytes,
    /// The names of the user's roles, ascending.
    pub roles: Vec<String>,
}

/// What a role may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// With which keys.
    pub keys: Keys,
    /// What.
    pub access: Access,
}

/// What may be done with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Both.
    ReadWrite,
}

/// What a front must know to tell who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// True if it must be told.
    pub is_on: bool,
    /// The auth revision.
    pub revision: u64,
    /// The key that makes tokens; empty if authentication has never been on.
    pub key: Bytes,
}

impl Access {
    const fn reads(self) -> bool {
        matches!(self, Self::Read | Self::ReadWrite)
    }

    const fn writes(self) -> bool {
        matches!(self, Self::Write | Self::ReadWrite)
    }
}

impl User {
    pub(crate) fn is_root(&self) -> bool {
        self.roles.iter().any(|role| role == ROOT)
    }
}

/// What a front must know to tell who asks.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read.
pub fn standing(reading: &Reading) -> Result<Standing, Fault> {
    Ok(Standing {
        is_on: guards::standing(reading)?.has(guards::AUTH),
        revision: store::auth_revision(reading)?,
        key: store::token_key(reading)?,
    })
}

/// The user of that name.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read.
pub fn user(reading: &Reading, name: &str) -> Result<Option<User>, Fault> {
    users::user(reading, name)
}

impl Wire for Caller {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.auth_revision);
        writer.put_bytes(self.user.as_bytes());
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { auth_revision: reader.take_u64()?, user: reader.take_string()? })
    }
}

impl Wire for User {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u8(u8::from(self.no_password));
        writer.put_bytes(&self.password);
        put_names(&self.roles, writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let (no_password, password) = (take_flag(reader)?, reader.take_bytes()?);
        Ok(Self { no_password, password, roles: take_names(reader)? })
    }
}

impl Wire for Permission {
    fn encode(&self, writer: &mut Writer) {
        self.keys.encode(writer);
        writer.put_u8(match self.access {
            Access::Read => 1,
            Access::Write => 2,
            Access::ReadWrite => 3,
        });
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let keys = Keys::decode(reader)?;
        let access = match reader.take_u8()? {
            1 => Access::Read,
            2 => Access::Write,
            3 => Access::ReadWrite,
            _ => return Err(Malformed("an access from 1 to 3")),
        };
        Ok(Self { keys, access })
    }
}

/// A list of names.
pub(crate) fn put_names(names: &[String], writer: &mut Writer) {
    writer.put_count(names.len());
    names.iter().for_each(|name| writer.put_bytes(name.as_bytes()));
}

pub(crate) fn take_names(reader: &mut Reader) -> Result<Vec<String>, Malformed> {
    (0..reader.take_u32()?).map(|_| reader.take_string()).collect()
}

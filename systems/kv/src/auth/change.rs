//! [`Change`]: what changes who may do what. Each kind is a kind of command.
//!
//! ```text
//! kind u8 | body
//!  10 Enable       key that makes tokens
//!  11 Disable
//!  12 AddUser      name | user: no password u8, hash, roles
//!  13 DeleteUser   name
//!  14 SetPassword  name | hash
//!  15 GrantRole    user | role
//!  16 RevokeRole   user | role
//!  17 AddRole      name
//!  18 DeleteRole   name
//!  19 Permit       role | keys | access u8: 1 read, 2 write, 3 both
//!  20 Forbid       role | keys
//! ```

use alloc::string::String;
use core::ops::RangeInclusive;

use bytes::Bytes;
use kernel::{Malformed, Reader, Wire, Writer};

use super::{Permission, User};
use crate::keys::Keys;

/// The kinds of command that are changes.
pub(crate) const KINDS: RangeInclusive<u8> = 10..=20;

/// What changes who may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Turns authentication on.
    Enable {
        /// What a front has drawn to make tokens with, for all members.
        key: Bytes,
    },
    /// Turns it off.
    Disable,
    /// Adds a user.
    AddUser {
        /// The name.
        name: String,
        /// The password, or that there is none; roles are granted later.
        user: User,
    },
    /// Deletes a user.
    DeleteUser {
        /// The name.
        name: String,
    },
    /// Gives a user another password.
    SetPassword {
        /// The user.
        name: String,
        /// The password's hash.
        password: Bytes,
    },
    /// Gives a user a role.
    GrantRole {
        /// The user.
        user: String,
        /// The role.
        role: String,
    },
    /// Takes a role from a user.
    RevokeRole {
        /// The user.
        user: String,
        /// The role.
        role: String,
    },
    /// Adds a role.
    AddRole {
        /// The name.
        name: String,
    },
    /// Deletes a role, and takes it from its users.
    DeleteRole {
        /// The name.
        name: String,
    },
    /// Lets a role do something with keys; with just these keys it may do nothing else from now on.
    Permit {
        /// The role.
        role: String,
        /// What it may do.
        permission: Permission,
    },
    /// Takes back what was permitted with just these keys.
    Forbid {
        /// The role.
        role: String,
        /// The keys.
        keys: Keys,
    },
}

impl Change {
    const fn kind(&self) -> u8 {
        match self {
            Self::Enable { .. } => 10,
            Self::Disable => 11,
            Self::AddUser { .. } => 12,
            Self::DeleteUser { .. } => 13,
            Self::SetPassword { .. } => 14,
            Self::GrantRole { .. } => 15,
            Self::RevokeRole { .. } => 16,
            Self::AddRole { .. } => 17,
            Self::DeleteRole { .. } => 18,
            Self::Permit { .. } => 19,
            Self::Forbid { .. } => 20,
        }
    }

    pub(crate) fn encode(&self, writer: &mut Writer) {
        writer.put_u8(self.kind());
        match self {
            Self::Enable { key } => writer.put_bytes(key),
            Self::Disable => {}
            Self::AddUser { name, user } => {
                writer.put_bytes(name.as_bytes());
                user.encode(writer);
            }
            Self::SetPassword { name, password } => {
                writer.put_bytes(name.as_bytes());
                writer.put_bytes(password);
            }
            Self::GrantRole { user, role } | Self::RevokeRole { user, role } => {
                writer.put_bytes(user.as_bytes());
                writer.put_bytes(role.as_bytes());
            }
            Self::DeleteUser { name } | Self::AddRole { name } | Self::DeleteRole { name } => {
                writer.put_bytes(name.as_bytes());
            }
            Self::Permit { role, permission } => {
                writer.put_bytes(role.as_bytes());
                permission.encode(writer);
            }
            Self::Forbid { role, keys } => {
                writer.put_bytes(role.as_bytes());
                keys.encode(writer);
            }
        }
    }

    /// Reads the body of this kind.
    pub(crate) fn decode(kind: u8, reader: &mut Reader) -> Result<Self, Malformed> {
        if kind == 10 {
            return Ok(Self::Enable { key: reader.take_bytes()? });
        }
        if kind == 11 {
            return Ok(Self::Disable);
        }
        let name = reader.take_string()?;
        Ok(match kind {
            12 => Self::AddUser { name, user: User::decode(reader)? },
            13 => Self::DeleteUser { name },
            14 => Self::SetPassword { name, password: reader.take_bytes()? },
            15 => Self::GrantRole { user: name, role: reader.take_string()? },
            16 => Self::RevokeRole { user: name, role: reader.take_string()? },
            17 => Self::AddRole { name },
            18 => Self::DeleteRole { name },
            19 => Self::Permit { role: name, permission: Permission::decode(reader)? },
            20 => Self::Forbid { role: name, keys: Keys::decode(reader)? },
            _ => return Err(Malformed("a change of kind 10 to 20")),
        })
    }
}

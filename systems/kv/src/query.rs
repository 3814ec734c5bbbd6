//! Reads that skip the log: from one moment of the tables, on any thread.
//!
//! ```text
//! kind u8 | body
//!   1 Get    key
//!   2 List   prefix | after (0, or 1 and the key) | limit u32
//!   3 Range  range
//!   4 Look   transaction
//!   5 Leases
//!   6 As           auth revision u64 | user | query, of another kind
//!   7 Watch        keys
//!   8 Admin
//!   9 Users       10 Roles
//!  11 RolesOf      user
//!  12 Permissions  role
//!  13 Standing    14 Alarms
//! ```

use alloc::{boxed::Box, string::String, vec::Vec};

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, Reading, Wire, Writer, tables::successor};

use crate::{
    PAGE_BYTES_MAX, PAGE_ITEMS_MAX,
    answer::{Answer, Invalid},
    auth::{Caller, failure::AuthFailure, gate},
    command::check_key,
    failure::Failure,
    item::Item,
    keys::Keys,
    range::{self, Range},
    state_machine::look,
    store::{
        self, ITEMS, alarms, guards, items, leases,
        users::{self, ROLES, USERS},
    },
    transaction::Transaction,
};

/// How many rows are read at once, so that a page of long values does not take much memory.
const ROWS_READ_MAX: usize = 32;

const AS: u8 = 6;

/// A read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The value of a key: [`Answer::Found`] or [`Answer::Missing`].
    Get {
        /// The key.
        key: Bytes,
    },
    /// The items whose keys begin with a prefix, by key, ascending: [`Answer::Page`].
    List {
        /// What the keys begin with; empty for all.
        prefix: Bytes,
        /// Only keys above this one: the last key of the page before.
        after: Option<Bytes>,
        /// How many items at most; [`PAGE_ITEMS_MAX`] if it is 0 or larger than that.
        limit: u32,
    },
    /// As etcd's `Range`: [`Answer::Read`] or [`Answer::Failed`].
    Range(Range),
    /// A transaction that writes nothing: [`Answer::Done`] or [`Answer::Failed`].
    Look(Transaction),
    /// All leases: [`Answer::Leases`].
    Leases,
    /// Asks on behalf of a user.
    As {
        /// Who.
        caller: Caller,
        /// What; not on behalf of yet another one.
        query: Box<Self>,
    },
    /// Whether these keys may be watched: [`Answer::Revision`].
    Watch(Keys),
    /// Whether the caller may do what only root may: [`Answer::Revision`].
    Admin,
    /// All users: [`Answer::Names`].
    Users,
    /// All roles: [`Answer::Names`].
    Roles,
    /// The roles of a user: [`Answer::Names`].
    RolesOf {
        /// The user.
        user: String,
    },
    /// What a role may do: [`Answer::Permitted`].
    Permissions {
        /// The role.
        role: String,
    },
    /// Whether authentication is on: [`Answer::Standing`].
    Standing,
    /// All alarms: [`Answer::Alarms`].
    Alarms,
}

impl Query {
    /// Answers the query from one moment of the tables.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn answer(&self, reading: &Reading) -> Result<Answer, Fault> {
        let (caller, query) = match self {
            Self::As { caller, query } => (Some(caller), &**query),
            query => (None, query),
        };
        match gate::refuse_query(reading, caller, query)? {
            Some(failure) => Ok(Answer::Failed(failure)),
            None => query.answer_allowed(reading),
        }
    }

    /// On behalf of this caller, if there is one.
    #[must_use]
    pub fn by(self, caller: Option<Caller>) -> Self {
        match caller {
            Some(caller) => Self::As { caller, query: Box::new(self) },
            None => self,
        }
    }

    fn answer_allowed(&self, reading: &Reading) -> Result<Answer, Fault> {
        let revision = || store::revision(reading);
        match self {
            Self::Get { key } => get(reading, key),
            Self::List { prefix, after, limit } => {
                list(reading, prefix, after.as_ref(), page_limit(*limit))
            }
            Self::Range(range) => read(reading, range),
            Self::Look(transaction) if transaction.writes() => {
                Ok(Answer::Invalid(Invalid::Malformed))
            }
            Self::Look(transaction) => look(reading, transaction),
            Self::Leases => {
                Ok(Answer::Leases { revision: revision()?, leases: leases::all(reading)? })
            }
            Self::As { .. } => Ok(Answer::Invalid(Invalid::Malformed)),
            Self::Watch(_) | Self::Admin => Ok(Answer::Revision(revision()?)),
            Self::Users => {
                Ok(Answer::Names { revision: revision()?, names: users::names(reading, USERS)? })
            }
            Self::Roles => {
                Ok(Answer::Names { revision: revision()?, names: users::names(reading, ROLES)? })
            }
            Self::RolesOf { user } => Ok(match users::user(reading, user)? {
                Some(user) => Answer::Names { revision: revision()?, names: user.roles },
                None => Answer::Failed(Failure::Auth(AuthFailure::UserNotFound)),
            }),
            Self::Permissions { role } => Ok(match users::role(reading, role)? {
                Some(permissions) => Answer::Permitted { revision: revision()?, permissions },
                None => Answer::Failed(Failure::Auth(AuthFailure::RoleNotFound)),
            }),
            Self::Standing => Ok(Answer::Standing {
                revision: revision()?,
                is_on: guards::standing(reading)?.has(guards::AUTH),
                auth_revision: store::auth_revision(reading)?,
            }),
            Self::Alarms => {
                Ok(Answer::Alarms { revision: revision()?, alarms: alarms::all(reading)? })
            }
        }
    }

    fn decode_kind(kind: u8, reader: &mut Reader) -> Result<Self, Malformed> {
        match kind {
            1 => Ok(Self::Get { key: reader.take_bytes()? }),
            2 => {
                let prefix = reader.take_bytes()?;
                let after = match reader.take_u8()? {
                    0 => None,
                    1 => Some(reader.take_bytes()?),
                    _ => return Err(Malformed("0 or 1 before an optional key")),
                };
                Ok(Self::List { prefix, after, limit: reader.take_u32()? })
            }
            3 => Ok(Self::Range(Range::decode(reader)?)),
            4 => Ok(Self::Look(Transaction::decode(reader)?)),
            5 => Ok(Self::Leases),
            7 => Ok(Self::Watch(Keys::decode(reader)?)),
            8 => Ok(Self::Admin),
            9 => Ok(Self::Users),
            10 => Ok(Self::Roles),
            11 => Ok(Self::RolesOf { user: reader.take_string()? }),
            12 => Ok(Self::Permissions { role: reader.take_string()? }),
            13 => Ok(Self::Standing),
            14 => Ok(Self::Alarms),
            _ => Err(Malformed("a query of kind 1 to 14, of which 6 stands only in front")),
        }
    }
}

/// How many items a page holds at most if `limit` was asked for.
pub(crate) fn page_limit(limit: u32) -> usize {
    let limit = if limit == 0 { PAGE_ITEMS_MAX } else { limit.min(PAGE_ITEMS_MAX) };
    usize::try_from(limit).expect("a page's limit is small")
}

fn get(reading: &Reading, key: &Bytes) -> Result<Answer, Fault> {
    if let Err(invalid) = check_key(key) {
        return Ok(Answer::Invalid(invalid));
    }
    Ok(match items::head(reading, key)? {
        Some(head) => Answer::Found(head.item(key.clone(), head.value(reading)?)),
        None => Answer::Missing,
    })
}

fn read(reading: &Reading, range: &Range) -> Result<Answer, Fault> {
    if range.keys.first().is_empty() {
        return Ok(Answer::Failed(Failure::KeyEmpty));
    }
    if let Some(failure) = range::check_revision(reading, range)? {
        return Ok(Answer::Failed(failure));
    }
    let found = range::read(reading, range)?;
    Ok(Answer::Read { revision: store::revision(reading)?, found })
}

fn list(
    reading: &Reading,
    prefix: &Bytes,
    after: Option<&Bytes>,
    limit: usize,
) -> Result<Answer, Fault> {
    let mut from =
        after.map_or_else(|| prefix.clone(), |after| successor(after).max(prefix.clone()));
    let end = Keys::with_prefix(prefix.clone()).end();
    let mut items: Vec<Item> = Vec::new();
    let mut bytes = 0;
    loop {
        // One more than asked for tells whether more follow.
        let wanted = (limit + 1 - items.len()).min(ROWS_READ_MAX);
        let rows = reading.scan(ITEMS, &from, end.as_deref(), wanted)?;
        let is_last = rows.len() < wanted;
        for (key, row) in rows {
            let head = items::decode(row)?;
            let item = head.item(key, head.value(reading)?);
            bytes += item.key.len() + item.value.len();
            if items.len() == limit || (bytes > PAGE_BYTES_MAX && !items.is_empty()) {
                return Ok(Answer::Page { items, more: true });
            }
            items.push(item);
        }
        if is_last {
            return Ok(Answer::Page { items, more: false });
        }
        from = items.last().map_or(from, |item| successor(&item.key));
    }
}

impl Wire for Query {
    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Get { key } => {
                writer.put_u8(1);
                writer.put_bytes(key);
            }
            Self::List { prefix, after, limit } => {
                writer.put_u8(2);
                writer.put_bytes(prefix);
                writer.put_u8(u8::from(after.is_some()));
                if let Some(after) = after {
                    writer.put_bytes(after);
                }
                writer.put_u32(*limit);
            }
            Self::Range(range) => {
                writer.put_u8(3);
                range.encode(writer);
            }
            Self::Look(transaction) => {
                writer.put_u8(4);
                transaction.encode(writer);
            }
            Self::Leases => writer.put_u8(5),
            Self::As { caller, query } => {
                writer.put_u8(AS);
                caller.encode(writer);
                query.encode(writer);
            }
            Self::Watch(keys) => {
                writer.put_u8(7);
                keys.encode(writer);
            }
            Self::Admin => writer.put_u8(8),
            Self::Users => writer.put_u8(9),
            Self::Roles => writer.put_u8(10),
            Self::RolesOf { user } => {
                writer.put_u8(11);
                writer.put_bytes(user.as_bytes());
            }
            Self::Permissions { role } => {
                writer.put_u8(12);
                writer.put_bytes(role.as_bytes());
            }
            Self::Standing => writer.put_u8(13),
            Self::Alarms => writer.put_u8(14),
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
            AS => {
                let caller = Caller::decode(reader)?;
                let kind = reader.take_u8()?;
                Ok(Self::As { caller, query: Box::new(Self::decode_kind(kind, reader)?) })
            }
            kind => Self::decode_kind(kind, reader),
        }
    }
}

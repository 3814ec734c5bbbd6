//! Reads that skip the log: from one moment of the tables, on any thread.
//!
//! ```text
//! kind u8 | body
//!   1 Get    key
//!   2 List   prefix | after (0, or 1 and the key) | limit u32
//!   3 Range  range
//!   4 Look   transaction
//!   5 Leases
//! ```

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, Reading, Wire, Writer};

use crate::{
    PAGE_BYTES_MAX, PAGE_ITEMS_MAX,
    answer::{Answer, Invalid},
    command::check_key,
    failure::Failure,
    item::Item,
    keys::{Keys, successor},
    range::{self, Range},
    state_machine::look,
    store::{self, ITEMS, items, leases},
    transaction::Transaction,
};

/// How many rows are read at once, so that a page of long values does not take much memory.
const ROWS_READ_MAX: usize = 32;

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
}

impl Query {
    /// Answers the query from one moment of the tables.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn answer(&self, reading: &Reading) -> Result<Answer, Fault> {
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
            Self::Leases => leases(reading),
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
    Ok(match items::present(reading, key)? {
        Some((head, value)) => Answer::Found(head.item(key.clone(), value)),
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

fn leases(reading: &Reading) -> Result<Answer, Fault> {
    Ok(Answer::Leases { revision: store::revision(reading)?, leases: leases::all(reading)? })
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
            let (head, value) = items::decode(row)?;
            let item = head.item(key, value);
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
        }
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        match reader.take_u8()? {
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
            _ => Err(Malformed("a query of kind 1 to 5")),
        }
    }
}

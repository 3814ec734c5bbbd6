//! Reads that skip the log: from one moment of the tables, on any thread.
//!
//! ```text
//! kind u8 | body
//!   1 Get    key
//!   2 List   prefix | after (0, or 1 and the key) | limit u32
//! ```

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, Reading, Wire, Writer};

use crate::{
    PAGE_BYTES_MAX, PAGE_ITEMS_MAX,
    answer::{Answer, Item},
    command::check_key,
    item::{self, ITEMS},
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
    match reading.get(ITEMS, key)? {
        Some(row) => Ok(Answer::Found(item::item(key.clone(), row)?)),
        None => Ok(Answer::Missing),
    }
}

fn list(
    reading: &Reading,
    prefix: &Bytes,
    after: Option<&Bytes>,
    limit: usize,
) -> Result<Answer, Fault> {
    let mut from =
        after.map_or_else(|| prefix.clone(), |after| successor(after).max(prefix.clone()));
    let end = prefix_end(prefix);
    let mut items: Vec<Item> = Vec::new();
    let mut bytes = 0;
    loop {
        // One more than asked for tells whether more follow.
        let wanted = (limit + 1 - items.len()).min(ROWS_READ_MAX);
        let rows = reading.scan(ITEMS, &from, end.as_deref(), wanted)?;
        let is_last = rows.len() < wanted;
        for (key, row) in rows {
            let item = item::item(key, row)?;
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

/// The least key above `key`.
fn successor(key: &[u8]) -> Bytes {
    let mut next = Vec::with_capacity(key.len() + 1);
    next.extend_from_slice(key);
    next.push(0);
    Bytes::from(next)
}

/// The least key above all that begin with `prefix`; nothing if there is none.
fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let place = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=place].to_vec();
    end[place] += 1;
    Some(end)
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
            _ => Err(Malformed("a query of kind 1 or 2")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::prefix_end;

    #[test]
    fn a_prefix_ends_before_the_next_larger_one() {
        assert_eq!(prefix_end(b"ab").as_deref(), Some(&b"ac"[..]));
        assert_eq!(prefix_end(b"a\xff").as_deref(), Some(&b"b"[..]));
        assert_eq!(prefix_end(b"\xff\xff"), None);
        assert_eq!(prefix_end(b""), None);
    }
}

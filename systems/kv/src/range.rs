//! [`Range`]: reads of keys, at the latest revision or an earlier one, as etcd's `Range` defines them.
//!
//! ```text
//! keys | limit u32 | revision u64 | order u8 | sorted by u8 | flags u8: 1 keys only, 2 count only
//! least and greatest modified u64 u64 | least and greatest created u64 u64        0 is no bound
//! ```

use alloc::{collections::BTreeMap, vec::Vec};
use core::cmp::Ordering;

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, Wire, Writer};

use crate::{
    failure::Failure,
    item::Item,
    keys::Keys,
    store::{self, Head, ITEMS, View, items},
};

const KEYS_ONLY: u8 = 1;
const COUNT_ONLY: u8 = 2;

/// Which items are wanted, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// Their keys.
    pub keys: Keys,
    /// How many at most; 0 is all.
    pub limit: u32,
    /// As of which revision; 0 is the latest.
    pub revision: u64,
    /// In which order.
    pub order: Order,
    /// By what they are ordered.
    pub sort_by: SortBy,
    /// The values are left out.
    pub keys_only: bool,
    /// Only their number is wanted.
    pub count_only: bool,
    /// When the items were last changed.
    pub modified: Bounds,
    /// When the items were created.
    pub created: Bounds,
}

impl Range {
    /// True if it is about one key.
    #[must_use]
    pub const fn is_of_one(&self) -> bool {
        matches!(self.keys, Keys::One(_))
    }

    /// All of these keys as they are now, in the order of the keys.
    #[must_use]
    pub const fn of(keys: Keys) -> Self {
        Self {
            keys,
            limit: 0,
            revision: 0,
            order: Order::Any,
            sort_by: SortBy::Key,
            keys_only: false,
            count_only: false,
            modified: Bounds { least: 0, greatest: 0 },
            created: Bounds { least: 0, greatest: 0 },
        }
    }
}

/// An order of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// None asked for.
    #[default]
    Any,
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

/// What an order goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// The key.
    #[default]
    Key,
    /// The version.
    Version,
    /// The revision that created the item.
    Created,
    /// The revision that last changed the item.
    Modified,
    /// The value.
    Value,
}

/// Revisions from the least to the greatest, both included; 0 is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub least: u64,
    /// The greatest.
    pub greatest: u64,
}

impl Bounds {
    const fn contains(self, revision: u64) -> bool {
        revision >= self.least && (self.greatest == 0 || revision <= self.greatest)
    }

    const fn is_none(self) -> bool {
        self.least == 0 && self.greatest == 0
    }
}

/// What a read found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The items.
    pub items: Vec<Item>,
    /// How many keys of the range were there, whatever the limit.
    pub count: u64,
    /// True if the limit has left some out.
    pub more: bool,
}

/// Holds the revision that is asked for against those that can be read.
pub(crate) fn check_revision(view: &impl View, range: &Range) -> Result<Option<Failure>, Fault> {
    if range.revision == 0 {
        return Ok(None);
    }
    if range.revision > store::revision(view)? {
        return Ok(Some(Failure::FutureRevision));
    }
    let is_gone = store::compacted(view)?.is_some_and(|compacted| range.revision < compacted);
    Ok(is_gone.then_some(Failure::Compacted))
}

/// Reads; the revision must be one that can be read.
pub(crate) fn read(view: &impl View, range: &Range) -> Result<Found, Fault> {
    let mut shelf = Shelf { limit: fetch_limit(range), heads: Vec::new(), count: 0 };
    if range.revision == 0 || range.revision == store::revision(view)? {
        each_head(view, &range.keys, |key, head| shelf.take(key, head))?;
    } else {
        read_past(view, &range.keys, range.revision, &mut shelf)?;
    }
    let Shelf { mut heads, count, .. } = shelf;
    if range.count_only {
        return Ok(Found { count, ..Found::default() });
    }
    heads.retain(|(_, head)| {
        range.modified.contains(head.modified) && range.created.contains(head.created)
    });
    sort(view, &mut heads, range)?;
    let limit = usize::try_from(range.limit).expect("a limit fits the memory");
    let more = limit > 0 && heads.len() > limit;
    if more {
        heads.truncate(limit);
    }
    let with_value = |(key, head): (Bytes, Head)| {
        let value = if range.keys_only { Bytes::new() } else { head.value(view)? };
        Ok(head.item(key, value))
    };
    let items = heads.into_iter().map(with_value).collect::<Result<_, Fault>>()?;
    Ok(Found { items, count, more })
}

/// How many items must be at hand. As in etcd, an order that was asked for and bounds need all of them,
/// but not the ascending order that goes without saying where it is not by key.
fn fetch_limit(range: &Range) -> usize {
    let needs_all = range.order != Order::Any
        || !range.modified.is_none()
        || !range.created.is_none()
        || range.limit == 0;
    match (range.count_only, needs_all) {
        (true, _) => 0,
        (false, true) => usize::MAX,
        (false, false) => usize::try_from(range.limit).expect("a limit fits the memory") + 1,
    }
}

/// Takes what is found: counts all, keeps up to a limit.
struct Shelf {
    limit: usize,
    heads: Vec<(Bytes, Head)>,
    count: u64,
}

impl Shelf {
    fn take(&mut self, key: Bytes, head: Head) {
        self.count += 1;
        if self.heads.len() < self.limit {
            self.heads.push((key, head));
        }
    }
}

/// What is there now and was there then is the newest of that time; the rest is history.
fn read_past(view: &impl View, keys: &Keys, revision: u64, shelf: &mut Shelf) -> Result<(), Fault> {
    let mut then = BTreeMap::new();
    each_head(view, keys, |key, head| {
        if head.modified <= revision {
            then.insert(key, head);
        }
    })?;
    let mut from = store::history::escape(keys.first());
    let end = keys.end().map(|end| store::history::escape(&end));
    while let Some(key) = store::history::first_key(view, &from, end.as_deref())? {
        from = store::history::Rows::of(&key).end();
        if then.contains_key(&key) {
            continue;
        }
        let past = store::history::newest(view, &key, revision)?;
        if let Some((head, _)) = past.map(|past| past.left(view)).transpose()?.flatten() {
            then.insert(key, head);
        }
    }
    for (key, head) in then {
        shelf.take(key, head);
    }
    Ok(())
}

/// Goes through what is known of the items of these keys, in order.
pub(crate) fn each_head(
    view: &impl View,
    keys: &Keys,
    mut take: impl FnMut(Bytes, Head),
) -> Result<(), Fault> {
    if let Keys::One(key) = keys {
        if let Some(head) = items::head(view, key)? {
            take(key.clone(), head);
        }
        return Ok(());
    }
    let end = keys.end();
    store::each_row(view, ITEMS, (keys.first(), end.as_deref()), |key, row| {
        take(key, items::decode(row)?);
        Ok(())
    })
}

fn sort(view: &impl View, heads: &mut Vec<(Bytes, Head)>, range: &Range) -> Result<(), Fault> {
    let order = |ascending: Ordering| match range.order {
        Order::Any | Order::Ascending => ascending,
        Order::Descending => ascending.reverse(),
    };
    let number: fn(&Head) -> u64 = match range.sort_by {
        SortBy::Key => {
            heads.sort_by(|(a, _), (b, _)| order(a.cmp(b)));
            return Ok(());
        }
        SortBy::Value => return sort_by_value(view, heads, order),
        SortBy::Version => |head| head.version,
        SortBy::Created => |head| head.created,
        SortBy::Modified => |head| head.modified,
    };
    heads.sort_by(|(_, a), (_, b)| order(number(a).cmp(&number(b))));
    Ok(())
}

fn sort_by_value(
    view: &impl View,
    heads: &mut Vec<(Bytes, Head)>,
    order: impl Fn(Ordering) -> Ordering,
) -> Result<(), Fault> {
    let with_value = |(key, head): (Bytes, Head)| Ok((head.value(view)?, (key, head)));
    let mut valued = heads.drain(..).map(with_value).collect::<Result<Vec<_>, Fault>>()?;
    valued.sort_by(|(a, _), (b, _)| order(a.cmp(b)));
    heads.extend(valued.into_iter().map(|(_, head)| head));
    Ok(())
}

impl Wire for Range {
    fn encode(&self, writer: &mut Writer) {
        self.keys.encode(writer);
        writer.put_u32(self.limit);
        writer.put_u64(self.revision);
        writer.put_u8(match self.order {
            Order::Any => 0,
            Order::Ascending => 1,
            Order::Descending => 2,
        });
        writer.put_u8(match self.sort_by {
            SortBy::Key => 0,
            SortBy::Version => 1,
            SortBy::Created => 2,
            SortBy::Modified => 3,
            SortBy::Value => 4,
        });
        let keys_only = if self.keys_only { KEYS_ONLY } else { 0 };
        let count_only = if self.count_only { COUNT_ONLY } else { 0 };
        writer.put_u8(keys_only | count_only);
        self.modified.encode(writer);
        self.created.encode(writer);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let (keys, limit, revision) =
            (Keys::decode(reader)?, reader.take_u32()?, reader.take_u64()?);
        let order = match reader.take_u8()? {
            0 => Order::Any,
            1 => Order::Ascending,
            2 => Order::Descending,
            _ => return Err(Malformed("an order from 0 to 2")),
        };
        let sort_by = match reader.take_u8()? {
            0 => SortBy::Key,
            1 => SortBy::Version,
            2 => SortBy::Created,
            3 => SortBy::Modified,
            4 => SortBy::Value,
            _ => return Err(Malformed("something to sort by from 0 to 4")),
        };
        let flags = reader.take_u8()?;
        if flags & !(KEYS_ONLY | COUNT_ONLY) != 0 {
            return Err(Malformed("flags of a range that this build knows"));
        }
        Ok(Self {
            keys,
            limit,
            revision,
            order,
            sort_by,
            keys_only: flags & KEYS_ONLY != 0,
            count_only: flags & COUNT_ONLY != 0,
            modified: Bounds::decode(reader)?,
            created: Bounds::decode(reader)?,
        })
    }
}

impl Wire for Bounds {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.least);
        writer.put_u64(self.greatest);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self { least: reader.take_u64()?, greatest: reader.take_u64()? })
    }
}

impl Wire for Found {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.count);
        writer.put_u8(u8::from(self.more));
        writer.put_list(&self.items);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let count = reader.take_u64()?;
        let more = crate::answer::take_flag(reader)?;
        Ok(Self { items: reader.take_list()?, count, more })
    }
}

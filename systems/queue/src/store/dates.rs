//! When something is due.
//!
//! ```text
//! 1 u8 | date u64, the largest byte first | 1 u8 | task                    a delay, or the end of remembrance
//! 1    | date                             | 2    | queue                   the queue's pause ends
//! 1    | date                             | 3    | queue                   the queue may have been idle
//! 1    | date                             | 4    | from, end: two holders  there is more to take from them
//! 2    | date                             | 1    | task                    a lease, or a time to live
//! ```
//! The dates of kind 1 mostly come; those of kind 2 mostly do not, because the task is done before. Each
//! kind has a note among the counters of a date before which there is none. So an entry looks at two
//! numbers to see that nothing is due, and a scan begins behind the dates that have gone; the many that go
//! without coming are passed once, and never by whoever looks for a delay.

use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, Stamp, TableId, Tables, Wire, Writer};

use super::{View, corrupt, counters};
use crate::task::{Holder, TaskId};

/// What is due when.
pub(crate) const DATES: TableId = TableId(45);

/// The kinds of dates.
pub(crate) const KINDS: [DateKind; 2] = [DateKind::Comes, DateKind::MayGo];

/// Whether a date mostly comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateKind {
    /// Mostly.
    Comes,
    /// Mostly it goes before.
    MayGo,
}

/// What is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Something of a task.
    Task(TaskId),
    /// A queue's pause ends.
    Pause(Bytes),
    /// A queue may have been empty for long.
    Idle(Bytes),
    /// More is to be taken from these holders.
    LetGo(Range<Holder>),
}

impl DateKind {
    const fn number(self) -> u8 {
        match self {
            Self::Comes => 1,
            Self::MayGo => 2,
        }
    }

    /// The counter that says before which date there is none of this kind.
    const fn note(self) -> &'static [u8] {
        match self {
            Self::Comes => b"none comes before",
            Self::MayGo => b"none may go before",
        }
    }
}

/// Notes a date.
pub(crate) fn add(
    tables: &mut Tables,
    kind: DateKind,
    date: Stamp,
    due: &Due,
) -> Result<(), Fault> {
    tables.put(DATES, &key(kind, date, due), &[])?;
    let note = counters::find(tables, kind.note())?;
    if note.is_none_or(|note| date.0 < note) {
        counters::set_counter(tables, kind.note(), date.0)?;
    }
    Ok(())
}

/// Takes a date away, which must be there. The note of the first one stays: it is a bound.
pub(crate) fn remove(
    tables: &mut Tables,
    kind: DateKind,
    date: Stamp,
    due: &Due,
) -> Result<(), Fault> {
    let was_there = tables.delete(DATES, &key(kind, date, due))?;
    assert!(was_there, "what is due has a date");
    Ok(())
}

/// A date before which nothing is due; nothing if nothing is due at all.
pub(crate) fn none_before(view: &impl View) -> Result<Option<Stamp>, Fault> {
    let mut first = None;
    for kind in KINDS {
        let note = counters::find(view, kind.note())?.filter(|note| *note < u64::MAX);
        first = first.into_iter().chain(note.map(Stamp)).min();
    }
    Ok(first)
}

/// What is due by `stamp`, the earliest first, so many at most. If there is nothing, the notes say when there
/// will be.
pub(crate) fn due(
    tables: &mut Tables,
    stamp: Stamp,
    limit: usize,
) -> Result<Vec<(Stamp, Due)>, Fault> {
    let mut found = Vec::new();
    for kind in KINDS {
        let note = counters::find(tables, kind.note())?.unwrap_or(u64::MAX);
        if note > stamp.0 {
            continue;
        }
        let dates = scan(tables, kind, Stamp(note)..Stamp(stamp.0 + 1), limit)?;
        let first = match dates.first() {
            Some((date, _)) => *date,
            None => first_from(tables, kind, Stamp(stamp.0 + 1))?,
        };
        if first.0 != note {
            counters::set_counter(tables, kind.note(), first.0)?;
        }
        found.extend(dates);
    }
    found.sort_by_key(|(date, _)| *date);
    found.truncate(limit);
    Ok(found)
}

/// The first date of a kind from a moment on; the last stamp of all if there is none.
fn first_from(view: &impl View, kind: DateKind, from: Stamp) -> Result<Stamp, Fault> {
    let end = Stamp(u64::MAX);
    Ok(scan(view, kind, from..end, 1)?.first().map_or(end, |(date, _)| *date))
}

fn scan(
    view: &impl View,
    kind: DateKind,
    dates: Range<Stamp>,
    limit: usize,
) -> Result<Vec<(Stamp, Due)>, Fault> {
    let bound = |date: Stamp| [&[kind.number()][..], &date.0.to_be_bytes()].concat();
    let rows = view.scan(DATES, &bound(dates.start), Some(&bound(dates.end)), limit)?;
    let decoded = rows.iter().map(|(key, _)| decode(key).map(|(_, date, due)| (date, due)));
    decoded.collect()
}

fn key(kind: DateKind, date: Stamp, due: &Due) -> Vec<u8> {
    let mut writer = Writer::with_capacity(32);
    writer.put_u8(kind.number());
    writer.put_raw(&date.0.to_be_bytes());
    match due {
        Due::Task(task) => {
            writer.put_u8(1);
            writer.put_raw(&task.0.to_be_bytes());
        }
        Due::Pause(queue) => {
            writer.put_u8(2);
            writer.put_raw(queue);
        }
        Due::Idle(queue) => {
            writer.put_u8(3);
            writer.put_raw(queue);
        }
        Due::LetGo(holders) => {
            writer.put_u8(4);
            holders.start.encode(&mut writer);
            holders.end.encode(&mut writer);
        }
    }
    writer.into_vec()
}

/// Reads the key of a date.
pub(crate) fn decode(key: &Bytes) -> Result<(DateKind, Stamp, Due), Fault> {
    read(&mut Reader::new(key.clone())).map_err(corrupt)
}

fn read(reader: &mut Reader) -> Result<(DateKind, Stamp, Due), Malformed> {
    let kind = match reader.take_u8()? {
        1 => DateKind::Comes,
        2 => DateKind::MayGo,
        _ => return Err(Malformed("a date of kind 1 or 2")),
    };
    let date = Stamp(reader.take_u64()?.swap_bytes());
    let due = match reader.take_u8()? {
        1 => Due::Task(TaskId(reader.take_u64()?.swap_bytes())),
        2 => Due::Pause(reader.take_rest()),
        3 => Due::Idle(reader.take_rest()),
        4 => Due::LetGo(Holder::decode(reader)?..Holder::decode(reader)?),
        _ => return Err(Malformed("something due of kind 1 to 4")),
    };
    Ok((kind, date, due))
}

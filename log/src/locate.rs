//! Reading entries back: which batches hold them, and the entries in what was read.

use alloc::vec::Vec;
use core::fmt;

use kernel::{Bytes, Entry, Index, Record};

use crate::{
    batch::{self, BatchRecord, Head},
    disk::SegmentNumber,
    ledger::Locator,
    sector::{self, PAYLOAD_BYTES, Place, SECTOR_BYTES, Sector},
};

/// Where entries can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// Here.
    Reads(Fetch),
    /// They are no longer in the log.
    Compacted,
    /// They are not in the log, or still on their way to the disk.
    NotYet,
}

/// A part of a file to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRange {
    /// The file.
    pub segment: SegmentNumber,
    /// From its start, in bytes.
    pub offset: u64,
    /// How much, in bytes.
    pub bytes_len: u64,
}

/// What to read for a range of entries, and how to understand it. To be carried out before the log
/// is next given anything: a segment may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    pub(crate) batches: Vec<(Locator, u64)>,
    pub(crate) first: Index,
    pub(crate) last: Index,
    pub(crate) bytes_max: u64,
}

/// What was read is not what was written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The file.
    pub segment: SegmentNumber,
    /// Where in it, in bytes.
    pub offset: u64,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "segment {} of the log is damaged at byte {}: what was read is not what was written",
            self.segment, self.offset
        )
    }
}

impl core::error::Error for Unreadable {}

impl Fetch {
    /// What to read, in order.
    pub fn reads(&self) -> impl Iterator<Item = ReadRange> {
        self.batches.iter().map(|(locator, _)| read_range(locator))
    }

    /// The entries asked for, from the first one on: at least one, and no more than `bytes_max` of
    /// them together allow. `parts` are the bytes of [`Fetch::reads`], in the same order.
    ///
    /// # Errors
    /// [`Unreadable`] if a checksum does not match, or something was not read whole.
    pub fn decode(&self, parts: &[Bytes]) -> Result<Vec<Entry>, Unreadable> {
        assert_eq!(parts.len(), self.batches.len(), "one part for each read");
        let mut wanted = Vec::new();
        let mut bytes_len = 0;
        for ((locator, salt), part) in self.batches.iter().zip(parts) {
            let range = read_range(locator);
            let unreadable = Unreadable { segment: range.segment, offset: range.offset };
            let entries = decode_batch(locator, *salt, part).ok_or(unreadable)?;
            for entry in entries {
                if entry.index() < self.first || entry.index() > self.last {
                    continue;
                }
                bytes_len += entry.size();
                if bytes_len > self.bytes_max && !wanted.is_empty() {
                    return Ok(wanted);
                }
                wanted.push(entry);
            }
        }
        assert!(!wanted.is_empty(), "what was located holds at least the first entry");
        Ok(wanted)
    }
}

fn read_range(locator: &Locator) -> ReadRange {
    let spot = locator.spot;
    ReadRange {
        segment: spot.segment,
        offset: u64::from(spot.sector) * SECTOR_BYTES as u64,
        bytes_len: u64::from(spot.sectors) * SECTOR_BYTES as u64,
    }
}

/// The entries of a batch that are still part of the log; nothing if the bytes are not that batch.
fn decode_batch(locator: &Locator, salt: u64, part: &Bytes) -> Option<Vec<Entry>> {
    let spot = locator.spot;
    if part.len() as u64 != read_range(locator).bytes_len {
        return None;
    }
    for (position, sector) in (0..).zip(part.chunks(SECTOR_BYTES)) {
        let place = Place { salt, batch: spot.number, position };
        if sector::judge(sector, &place) != Sector::New {
            return None;
        }
    }
    let head = Head::decode(&part[..PAYLOAD_BYTES]).ok()?;
    if head.sectors != spot.sectors {
        return None;
    }
    let records = batch::decode_body(batch::body(&head, part)).ok()?;
    let mut entries = held(records);
    entries.retain(|entry| (locator.first..=locator.last).contains(&entry.index()));
    let count = locator.last.0 - locator.first.0 + 1;
    (entries.len() as u64 == count).then_some(entries)
}

/// The entries that a batch leaves behind: a later record of the batch may cut what an earlier wrote.
fn held(records: Vec<BatchRecord>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for record in records {
        match record {
            BatchRecord::Group(_, Record::Entries(more)) => entries.extend(more),
            BatchRecord::Group(_, Record::Truncate(from)) => {
                entries.retain(|entry| entry.index() < from);
            }
            BatchRecord::Group(_, Record::Snapshot { .. }) => entries.clear(),
            BatchRecord::Group(_, Record::Hard(_) | Record::Compact { .. })
            | BatchRecord::Start { .. } => {}
        }
    }
    entries
}

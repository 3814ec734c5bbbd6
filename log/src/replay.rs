//! Applies the batches of a log one after the other, as they are read.

use alloc::collections::VecDeque;

use kernel::{Bytes, Entry, Incarnation, Index, Record};

use crate::{
    append::Tail,
    batch::{self, BatchRecord, Head},
    disk::SegmentNumber,
    ledger::{Contradiction, Ledger, Spot},
    scan::Verdict,
    sector::SECTOR_BYTES,
    segment::{HEADER_BYTES, Header, Link},
};

/// How far a log has been read.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    /// What the records so far amount to; nothing before the first batch.
    pub(crate) ledger: Option<Ledger>,
    /// The entries after the base, or after the place where reading began.
    pub(crate) entries: VecDeque<Entry>,
    pub(crate) incarnation: Incarnation,
    pub(crate) link: Link,
    pub(crate) tail: Tail,
    /// What stands at the tail.
    pub(crate) verdict: Verdict,
    pub(crate) is_sealed: bool,
    /// The last batch as it stands on the disk, with the header if it is the segment's first.
    pub(crate) last_written: Option<(u64, Bytes)>,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            ledger: None,
            entries: VecDeque::new(),
            incarnation: Incarnation(0),
            link: Link { batch: 1, chain: 0 },
            tail: Tail { segment: SegmentNumber::FIRST, segment_bytes: 0, offset: HEADER_BYTES },
            verdict: Verdict::End,
            is_sealed: false,
            last_written: None,
        }
    }
}

impl Replay {
    /// Goes on in `segment`, whose header follows on what was read.
    pub(crate) fn enter(&mut self, segment: SegmentNumber, header: &Header) {
        assert!(self.ledger.is_none() || self.link == header.link, "the chain goes on");
        self.link = header.link;
        self.tail = Tail { segment, segment_bytes: header.bytes_len, offset: HEADER_BYTES };
        self.verdict = Verdict::End;
        self.is_sealed = false;
    }

    /// Takes the batch at the tail.
    pub(crate) fn take(
        &mut self,
        head: &Head,
        body: Bytes,
        after: Link,
        segment: &Bytes,
    ) -> Result<(), Contradiction> {
        let Tail { offset, .. } = self.tail;
        let spot = Spot {
            segment: self.tail.segment,
            sector: u32::try_from(offset / SECTOR_BYTES as u64).expect("a segment is below 2 TiB"),
            sectors: head.sectors,
            number: head.number,
        };
        let records = batch::decode_body(body).map_err(|malformed| Contradiction(malformed.0))?;
        for record in records {
            self.take_record(record, &spot)?;
        }
        let ledger = self.ledger.as_ref().ok_or(Contradiction("a log begins with a start"))?;
        if ledger.small().hard != head.hard || ledger.last_index() != head.last.index {
            return Err(Contradiction("the head of a batch tells what its body amounts to"));
        }
        self.link = after;
        self.tail.offset += head.bytes_len();
        let start = if offset == HEADER_BYTES { 0 } else { offset };
        let written = segment.slice(start as usize..self.tail.offset as usize);
        self.last_written = Some((start, written));
        Ok(())
    }

    /// The index after the last entry that was read.
    pub(crate) fn next_index(&self) -> Index {
        self.ledger.as_ref().map_or(Index(1), |ledger| ledger.last_index().next())
    }

    fn take_record(&mut self, record: BatchRecord, spot: &Spot) -> Result<(), Contradiction> {
        match record {
            BatchRecord::Start { incarnation, state } => {
                self.incarnation = self.incarnation.max(incarnation);
                match &mut self.ledger {
                    Some(ledger) => ledger.restart(&state),
                    none => {
                        *none = Some(Ledger::new(state));
                        Ok(())
                    }
                }
            }
            BatchRecord::Group(group, record) => {
                let begun = Contradiction("a log begins with a start");
                let ledger = self.ledger.as_mut().ok_or(begun)?;
                if ledger.small().group != group {
                    return Err(Contradiction("the one group of the log"));
                }
                ledger.apply(&record, spot)?;
                self.keep(record);
                Ok(())
            }
        }
    }

    fn keep(&mut self, record: Record) {
        match record {
            Record::Entries(entries) => self.entries.extend(entries),
            Record::Truncate(from) => {
                while self.entries.back().is_some_and(|entry| entry.index() >= from) {
                    self.entries.pop_back();
                }
            }
            Record::Compact { through, .. } => {
                while self.entries.front().is_some_and(|entry| entry.index() <= through.index) {
                    self.entries.pop_front();
                }
            }
            Record::Snapshot { .. } => self.entries.clear(),
            Record::Hard(_) => {}
        }
    }
}

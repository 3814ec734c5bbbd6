//! Reads a log back, segment by segment, and says how far it can be trusted.

use alloc::{collections::VecDeque, vec::Vec};

use kernel::{
    Bytes, Entry, EntryId, Generation, GroupId, HardState, Incarnation, Membership, Stamp,
};

use crate::{
    append::Log,
    disk::{DiskOperation, SegmentNumber},
    error::{Damage, RecoveryError, Trust},
    founding::Founding,
    ledger::Ledger,
    limits::Limits,
    replay::Replay,
    resume,
    scan::{Scan, Verdict},
    sector,
    segment::{self, Found, HEADER_BYTES, Header, Identity, Link, SEAL_BYTES},
};

/// Reads a log back. Give it each segment's bytes as [`Recovery::wanted`] asks for them.
#[derive(Clone, Debug)]
pub struct Recovery {
    pub(crate) identity: Identity,
    pub(crate) limits: Limits,
    /// All files, ascending.
    pub(crate) files: VecDeque<SegmentNumber>,
    /// Those that are still to be read: the last ones without a gap.
    waiting: VecDeque<SegmentNumber>,
    /// The first of them.
    first: SegmentNumber,
    pub(crate) replay: Replay,
    /// The segment after the last one with a batch: made ahead, or begun when the power went.
    pub(crate) blank: Option<Blank>,
    /// The first error.
    failed: Option<RecoveryError>,
}

/// A segment without a whole batch.
#[derive(Clone, Debug)]
pub(crate) struct Blank {
    pub(crate) segment: SegmentNumber,
    pub(crate) bytes_len: u64,
    pub(crate) verdict: Verdict,
}

/// A log that was read back, and all that a replica needs to go on.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The log, open for writing once `start` has been carried out.
    pub log: Log,
    /// What to do, in this order, before the replica says anything: makes sure that what was read is
    /// on the disk and not only in a cache, and begins the new incarnation.
    pub start: Vec<DiskOperation>,
    /// The new life: one more than any that the disk knows.
    pub incarnation: Incarnation,
    /// The group.
    pub group: GroupId,
    /// Term, vote, commit.
    pub hard: HardState,
    /// The entry that the log begins after.
    pub base: EntryId,
    /// Its stamp.
    pub base_stamp: Stamp,
    /// The configuration as of that entry.
    pub membership: Membership,
    /// Which generation of the tables goes with the log.
    pub generation: Generation,
    /// All entries after the base.
    pub entries: Vec<Entry>,
    /// How far all this can be trusted.
    pub trust: Trust,
}

/// The readable beginning of a log that cannot be used. To go on with it is to lose what came after:
/// a decision for people, by an explicit command, where no other replica has the data. Make a new
/// log with [`Log::create_from`] under a new disk id and append the entries.
#[derive(Clone, Debug)]
pub struct Salvage {
    /// The group.
    pub group: GroupId,
    /// What stands before the first entry.
    pub founding: Founding,
    /// The entries after it, without gaps.
    pub entries: Vec<Entry>,
}

impl Recovery {
    /// Will read the log of `identity`, of which `segments` exist, in any order.
    ///
    /// # Errors
    /// [`RecoveryError::Empty`] if there is none.
    pub fn new(
        identity: Identity,
        limits: Limits,
        segments: &[SegmentNumber],
    ) -> Result<Self, RecoveryError> {
        limits.check();
        let mut files = segments.to_vec();
        files.sort_unstable();
        files.dedup();
        let newest = *files.last().ok_or(RecoveryError::Empty)?;
        let mut first = newest;
        while files.binary_search(&SegmentNumber(first.0.wrapping_sub(1))).is_ok() {
            first = SegmentNumber(first.0 - 1);
        }
        Ok(Self {
            identity,
            limits,
            waiting: (first.0..=newest.0).map(SegmentNumber).collect(),
            files: VecDeque::from(files),
            first,
            replay: Replay::default(),
            blank: None,
            failed: None,
        })
    }

    /// The segment to be fed next, whole; nothing once all have been.
    #[must_use]
    pub fn wanted(&self) -> Option<SegmentNumber> {
        if self.failed.is_some() { None } else { self.waiting.front().copied() }
    }

    /// Reads one segment.
    ///
    /// # Errors
    /// Why the log cannot be used; no more segments are wanted then.
    ///
    /// # Panics
    /// If it is not the one that is wanted.
    pub fn feed(&mut self, segment: SegmentNumber, bytes: Bytes) -> Result<(), RecoveryError> {
        assert_eq!(Some(segment), self.wanted(), "segments are fed as they are wanted");
        self.waiting.pop_front();
        let outcome = self.read(segment, &bytes);
        self.failed = outcome.err();
        outcome
    }

    /// The log, ready to go on.
    ///
    /// # Errors
    /// Why the log cannot be used.
    ///
    /// # Panics
    /// If a segment is still wanted.
    pub fn finish(self) -> Result<Recovered, RecoveryError> {
        assert!(self.wanted().is_none(), "every segment has been fed");
        if let Some(error) = self.failed {
            return Err(error);
        }
        let Some(ledger) = &self.replay.ledger else { return Err(self.without_batch()) };
        if self.replay.is_sealed && self.blank.is_none() {
            let segment = self.replay.tail.segment.next();
            return Err(RecoveryError::MissingSegment { segment });
        }
        if self.replay.is_sealed {
            return Err(self.damage("the batch that the seal before it proves durable", true));
        }
        if !ledger.is_complete() {
            let segment = SegmentNumber(self.first.0.saturating_sub(1));
            return Err(RecoveryError::MissingSegment { segment });
        }
        match self.worst() {
            Verdict::Lost(what) => Err(self.damage(what, true)),
            Verdict::Garbled(None) => Err(self.damage("a batch or zeros", false)),
            verdict => Ok(resume::resume(self, &verdict)),
        }
    }

    /// What can be read of a log that cannot be used; nothing if that is not even its beginning.
    #[must_use]
    pub fn salvage(self) -> Option<Salvage> {
        let ledger = self.replay.ledger.filter(Ledger::is_complete)?;
        let small = ledger.small();
        let founding = Founding {
            hard: small.hard,
            base: small.base,
            base_stamp: small.base_stamp,
            membership: small.membership.clone(),
            generation: small.generation,
        };
        Some(Salvage { group: small.group, founding, entries: self.replay.entries.into() })
    }

    fn read(&mut self, segment: SegmentNumber, bytes: &Bytes) -> Result<(), RecoveryError> {
        let found = bytes.len() as u64;
        if !found.is_multiple_of(4096) || found < HEADER_BYTES + 2 * SEAL_BYTES {
            return Err(RecoveryError::WrongSize { segment, found, expected: None });
        }
        let scan = Scan { bytes, salt: self.identity.salt(segment) };
        let header = Header::find(bytes);
        let link = match &header {
            Found::Value(header) => self.check_header(segment, header, found)?,
            Found::Newer(version) => {
                return Err(RecoveryError::Newer { segment, version: *version });
            }
            Found::Zero | Found::Garbage => self.replay.link,
        };
        let verdict = scan.judge(HEADER_BYTES as usize, &link);
        if let Verdict::Newer(version) = verdict {
            return Err(RecoveryError::Newer { segment, version });
        }
        match (&header, verdict) {
            (Found::Value(header), Verdict::Whole(..)) if self.blank.is_none() => {
                self.replay.enter(segment, header);
                self.read_batches(segment, &scan, bytes)
            }
            // Made ahead and not quite zero: not worth a doubt, but not to be written to either.
            (Found::Zero, Verdict::End) if !sector::is_zero(bytes) => {
                self.keep_blank(segment, found, &header, Verdict::Torn)
            }
            (header, verdict) => self.keep_blank(segment, found, header, verdict),
        }
    }

    fn check_header(
        &self,
        segment: SegmentNumber,
        header: &Header,
        found: u64,
    ) -> Result<Link, RecoveryError> {
        if header.identity != self.identity {
            let (expected, found) = (self.identity, header.identity);
            return Err(RecoveryError::Foreign { segment, expected, found });
        }
        if header.segment != segment {
            return Err(RecoveryError::Misplaced { segment, found: header.segment });
        }
        if header.bytes_len != found {
            let expected = Some(header.bytes_len);
            return Err(RecoveryError::WrongSize { segment, found, expected });
        }
        if self.replay.ledger.is_some() && header.link != self.replay.link {
            return Err(self.damage("the batches before the next segment", true));
        }
        Ok(header.link)
    }

    fn read_batches(
        &mut self,
        segment: SegmentNumber,
        scan: &Scan<'_>,
        bytes: &Bytes,
    ) -> Result<(), RecoveryError> {
        loop {
            let offset = self.replay.tail.offset;
            match scan.judge(offset as usize, &self.replay.link) {
                Verdict::Whole(head, body, after) => {
                    if let Err(contradiction) = self.replay.take(&head, body, after, bytes) {
                        return Err(self.damage(contradiction.0, true));
                    }
                }
                Verdict::Newer(version) => return Err(RecoveryError::Newer { segment, version }),
                verdict => {
                    self.replay.verdict = verdict;
                    break;
                }
            }
        }
        match segment::find_seal(bytes, scan.salt) {
            Found::Zero => Ok(()),
            Found::Newer(version) => Err(RecoveryError::Newer { segment, version }),
            Found::Garbage => {
                self.replay.verdict = Verdict::Garbled(None);
                Ok(())
            }
            Found::Value(link) if link == self.replay.link => {
                self.replay.is_sealed = true;
                self.replay.verdict = Verdict::End;
                Ok(())
            }
            Found::Value(_) => Err(self.damage("the batches before the seal", true)),
        }
    }

    fn keep_blank(
        &mut self,
        segment: SegmentNumber,
        bytes_len: u64,
        header: &Found<Header>,
        verdict: Verdict,
    ) -> Result<(), RecoveryError> {
        let verdict = match (header, verdict) {
            // The header and the first batch are flushed together: neither alone was ever durable.
            (Found::Zero, Verdict::Whole(..)) => Verdict::Torn,
            // To go on, the file would have to be made anew, and its head be lost, which bounds the doubt,
            // before the next life is durable. It may also be all that knows of an earlier doubt.
            (Found::Garbage, Verdict::Whole(..) | Verdict::End | Verdict::Torn)
            | (_, Verdict::Garbled(_)) => Verdict::Garbled(None),
            (Found::Value(_), Verdict::End) => Verdict::Torn,
            (_, verdict) => verdict,
        };
        match &self.blank {
            None => self.blank = Some(Blank { segment, bytes_len, verdict }),
            Some(_) if verdict == Verdict::End => {}
            Some(_) => {
                return Err(self.damage("the header of a segment that is not the last", true));
            }
        }
        Ok(())
    }

    /// No segment has a whole first batch.
    fn without_batch(&self) -> RecoveryError {
        let verdict = self.blank.as_ref().map_or(&Verdict::End, |blank| &blank.verdict);
        let never_begun = matches!(verdict, Verdict::End | Verdict::Torn);
        if never_begun && self.first == SegmentNumber::FIRST {
            return RecoveryError::Unfinished;
        }
        if self.files.front() != Some(&self.first) {
            let segment = SegmentNumber(self.first.0 - 1);
            return RecoveryError::MissingSegment { segment };
        }
        self.damage("the first batch of the log", matches!(verdict, Verdict::Lost(_)))
    }

    fn worst(&self) -> Verdict {
        let tail = &self.replay.verdict;
        let blank = self.blank.as_ref().map_or(&Verdict::End, |blank| &blank.verdict);
        if rank(blank) >= rank(tail) { blank.clone() } else { tail.clone() }
    }

    fn damage(&self, what: &'static str, proven: bool) -> RecoveryError {
        let (segment, offset) = self.cut();
        RecoveryError::Damaged(Damage {
            segment,
            offset,
            batch: self.replay.link.batch,
            from: self.replay.next_index(),
            proven,
            what,
        })
    }

    /// Where the first batch lies that is not whole.
    fn cut(&self) -> (SegmentNumber, u64) {
        match &self.blank {
            Some(blank) if self.replay.is_sealed || rank(&blank.verdict) > 0 => {
                (blank.segment, HEADER_BYTES)
            }
            _ if self.replay.ledger.is_none() => (self.first, HEADER_BYTES),
            _ => (self.replay.tail.segment, self.replay.tail.offset),
        }
    }
}

const fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::End => 0,
        Verdict::Torn => 1,
        Verdict::Garbled(Some(_)) => 2,
        Verdict::Garbled(None) => 3,
        Verdict::Whole(..) | Verdict::Lost(_) | Verdict::Newer(_) => 4,
    }
}

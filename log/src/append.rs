//! [`Log`]: turns records into batches, batches into disk operations, and knows where entries lie.

use alloc::{collections::VecDeque, vec, vec::Vec};

use kernel::{Bytes, Entry, EntryId, GroupId, Incarnation, Index, Membership, Record, Wire as _};

use crate::{
    batch::{self, BatchRecord, Head, State},
    disk::{DiskOperation, SegmentNumber},
    founding::Founding,
    ledger::{Ledger, Spot},
    limits::Limits,
    locate::{Fetch, Located},
    sector::SECTOR_BYTES,
    segment::{self, HEADER_BYTES, Header, Identity, Link, SEAL_BYTES},
};

/// A write-ahead log that is open for writing. It does nothing itself: it says what to write.
///
/// One batch is under way at a time, from [`Log::append`] to [`Log::appended`]. A batch is durable as
/// a whole or not at all.
#[derive(Clone, Debug)]
pub struct Log {
    pub(crate) identity: Identity,
    pub(crate) limits: Limits,
    pub(crate) incarnation: Incarnation,
    pub(crate) ledger: Ledger,
    pub(crate) tail: Tail,
    /// The next batch, and the chain before it.
    pub(crate) link: Link,
    pub(crate) in_flight: bool,
    /// The files there are, but for the spare.
    pub(crate) files: VecDeque<SegmentNumber>,
    /// The oldest file that is needed, as of the last durable batch.
    pub(crate) needed_from: SegmentNumber,
    /// Made ahead, to go on in.
    pub(crate) spare: Option<SegmentNumber>,
}

/// Where the next batch goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tail {
    pub(crate) segment: SegmentNumber,
    pub(crate) segment_bytes: u64,
    pub(crate) offset: u64,
}

/// The batch does not fit in the segment, and the next one is not ready yet: nothing was changed, the
/// batch is to be given again after [`Log::segment_ready`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeedsSegment;

impl Log {
    /// A new, empty log with `membership` as its first configuration, and how to make it. It exists
    /// once the operations have been carried out, and is then in incarnation 1.
    #[must_use]
    pub fn create(
        identity: Identity,
        limits: Limits,
        group: GroupId,
        membership: Membership,
    ) -> (Self, Vec<DiskOperation>) {
        let founding = Founding { membership, ..Founding::default() };
        Self::create_from(identity, limits, group, founding)
    }

    /// A new log that begins after what `founding` stands for, and how to make it.
    #[must_use]
    pub fn create_from(
        identity: Identity,
        limits: Limits,
        group: GroupId,
        founding: Founding,
    ) -> (Self, Vec<DiskOperation>) {
        limits.check();
        let segment = SegmentNumber::FIRST;
        let mut log = Self {
            identity,
            limits,
            incarnation: Incarnation(1),
            ledger: Ledger::new(founding.state(group)),
            tail: Tail { segment, segment_bytes: limits.segment_bytes, offset: HEADER_BYTES },
            link: Link { batch: 1, chain: 0 },
            in_flight: false,
            files: VecDeque::from([segment]),
            needed_from: segment,
            spare: None,
        };
        let mut operations = vec![create(segment, &limits), log.header()];
        operations.extend(log.start());
        (log, operations)
    }

    /// Makes one batch of `records`, in their order, and says how to write it; going on in the next
    /// segment if it does not fit in this one. It is durable once the operations have been carried
    /// out in their order: call [`Log::appended`] then.
    ///
    /// # Errors
    /// [`NeedsSegment`] if it does not fit and the next segment is not ready.
    ///
    /// # Panics
    /// If a batch is under way, if the batch is beyond the limit, or if a record makes no sense after
    /// those before it.
    pub fn append(
        &mut self,
        records: &[(GroupId, Record)],
    ) -> Result<Vec<DiskOperation>, NeedsSegment> {
        assert!(!self.in_flight, "one batch is under way at a time");
        assert!(!records.is_empty(), "a batch has something to say");
        let body = batch::encode_body(None, records);
        assert!(body.len() as u64 <= self.limits.batch_bytes_max, "a batch has a limit");
        let operations = if self.fits(body.len()) {
            self.write(&body, records).to_vec()
        } else {
            let spare = self.spare.ok_or(NeedsSegment)?;
            let body = batch::encode_body(Some(&self.start_record()), records);
            self.roll(spare, &body, records)
        };
        self.in_flight = true;
        Ok(operations)
    }

    /// The batch under way is durable.
    ///
    /// # Panics
    /// If no batch is under way.
    pub fn appended(&mut self) {
        assert!(self.in_flight, "a batch was under way");
        self.in_flight = false;
        self.needed_from = self.oldest_needed();
    }

    /// What to do so that the log never has to wait for a segment; nothing if one is ready. The
    /// operation may fail for want of room and be tried again later.
    #[must_use]
    pub fn segment_wanted(&self) -> Option<DiskOperation> {
        self.spare.is_none().then(|| create(self.tail.segment.next(), &self.limits))
    }

    /// The segment that [`Log::segment_wanted`] asked for exists.
    ///
    /// # Panics
    /// If it was not asked for.
    pub fn segment_ready(&mut self, segment: SegmentNumber) {
        assert!(self.spare.is_none(), "one segment is made ahead");
        assert_eq!(segment, self.tail.segment.next(), "segments have no gaps");
        self.spare = Some(segment);
    }

    /// How to remove the oldest segment, if nothing in it is needed any more.
    #[must_use]
    pub fn removable(&self) -> Option<DiskOperation> {
        let segment = self.oldest();
        (segment < self.needed_from).then_some(DiskOperation::Remove { segment })
    }

    /// The segment that [`Log::removable`] named is gone.
    ///
    /// # Panics
    /// If it was not named.
    pub fn removed(&mut self, segment: SegmentNumber) {
        assert_eq!(segment, self.oldest(), "the oldest segment goes first");
        assert!(segment < self.needed_from, "what is needed stays");
        self.files.pop_front();
    }

    /// Where to read the entries from `first` to `last`: as many as `bytes_max` allow, but one at
    /// least. `last` may be beyond the end of the log.
    #[must_use]
    pub fn locate(&self, first: Index, last: Index, bytes_max: u64) -> Located {
        assert!(first <= last, "there is nothing from {first} to {last}");
        if first <= self.ledger.small().base.index {
            return Located::Compacted;
        }
        let durable = self.durable_upto();
        let locators = self.ledger.locators();
        let mut bytes_len = 0;
        let mut batches = Vec::new();
        for locator in locators.range(locators.partition_point(|locator| locator.last < first)..) {
            if locator.first > last || locator.spot.number > durable || bytes_len > bytes_max {
                break;
            }
            bytes_len += u64::from(locator.spot.sectors) * SECTOR_BYTES as u64;
            batches.push((*locator, self.identity.salt(locator.spot.segment)));
        }
        if batches.is_empty() {
            return Located::NotYet;
        }
        Located::Reads(Fetch { batches, first, last, bytes_max })
    }

    /// This life of the process.
    #[must_use]
    pub const fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The limits that hold for new segments and batches.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// The last entry, durable or under way.
    #[must_use]
    pub fn last(&self) -> EntryId {
        self.ledger.last().expect("the last entry of an open log is known")
    }

    /// The entry that the log begins after.
    #[must_use]
    pub const fn base(&self) -> EntryId {
        self.ledger.small().base
    }

    /// How far the replica may once have acknowledged without having it now: until its last entry is
    /// this or later, it neither votes nor campaigns. Nothing if there is no doubt.
    #[must_use]
    pub const fn doubt(&self) -> Option<EntryId> {
        self.ledger.small().doubt
    }

    /// How many bytes the files of the log take.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        let files = self.files.len() + usize::from(self.spare.is_some());
        files as u64 * self.limits.segment_bytes
    }

    /// Goes on in the next segment with a batch of `body`, which begins with a start record. The seal
    /// of this segment comes last: until the next one is durable, what this one ends with matters.
    pub(crate) fn roll(
        &mut self,
        next: SegmentNumber,
        body: &[u8],
        records: &[(GroupId, Record)],
    ) -> Vec<DiskOperation> {
        let Tail { segment, segment_bytes, .. } = self.tail;
        assert_eq!(next, segment.next(), "segments have no gaps");
        let seal = segment::seal_sector(&self.link, self.identity.salt(segment));
        let offset = segment_bytes - SEAL_BYTES;
        self.spare = None;
        self.files.push_back(next);
        let segment_bytes = self.limits.segment_bytes;
        self.tail = Tail { segment: next, segment_bytes, offset: HEADER_BYTES };
        let mut operations = vec![self.header()];
        operations.extend(self.write(body, records));
        operations.push(DiskOperation::Write { segment, offset, bytes: Bytes::from(seal) });
        operations.push(DiskOperation::Flush { segment });
        operations
    }

    /// A batch that says only where the log stands, as the first of a segment or of a life.
    pub(crate) fn start(&mut self) -> [DiskOperation; 2] {
        let body = self.start_body();
        self.write(&body, &[])
    }

    /// The body of such a batch.
    pub(crate) fn start_body(&self) -> Vec<u8> {
        batch::encode_body(Some(&self.start_record()), &[])
    }

    /// True if a batch with such a body fits where the log stands.
    pub(crate) const fn fits(&self, body_bytes: usize) -> bool {
        let bytes_len = (batch::sectors_of(body_bytes) * SECTOR_BYTES) as u64;
        self.tail.offset + bytes_len <= self.tail.segment_bytes - SEAL_BYTES
    }

    fn write(&mut self, body: &[u8], records: &[(GroupId, Record)]) -> [DiskOperation; 2] {
        let sectors = batch::sectors_of(body.len());
        let Tail { segment, offset, .. } = self.tail;
        assert!(self.fits(body.len()), "a batch ends before the seal");
        let spot = Spot {
            segment,
            sector: whole(offset / SECTOR_BYTES as u64),
            sectors: whole(sectors as u64),
            number: self.link.batch,
        };
        self.take(records, &spot);
        let state = self.ledger.small();
        let head = Head {
            sectors: spot.sectors,
            body_bytes: whole(body.len() as u64),
            number: spot.number,
            durable_upto: spot.number - 1,
            hard: state.hard,
            last: self.last(),
        };
        let salt = self.identity.salt(segment);
        let (bytes, link) = batch::encode(&head, body, self.link.chain, salt);
        self.link = link;
        self.tail.offset += bytes.len() as u64;
        let bytes = Bytes::from(bytes);
        [DiskOperation::Write { segment, offset, bytes }, DiskOperation::Flush { segment }]
    }

    fn take(&mut self, records: &[(GroupId, Record)], spot: &Spot) {
        for (group, record) in records {
            assert_eq!(*group, self.ledger.small().group, "the log carries one group so far");
            if let Record::Entries(entries) = record {
                assert!(entries.iter().all(Entry::is_intact), "an entry is as it was made");
            }
            if let Err(contradiction) = self.ledger.apply(record, spot) {
                panic!("a record does not follow on those before it: {}", contradiction.0);
            }
        }
    }

    fn header(&self) -> DiskOperation {
        let Tail { segment, segment_bytes, .. } = self.tail;
        let header = Header {
            identity: self.identity,
            incarnation: self.incarnation,
            segment,
            bytes_len: segment_bytes,
            link: self.link,
        };
        DiskOperation::Write { segment, offset: 0, bytes: Bytes::from(header.sector()) }
    }

    fn start_record(&self) -> BatchRecord {
        BatchRecord::Start { incarnation: self.incarnation, state: self.state() }
    }

    fn state(&self) -> State {
        self.ledger.state().expect("the last entry of an open log is known")
    }

    fn oldest(&self) -> SegmentNumber {
        *self.files.front().expect("the segment that is written is there")
    }

    const fn durable_upto(&self) -> u64 {
        self.link.batch - 1 - self.in_flight as u64
    }

    pub(crate) fn oldest_needed(&self) -> SegmentNumber {
        self.ledger.locators().front().map_or(self.tail.segment, |locator| locator.spot.segment)
    }
}

/// What a record takes in a batch, in bytes.
#[must_use]
pub fn record_bytes(record: &Record) -> u64 {
    // Kind and length of the batch's record, the group, the kind of the record.
    let frame = 1 + 4 + 8;
    match record {
        Record::Entries(entries) => frame + 1 + 4 + entries.iter().map(Entry::size).sum::<u64>(),
        other => frame + other.to_bytes().len() as u64,
    }
}

/// How to make a segment.
pub(crate) const fn create(segment: SegmentNumber, limits: &Limits) -> DiskOperation {
    DiskOperation::Create { segment, bytes_len: limits.segment_bytes }
}

fn whole(number: u64) -> u32 {
    u32::try_from(number).expect("a segment is far below 2 TiB")
}

//! The disk of a log: files whose unflushed sectors a crash may keep, drop or garble.

use alloc::{collections::BTreeMap, format, string::String, vec, vec::Vec};

use bytes::Bytes;
use kernel::Rng;
use log::{DiskOperation, SegmentNumber};

const SECTOR_BYTES: usize = 512;
const ZEROS: [u8; SECTOR_BYTES] = [0; SECTOR_BYTES];

/// All files of one log.
#[derive(Debug, Default)]
pub(crate) struct LogDisk {
    files: BTreeMap<SegmentNumber, File>,
}

#[derive(Debug)]
struct File {
    /// What a running system reads.
    bytes: Vec<u8>,
    /// What stood, before the last flush, in each sector written since; nothing if that was zeros.
    before: BTreeMap<usize, Option<Vec<u8>>>,
}

impl LogDisk {
    /// The numbers of the files, ascending.
    pub(crate) fn segments(&self) -> Vec<SegmentNumber> {
        self.files.keys().copied().collect()
    }

    /// A whole file.
    pub(crate) fn read_all(&self, segment: SegmentNumber) -> Option<Bytes> {
        self.files.get(&segment).map(|file| Bytes::copy_from_slice(&file.bytes))
    }

    /// A part of a file.
    pub(crate) fn read(
        &self,
        segment: SegmentNumber,
        offset: u64,
        bytes_len: u64,
    ) -> Option<Bytes> {
        let start = place(offset);
        let bytes = self.files.get(&segment)?.bytes.get(start..start + place(bytes_len))?;
        Some(Bytes::copy_from_slice(bytes))
    }

    /// Carries out an operation.
    pub(crate) fn perform(&mut self, operation: &DiskOperation) {
        match operation {
            DiskOperation::Create { segment, bytes_len } => {
                let bytes = vec![0; place(*bytes_len)];
                self.files.insert(*segment, File { bytes, before: BTreeMap::new() });
            }
            DiskOperation::Write { segment, offset, bytes } => {
                self.file(*segment).write(place(*offset), bytes);
            }
            DiskOperation::Flush { segment } => self.file(*segment).before.clear(),
            DiskOperation::Remove { segment } => {
                self.files.remove(segment);
            }
        }
    }

    /// Carries out the beginning of a list that a crash interrupts: up to some operation, and of those
    /// that follow the writes that no flush separates from it.
    pub(crate) fn perform_in_part(&mut self, operations: &[DiskOperation], rng: &mut Rng) {
        let whole = place(rng.between(0, operations.len() as u64));
        for operation in &operations[..whole] {
            self.perform(operation);
        }
        let writes = operations[whole..]
            .iter()
            .take_while(|operation| matches!(operation, DiskOperation::Write { .. }));
        for write in writes {
            self.perform(write);
        }
    }

    /// Power fails: each unflushed sector is as it was, or as it was written, or, one in
    /// `garbled_one_in` times, neither.
    pub(crate) fn crash(&mut self, garbled_one_in: Option<u64>, rng: &mut Rng) {
        // Some crashes lose everything, some nothing, most something. What garbles loses little: else
        // hardly anything would be left whose first sector is whole.
        let odds: &[(u64, u64)] = match garbled_one_in {
            Some(_) => &[(1, 1), (1, 1), (7, 8), (1, 2)],
            None => &[(0, 1), (1, 1), (1, 2), (1, 8), (7, 8)],
        };
        let (kept, of) = *rng.pick(odds).expect("some odds");
        for file in self.files.values_mut() {
            for (sector, before) in core::mem::take(&mut file.before) {
                let start = sector * SECTOR_BYTES;
                let now = &mut file.bytes[start..start + SECTOR_BYTES];
                if garbled_one_in.is_some_and(|one_in| rng.chance(1, one_in)) {
                    now.fill_with(|| rng.next().to_le_bytes()[0]);
                } else if !rng.chance(kept, of) {
                    now.copy_from_slice(before.as_deref().unwrap_or(&ZEROS));
                }
            }
        }
    }

    /// A bit flips in a sector that was written and flushed, more often near the end of what was
    /// written; nothing if there is no such sector. Says where.
    pub(crate) fn flip_bit(&mut self, rng: &mut Rng) -> Option<String> {
        let written = |file: &File| {
            let sectors = file.bytes.chunks(SECTOR_BYTES).enumerate();
            let is_written = |(sector, bytes): (usize, &[u8])| {
                let is_flushed = !file.before.contains_key(&sector);
                (is_flushed && bytes.iter().any(|byte| *byte != 0)).then_some(sector)
            };
            sectors.filter_map(is_written).collect::<Vec<_>>()
        };
        let all = self
            .files
            .iter()
            .flat_map(|(segment, file)| written(file).into_iter().map(|sector| (*segment, sector)));
        let all: Vec<(SegmentNumber, usize)> = all.collect();
        let among = if rng.chance(2, 3) { &all[all.len().saturating_sub(6)..] } else { &all[..] };
        let (segment, sector) = *rng.pick(among)?;
        let bit = rng.below(SECTOR_BYTES as u64 * 8);
        let byte = sector * SECTOR_BYTES + place(bit / 8);
        self.file(segment).bytes[byte] ^= 1 << (bit % 8);
        Some(format!("a bit flips in sector {sector} of segment {segment}"))
    }

    /// A file vanishes while nobody has it open; nothing if there is none. Says which.
    pub(crate) fn lose_file(&mut self, rng: &mut Rng) -> Option<String> {
        let segment = *rng.pick(&self.segments())?;
        self.files.remove(&segment);
        Some(format!("segment {segment} is gone"))
    }

    fn file(&mut self, segment: SegmentNumber) -> &mut File {
        self.files.get_mut(&segment).expect("the log uses only files that exist")
    }
}

impl File {
    fn write(&mut self, start: usize, bytes: &[u8]) {
        let whole = start.is_multiple_of(SECTOR_BYTES) && bytes.len().is_multiple_of(SECTOR_BYTES);
        assert!(whole, "the log writes whole sectors");
        for sector in start / SECTOR_BYTES..(start + bytes.len()) / SECTOR_BYTES {
            let range = sector * SECTOR_BYTES..(sector + 1) * SECTOR_BYTES;
            let old = &self.bytes[range];
            self.before.entry(sector).or_insert_with(|| (old != ZEROS).then(|| old.to_vec()));
        }
        self.bytes[start..start + bytes.len()].copy_from_slice(bytes);
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).expect("a simulated file is small")
}

#[cfg(test)]
mod tests {
    use super::{DiskOperation, LogDisk, SECTOR_BYTES};
    use alloc::{vec, vec::Vec};
    use bytes::Bytes;
    use kernel::Rng;
    use log::SegmentNumber;

    const ONE: SegmentNumber = SegmentNumber(1);

    fn write(sector: u64, byte: u8, sectors: usize) -> DiskOperation {
        DiskOperation::Write {
            segment: ONE,
            offset: sector * 512,
            bytes: Bytes::from(vec![byte; sectors * SECTOR_BYTES]),
        }
    }

    #[test]
    fn a_crash_keeps_what_was_flushed_and_any_part_of_what_was_not() {
        let mut outcomes = Vec::new();
        for seed in 0..200 {
            let mut disk = LogDisk::default();
            disk.perform(&DiskOperation::Create { segment: ONE, bytes_len: 2_048 });
            disk.perform(&write(0, 1, 1));
            disk.perform(&DiskOperation::Flush { segment: ONE });
            disk.perform(&write(1, 2, 2));
            disk.crash(None, &mut Rng::new(seed));
            let bytes = disk.read_all(ONE).expect("the file exists");
            assert_eq!((bytes[0], bytes[1_536]), (1, 0));
            outcomes.push((bytes[512], bytes[1_024]));
        }
        for outcome in [(0, 0), (0, 2), (2, 0), (2, 2)] {
            assert!(outcomes.contains(&outcome), "{outcome:?} never happened");
        }
    }

    #[test]
    fn nothing_after_a_flush_is_done_before_it() {
        for seed in 0..200 {
            let mut disk = LogDisk::default();
            disk.perform(&DiskOperation::Create { segment: ONE, bytes_len: 2_048 });
            let operations =
                [write(0, 1, 1), DiskOperation::Flush { segment: ONE }, write(1, 2, 1)];
            let rng = &mut Rng::new(seed);
            disk.perform_in_part(&operations, rng);
            disk.crash(None, rng);
            let bytes = disk.read_all(ONE).expect("the file exists");
            assert!(bytes[512] == 0 || bytes[0] == 1, "the second write overtook the flush");
        }
    }
}

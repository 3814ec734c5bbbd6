//! A simulated file under the engine: what was not flushed, a crash may keep, drop or tear, sector by
//! sector.
//!
//! ```text
//!   bytes     what a running process reads
//!   before    what stood in each sector before its first write since the last flush
//! ```
//! A handle belongs to one life of the process. What a handle of an ended life asks for fails, so the
//! engine can be dropped without a last word.

use std::{
    collections::BTreeMap,
    fmt,
    io::{Error, ErrorKind},
    sync::{Arc, Mutex, MutexGuard},
};

use base::{Place, StorageBackend};
use kernel::{Fault, Rng};

const SECTOR_BYTES: usize = 512;

/// What the files of one disk share.
#[derive(Debug, Default)]
pub(super) struct Device {
    /// The present life of the process.
    life: u64,
    /// A failure to come.
    failure: Option<Failure>,
    /// The last operation failed on purpose.
    has_failed: bool,
}

/// The kind of operation that fails, and how many of that kind go well before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) kind: Operation,
    pub(super) after: u64,
}

/// What a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Read,
    Write,
    Flush,
}

impl Device {
    /// Lets an operation fail; nothing fails without one.
    pub(super) fn fail(&mut self, failure: Option<Failure>) {
        self.failure = failure;
    }

    /// The failure that has not come yet.
    pub(super) fn take_failure_to_come(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// True if the last operation failed on purpose.
    pub(super) fn take_failure(&mut self) -> bool {
        std::mem::take(&mut self.has_failed)
    }

    /// The process ends: all handles are dead.
    pub(super) fn end_life(&mut self) {
        self.life += 1;
    }

    /// True if this operation goes well.
    fn goes_well(&mut self, kind: Operation) -> bool {
        self.has_failed = match &mut self.failure {
            Some(failure) if failure.kind == kind && failure.after == 0 => {
                self.failure = None;
                true
            }
            Some(failure) if failure.kind == kind => {
                failure.after -= 1;
                false
            }
            _ => false,
        };
        !self.has_failed
    }
}

/// One file, which stays when the process ends.
#[derive(Clone)]
pub(super) struct SimulatedFile {
    device: Arc<Mutex<Device>>,
    content: Arc<Mutex<Content>>,
}

#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    before: BTreeMap<usize, [u8; SECTOR_BYTES]>,
    /// How long the file was at the last flush.
    flushed_len: usize,
    /// Changes carried out, of all lives.
    changes: u64,
    /// How many more changes are carried out before the process ends; the one after them is begun.
    changes_left: Option<u64>,
}

impl SimulatedFile {
    /// An empty file.
    pub(super) fn new(device: &Arc<Mutex<Device>>) -> Self {
        Self { device: Arc::clone(device), content: Arc::default() }
    }

    /// How many changes (writes, flushes, new lengths) it has seen.
    pub(super) fn changes(&self) -> u64 {
        lock(&self.content).changes
    }

    /// The process ends in the middle of what comes next, after this many changes.
    pub(super) fn end_after(&self, changes: u64) {
        lock(&self.content).changes_left = Some(changes);
    }

    /// Power fails: each unflushed sector is as it was, as it was written, or torn between the two.
    pub(super) fn crash(&self, rng: &mut Rng) {
        lock(&self.content).crash(rng);
    }

    /// All that a process reads now.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> Vec<u8> {
        lock(&self.content).bytes.clone()
    }

    fn handle(&self) -> Handle {
        Handle { life: lock(&self.device).life, file: self.clone() }
    }
}

impl fmt::Debug for SimulatedFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a simulated file")
    }
}

impl Place for SimulatedFile {
    type Backend = Handle;

    fn create(&self) -> Result<Handle, Fault> {
        Ok(self.handle())
    }

    fn open(&self) -> Result<Handle, Fault> {
        Ok(self.handle())
    }

    fn committed(&self) -> Result<(), Fault> {
        Ok(())
    }
}

/// A file as one life of the process has it open.
#[derive(Debug)]
pub(super) struct Handle {
    file: SimulatedFile,
    life: u64,
}

impl Handle {
    /// The content, for an operation that goes well.
    fn begin(&self, kind: Operation) -> Result<MutexGuard<'_, Content>, Error> {
        let mut device = lock(&self.file.device);
        let content = lock(&self.file.content);
        if device.life != self.life || content.has_ended() {
            return Err(Error::other("the process has ended"));
        }
        if device.goes_well(kind) { Ok(content) } else { Err(Error::other("the disk fails")) }
    }
}

impl StorageBackend for Handle {
    fn len(&self) -> Result<u64, Error> {
        Ok(lock(&self.file.content).bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), Error> {
        let content = self.begin(Operation::Read)?;
        let start = place(offset);
        let end = start + out.len();
        let bytes = content.bytes.get(start..end).ok_or(ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), Error> {
        let mut content = self.begin(Operation::Write)?;
        content.set_len(place(len));
        content.changed()
    }

    fn sync_data(&self) -> Result<(), Error> {
        let mut content = self.begin(Operation::Flush)?;
        content.changed()?;
        content.flush();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), Error> {
        let mut content = self.begin(Operation::Write)?;
        content.write(place(offset), data);
        content.changed()
    }
}

impl Content {
    fn has_ended(&self) -> bool {
        self.changes_left.is_some_and(|left| left == u64::MAX)
    }

    /// A change has been begun; fails if the process ends in the middle of it.
    fn changed(&mut self) -> Result<(), Error> {
        self.changes += 1;
        match &mut self.changes_left {
            Some(0) => {
                self.changes_left = Some(u64::MAX);
                Err(Error::other("the process ends"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn flush(&mut self) {
        self.before.clear();
        self.flushed_len = self.bytes.len();
    }

    /// What a process reads in a sector; nothing but zeros lies behind the end.
    fn sector(&self, sector: usize) -> [u8; SECTOR_BYTES] {
        let mut bytes = [0; SECTOR_BYTES];
        let rest = self.bytes.get(sector * SECTOR_BYTES..).unwrap_or_default();
        let length = rest.len().min(SECTOR_BYTES);
        bytes[..length].copy_from_slice(&rest[..length]);
        bytes
    }

    fn remember(&mut self, sectors: std::ops::Range<usize>) {
        for sector in sectors {
            if !self.before.contains_key(&sector) {
                self.before.insert(sector, self.sector(sector));
            }
        }
    }

    fn write(&mut self, start: usize, data: &[u8]) {
        let end = start + data.len();
        self.remember(start / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES));
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[start..end].copy_from_slice(data);
    }

    fn set_len(&mut self, len: usize) {
        if len < self.bytes.len() {
            self.remember(len / SECTOR_BYTES..self.bytes.len().div_ceil(SECTOR_BYTES));
        }
        self.bytes.resize(len, 0);
    }

    fn crash(&mut self, rng: &mut Rng) {
        // Some crashes lose everything, some nothing, most something.
        let odds = [(0, 1), (1, 1), (1, 2), (1, 8), (7, 8)];
        let (kept, of) = *rng.pick(&odds).expect("some odds");
        let before = std::mem::take(&mut self.before);
        let after: Vec<_> = before.keys().map(|sector| (*sector, self.sector(*sector))).collect();
        if rng.chance(1, 2) {
            self.bytes.resize(self.flushed_len, 0);
        }
        for ((sector, new), old) in after.into_iter().zip(before.into_values()) {
            let left = if rng.chance(kept, of) { new } else { torn(old, new, rng) };
            let start = sector * SECTOR_BYTES;
            let end = self.bytes.len().min(start + SECTOR_BYTES);
            if start < end {
                self.bytes[start..end].copy_from_slice(&left[..end - start]);
            }
        }
        self.flush();
        self.changes_left = None;
    }
}

/// What stood in a sector, or one time in eight its one end as it was and the other as it was written.
fn torn(old: [u8; SECTOR_BYTES], new: [u8; SECTOR_BYTES], rng: &mut Rng) -> [u8; SECTOR_BYTES] {
    if !rng.chance(1, 8) {
        return old;
    }
    let cut = place(rng.between(0, SECTOR_BYTES as u64));
    let (mut torn, end) = if rng.chance(1, 2) { (old, new) } else { (new, old) };
    torn[cut..].copy_from_slice(&end[cut..]);
    torn
}

fn place(number: u64) -> usize {
    usize::try_from(number).expect("a simulated file is small")
}

/// The simulator has one thread: nobody else holds the lock, and nobody died with it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics with a simulated disk in hand")
}

#[cfg(test)]
mod tests {
    use super::{Content, SECTOR_BYTES};
    use kernel::Rng;

    /// A file of two flushed sectors of 1, a third that grew since, and 2 written over all.
    fn written() -> Content {
        let mut content = Content::default();
        content.write(0, &[1; 2 * SECTOR_BYTES]);
        content.flush();
        content.set_len(3 * SECTOR_BYTES);
        content.write(0, &[2; 3 * SECTOR_BYTES]);
        content
    }

    #[test]
    fn a_crash_keeps_drops_and_tears_what_was_not_flushed() {
        let (mut kept, mut dropped, mut torn, mut short) = (0, 0, 0, 0);
        for seed in 0..400 {
            let mut content = written();
            content.crash(&mut Rng::new(seed));
            short += u64::from(content.bytes.len() == 2 * SECTOR_BYTES);
            for sector in content.bytes[..2 * SECTOR_BYTES].chunks(SECTOR_BYTES) {
                let news = sector.iter().filter(|byte| **byte == 2).count();
                assert!(sector.iter().all(|byte| [1, 2].contains(byte)), "seed {seed}");
                let of_kind = match news {
                    0 => &mut dropped,
                    SECTOR_BYTES => &mut kept,
                    _ => &mut torn,
                };
                *of_kind += 1;
            }
        }
        let all = [kept, dropped, torn, short];
        assert!(all.iter().all(|count| *count > 20), "kept, dropped, torn, short: {all:?}");
    }

    #[test]
    fn what_was_flushed_stays() {
        for seed in 0..50 {
            let mut content = written();
            content.flush();
            content.crash(&mut Rng::new(seed));
            assert_eq!(content.bytes, [2; 3 * SECTOR_BYTES]);
        }
    }

    #[test]
    fn a_shorter_file_may_be_as_long_as_before_again() {
        let mut lengths = [false; 2];
        for seed in 0..50 {
            let mut content = Content::default();
            content.write(0, &[1; 2 * SECTOR_BYTES]);
            content.flush();
            content.set_len(SECTOR_BYTES);
            content.crash(&mut Rng::new(seed));
            assert!(content.bytes[..SECTOR_BYTES] == [1; SECTOR_BYTES]);
            lengths[content.bytes.len() / SECTOR_BYTES - 1] = true;
        }
        assert_eq!(lengths, [true; 2]);
    }
}

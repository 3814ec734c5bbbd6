//! A disk with a cache: any sector that was not flushed may survive a power cut, or not.

use std::collections::BTreeMap;

use kernel::{Bytes, Rng};
use log::{
    DiskOperation, Identity, Limits, ReadRange, Recovered, Recovery, RecoveryError, SegmentNumber,
};

pub const SECTOR: usize = 512;

#[derive(Clone, Default)]
pub struct Disk {
    pub files: BTreeMap<SegmentNumber, File>,
}

#[derive(Clone)]
pub struct File {
    pub durable: Vec<u8>,
    cache: BTreeMap<usize, Cached>,
}

#[derive(Clone)]
struct Cached {
    bytes: Vec<u8>,
    is_dirty: bool,
}

impl File {
    pub fn seen(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for (sector, cached) in &self.cache {
            bytes[sector * SECTOR..][..SECTOR].copy_from_slice(&cached.bytes);
        }
        bytes
    }

    /// The sectors that differ from what is durable.
    pub fn dirty(&self) -> Vec<usize> {
        let differs = |sector: usize, cached: &Cached| {
            cached.is_dirty && self.durable[sector * SECTOR..][..SECTOR] != cached.bytes
        };
        self.cache
            .iter()
            .filter(|(sector, cached)| differs(**sector, cached))
            .map(|(s, _)| *s)
            .collect()
    }

    pub fn keep(&mut self, sector: usize) {
        let bytes = self.cache[&sector].bytes.clone();
        self.durable[sector * SECTOR..][..SECTOR].copy_from_slice(&bytes);
    }

    pub fn forget(&mut self) {
        self.cache.clear();
    }
}

impl Disk {
    pub fn carry_out(&mut self, operations: &[DiskOperation]) {
        for operation in operations {
            self.carry_out_one(operation, usize::MAX, true);
        }
    }

    /// Of a write, only the first `sectors_max`; a flush may fail, and then the system takes what was
    /// not written for written.
    pub fn carry_out_one(&mut self, operation: &DiskOperation, sectors_max: usize, flushes: bool) {
        match operation {
            DiskOperation::Create { segment, bytes_len } => {
                let durable = vec![0; *bytes_len as usize];
                self.files.insert(*segment, File { durable, cache: BTreeMap::new() });
            }
            DiskOperation::Write { segment, offset, bytes } => {
                let file = self.files.get_mut(segment).expect("the file was created");
                let first = *offset as usize / SECTOR;
                assert_eq!((*offset as usize % SECTOR, bytes.len() % SECTOR), (0, 0));
                assert!(*offset as usize + bytes.len() <= file.durable.len());
                for (place, sector) in bytes.chunks(SECTOR).take(sectors_max).enumerate() {
                    let cached = Cached { bytes: sector.to_vec(), is_dirty: true };
                    file.cache.insert(first + place, cached);
                }
            }
            DiskOperation::Flush { segment } => {
                let file = self.files.get_mut(segment).expect("the file was created");
                for (sector, cached) in &mut file.cache {
                    if cached.is_dirty && flushes {
                        file.durable[sector * SECTOR..][..SECTOR].copy_from_slice(&cached.bytes);
                    }
                    cached.is_dirty = false;
                }
            }
            DiskOperation::Remove { segment } => {
                self.files.remove(segment).expect("the file is there");
            }
        }
    }

    /// The power goes: each sector that was not flushed is new or as before, or garbage if
    /// `garbles`.
    pub fn cut_power(&mut self, rng: &mut Rng, garbles: bool) {
        let all_or_some = rng.below(3);
        for file in self.files.values_mut() {
            for sector in file.dirty() {
                match all_or_some {
                    0 => {}
                    1 => file.keep(sector),
                    _ if garbles && rng.chance(1, 4) => {
                        for byte in &mut file.durable[sector * SECTOR..][..SECTOR] {
                            *byte = rng.next() as u8;
                        }
                    }
                    _ if rng.chance(1, 2) => file.keep(sector),
                    _ => {}
                }
            }
            file.forget();
        }
    }

    pub fn recovery(&self, identity: Identity, limits: Limits) -> Result<Recovery, RecoveryError> {
        let segments: Vec<_> = self.files.keys().copied().collect();
        let mut recovery = Recovery::new(identity, limits, &segments)?;
        while let Some(segment) = recovery.wanted() {
            let _ = recovery.feed(segment, Bytes::from(self.files[&segment].seen()));
        }
        Ok(recovery)
    }

    pub fn recover(&self, identity: Identity, limits: Limits) -> Result<Recovered, RecoveryError> {
        self.recovery(identity, limits)?.finish()
    }

    pub fn read(&self, range: ReadRange) -> Bytes {
        let bytes = self.files[&range.segment].seen();
        Bytes::copy_from_slice(&bytes[range.offset as usize..][..range.bytes_len as usize])
    }

    pub fn flip(&mut self, segment: SegmentNumber, bit: usize) {
        self.at_rest(segment)[bit / 8] ^= 1 << (bit % 8);
    }

    /// The bytes on the platter, with nothing of the file in the cache.
    pub fn at_rest(&mut self, segment: SegmentNumber) -> &mut Vec<u8> {
        let file = self.files.get_mut(&segment).expect("the file is there");
        file.forget();
        &mut file.durable
    }
}

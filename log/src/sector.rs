//! Sectors that prove what they are: 504 bytes of payload and 8 of checksum.
//!
//! A disk writes 512 bytes whole or not at all, and several of them in any order. So each sector
//! carries its own checksum, and the checksum also covers the segment, the batch and the place
//! within the batch. Whoever finds a sector can tell three cases apart without believing any other
//! byte of the file: it is **new** (what was meant to be here), still **zero** (the write never
//! came), or **garbage** (neither: damage, or a sector that belongs elsewhere).

use alloc::vec::Vec;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// What a disk writes whole or not at all.
pub(crate) const SECTOR_BYTES: usize = 512;

/// How much of it is ours to fill.
pub(crate) const PAYLOAD_BYTES: usize = SECTOR_BYTES - 8;

/// Which sector this should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The segment's own number, so that no other file's sector is taken for one of this.
    pub(crate) salt: u64,
    /// The batch.
    pub(crate) batch: u64,
    /// The sector within the batch.
    pub(crate) position: u64,
}

/// What a sector turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sector {
    /// What was meant to be here.
    New,
    /// Still as the file was made.
    Zero,
    /// Neither.
    Garbage,
}

impl Place {
    fn checksum(&self, payload: &[u8]) -> u64 {
        let mut name = [0; 24];
        name[..8].copy_from_slice(&self.salt.to_le_bytes());
        name[8..16].copy_from_slice(&self.batch.to_le_bytes());
        name[16..].copy_from_slice(&self.position.to_le_bytes());
        // Never zero, so that a sector of zeros is never taken for a new one.
        xxh3_64_with_seed(payload, xxh3_64(&name)).max(1)
    }
}

/// What `sector` is, if it should be the one at `place`.
pub(crate) fn judge(sector: &[u8], place: &Place) -> Sector {
    assert_eq!(sector.len(), SECTOR_BYTES, "a sector has one size");
    let (payload, checksum) = sector.split_at(PAYLOAD_BYTES);
    if place.checksum(payload).to_le_bytes() == checksum {
        Sector::New
    } else if is_zero(sector) {
        Sector::Zero
    } else {
        Sector::Garbage
    }
}

/// The sectors that carry `payload` as batch `batch`, padded with zeros.
pub(crate) fn fill(payload: &[u8], salt: u64, batch: u64) -> Vec<u8> {
    let mut sectors = Vec::with_capacity(count(payload.len()) * SECTOR_BYTES);
    for (position, piece) in payload.chunks(PAYLOAD_BYTES).enumerate() {
        let start = sectors.len();
        sectors.extend_from_slice(piece);
        sectors.resize(start + PAYLOAD_BYTES, 0);
        let place = Place { salt, batch, position: position as u64 };
        let checksum = place.checksum(&sectors[start..]);
        sectors.extend_from_slice(&checksum.to_le_bytes());
    }
    sectors
}

/// The payload of whole sectors, padding included.
pub(crate) fn gather(sectors: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(sectors.len());
    for sector in sectors.chunks(SECTOR_BYTES) {
        payload.extend_from_slice(&sector[..PAYLOAD_BYTES]);
    }
    payload
}

/// How many sectors a payload of `payload_bytes` takes.
pub(crate) const fn count(payload_bytes: usize) -> usize {
    payload_bytes.div_ceil(PAYLOAD_BYTES)
}

/// True if there are only zeros.
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<64>();
    words.iter().all(|word| *word == [0; 64]) && rest.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::{Place, SECTOR_BYTES, Sector, count, fill, gather, judge};

    const SALT: u64 = 7;

    #[test]
    fn what_is_filled_is_gathered_and_padded() {
        let payload = [3; 1000];
        let sectors = fill(&payload, SALT, 9);
        assert_eq!(sectors.len(), count(1000) * SECTOR_BYTES);
        let gathered = gather(&sectors);
        assert_eq!(gathered[..1000], payload);
        assert!(gathered[1000..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_sector_is_new_only_in_its_own_place() {
        let sectors = fill(&[3; 1000], SALT, 9);
        let second = &sectors[SECTOR_BYTES..];
        assert_eq!(judge(second, &Place { salt: SALT, batch: 9, position: 1 }), Sector::New);
        for elsewhere in [
            Place { salt: SALT, batch: 9, position: 0 },
            Place { salt: SALT, batch: 8, position: 1 },
            Place { salt: SALT + 1, batch: 9, position: 1 },
        ] {
            assert_eq!(judge(second, &elsewhere), Sector::Garbage);
        }
    }

    #[test]
    fn zeros_are_zero_even_where_zeros_were_meant() {
        let place = Place { salt: SALT, batch: 9, position: 0 };
        assert_eq!(judge(&[0; SECTOR_BYTES], &place), Sector::Zero);
        assert_eq!(judge(&fill(&[0; 10], SALT, 9), &place), Sector::New);
    }
}

//! The meta: what the first two pages say, each behind its page's header.
//!
//! ```text
//! ┌───────┬─────────┬────────────┬───────┬─────────┬──────────┬───────────┬──────────┬─────────────┬──────────┐
//! │ magic │ version │ page bytes │ flags │ root's  │ root's   │ freelist's│ pages in │ transaction │ checksum │
//! │  u32  │   u32   │    u32     │  u32  │ page u64│ seq. u64 │ page u64  │ use u64  │     u64     │   u64    │
//! └───────┴─────────┴────────────┴───────┴─────────┴──────────┴───────────┴──────────┴─────────────┴──────────┘
//! ```
//! bbolt writes the two in turns, so that one is whole after a crash. The whole one with the higher transaction
//! counts. The checksum is FNV-1a of 64 bits over what stands before it.

use crate::{
    format::{FREELIST_PAGE, PAGE_BYTES, PageId, number_u32, number_u64},
    read::MetaFlaw,
};

pub(crate) const META_BYTES: usize = 64;
const CHECKSUM_PLACE: usize = 56;
const MAGIC: u32 = 0xed0c_daed;
const VERSION: u32 = 2;
/// The sizes of pages that bbolt looks for, as powers of two.
pub(crate) const PAGE_BITS: core::ops::RangeInclusive<u32> = 10..=24;

/// What a meta says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) page_bytes: u32,
    pub(crate) root: PageId,
    /// One behind the last page that is in use.
    pub(crate) end: PageId,
    pub(crate) transaction: u64,
}

impl Meta {
    /// The meta's bytes; the freelist is where it is always written here.
    pub(crate) fn encode(&self) -> [u8; META_BYTES] {
        let mut bytes = [0; META_BYTES];
        bytes[..4].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[4..8].copy_from_slice(&VERSION.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.page_bytes.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.root.0.to_le_bytes());
        bytes[32..40].copy_from_slice(&FREELIST_PAGE.0.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.end.0.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.transaction.to_le_bytes());
        let checksum = checksum(&bytes[..CHECKSUM_PLACE]);
        bytes[CHECKSUM_PLACE..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The meta that `bytes` are.
    pub(crate) fn decode(bytes: &[u8; META_BYTES]) -> Result<Self, MetaFlaw> {
        let u32_at = |place| number_u32(bytes, place).expect("the place lies within the meta");
        let u64_at = |place| number_u64(bytes, place).expect("the place lies within the meta");
        if u32_at(0) != MAGIC {
            return Err(MetaFlaw::Magic { found: u32_at(0) });
        }
        if u32_at(4) != VERSION {
            return Err(MetaFlaw::Version { found: u32_at(4) });
        }
        if u64_at(CHECKSUM_PLACE) != checksum(&bytes[..CHECKSUM_PLACE]) {
            return Err(MetaFlaw::Checksum);
        }
        let page_bytes = u32_at(8);
        if !page_bytes.is_power_of_two() || !PAGE_BITS.contains(&page_bytes.trailing_zeros()) {
            return Err(MetaFlaw::PageSize { found: page_bytes });
        }
        let (root, end) = (PageId(u64_at(16)), PageId(u64_at(40)));
        Ok(Self { page_bytes, root, end, transaction: u64_at(48) })
    }
}

/// FNV-1a (Fowler, Noll, Vo) of 64 bits.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

/// The two metas of a file that is written in one go.
pub(crate) fn written(root: PageId, end: PageId) -> [Meta; 2] {
    [0, 1].map(|transaction| Meta { page_bytes: PAGE_BYTES, root, end, transaction })
}

#[cfg(test)]
mod tests {
    use super::{Meta, MetaFlaw, PageId, checksum, written};

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(checksum(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(checksum(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(checksum(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_meta_is_read_as_it_was_written_and_a_changed_one_is_not() {
        let [meta, _] = written(PageId(5), PageId(6));
        let bytes = meta.encode();
        assert_eq!(Meta::decode(&bytes), Ok(meta));
        for place in 0..bytes.len() {
            let mut changed = bytes;
            changed[place] ^= 0x10;
            assert!(Meta::decode(&changed).is_err(), "byte {place}");
        }
    }

    #[test]
    fn pages_have_a_size_that_bbolt_could_have_chosen() {
        let [meta, _] = written(PageId(5), PageId(6));
        for page_bytes in [0, 512, 4095, 1 << 25] {
            let bytes = Meta { page_bytes, ..meta }.encode();
            assert_eq!(Meta::decode(&bytes), Err(MetaFlaw::PageSize { found: page_bytes }));
        }
    }
}

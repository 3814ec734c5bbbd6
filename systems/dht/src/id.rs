//! Ids of 160 bits and the distance between them: exclusive or (Maymounkov and Mazières 2002, §2.1).

use core::fmt;

use kernel::checksum::crc32c;
use sha1::{Digest, Sha1};

/// The length of an id, in bits.
pub const ID_BITS: u32 = 160;

/// A node's name, or the name of what is stored: a point in the same space.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub [u8; 20]);

impl Id {
    /// The SHA-1 of the pieces, one after the other.
    #[must_use]
    pub fn hash(pieces: &[&[u8]]) -> Self {
        let mut hasher = Sha1::new();
        pieces.iter().for_each(|piece| hasher.update(piece));
        Self(hasher.finalize().into())
    }

    /// How far the ids are apart. It is symmetric, and to each id there is one at each distance.
    #[must_use]
    pub fn distance(self, other: Self) -> Distance {
        Distance(core::array::from_fn(|place| self.0[place] ^ other.0[place]))
    }

    /// How many leading bits the ids share.
    #[must_use]
    pub fn shared_bits(self, other: Self) -> u32 {
        let distance = self.distance(other).0;
        let zeros = distance.iter().take_while(|byte| **byte == 0).count();
        let next = distance.get(zeros).map_or(0, |byte| byte.leading_zeros());
        u32::try_from(zeros).expect("there are 20 bytes") * 8 + next
    }

    /// This id with the first `bits` bits of `other`, and the bit after them other than there: a point of the
    /// bucket that shares exactly so many bits with `other`.
    #[must_use]
    pub fn in_bucket(mut self, other: Self, bits: u32) -> Self {
        for bit in 0..=bits.min(ID_BITS - 1) {
            let (byte, mask) = ((bit / 8) as usize, 0x80 >> (bit % 8));
            let wanted = other.0[byte] & mask ^ if bit == bits { mask } else { 0 };
            self.0[byte] = self.0[byte] & !mask | wanted;
        }
        self
    }

    /// This id with the 21 leading bits that BEP 42 wants of a node at `ip`; the last byte chooses among eight.
    #[must_use]
    pub fn bound_to(mut self, ip: [u8; 4]) -> Self {
        let wanted = bound_prefix(ip, self.0[19]);
        self.0[0] = wanted[0];
        self.0[1] = wanted[1];
        self.0[2] = wanted[2] & 0xf8 | self.0[2] & 0x07;
        self
    }

    /// True if BEP 42 lets a node at `ip` have this id.
    #[must_use]
    pub fn is_bound_to(self, ip: [u8; 4]) -> bool {
        self.bound_to(ip) == self
    }
}

/// The first bytes of the CRC-32C of the address, masked, under a number of three bits (BEP 42).
fn bound_prefix(ip: [u8; 4], chance: u8) -> [u8; 4] {
    const MASK: [u8; 4] = [0x03, 0x0f, 0x3f, 0xff];
    let mut masked: [u8; 4] = core::array::from_fn(|place| ip[place] & MASK[place]);
    masked[0] |= (chance & 7) << 5;
    crc32c(&masked).to_be_bytes()
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// How far two ids are apart, as a number of 160 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance(pub [u8; 20]);

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn the_examples_of_bep_42_hold() {
        let examples = [
            ([124, 31, 75, 21], 1, [0x5f, 0xbf, 0xbf]),
            ([21, 75, 31, 124], 86, [0x5a, 0x3c, 0xe9]),
            ([65, 23, 51, 170], 22, [0xa5, 0xd4, 0x32]),
            ([84, 124, 73, 14], 65, [0x1b, 0x03, 0x21]),
            ([43, 213, 53, 83], 90, [0xe5, 0x6f, 0x6c]),
        ];
        for (ip, last, wanted) in examples {
            let mut id = Id([0; 20]);
            id.0[19] = last;
            let bound = id.bound_to(ip);
            assert_eq!(bound.0[..2], wanted[..2]);
            assert_eq!(bound.0[2] & 0xf8, wanted[2] & 0xf8);
            assert!(bound.is_bound_to(ip) && !id.is_bound_to(ip));
        }
    }

    #[test]
    fn a_point_of_a_bucket_shares_exactly_its_bits() {
        let own = Id::hash(&[b"own"]);
        for bits in 0..160 {
            assert_eq!(Id::hash(&[b"any"]).in_bucket(own, bits).shared_bits(own), bits);
        }
        assert_eq!(own.shared_bits(own), 160);
    }
}

//! CRC-32C (Castagnoli), eight bytes at a time, without hardware and without `unsafe`.

const POLYNOMIAL: u32 = 0x82f6_3b78;

const TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0u32; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            let carry = remainder & 1;
            remainder = (remainder >> 1) ^ (POLYNOMIAL * carry);
            bit += 1;
        }
        tables[0][byte] = remainder;
        byte += 1;
    }
    let mut slice = 1;
    while slice < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[slice - 1][byte];
            tables[slice][byte] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            byte += 1;
        }
        slice += 1;
    }
    tables
}

/// The CRC-32C of what comes piece by piece.
#[derive(Clone, Copy, Debug)]
pub struct Crc32c(u32);

impl Default for Crc32c {
    fn default() -> Self {
        Self(!0)
    }
}

impl Crc32c {
    /// Takes the next piece.
    pub fn take(&mut self, piece: &[u8]) {
        self.0 = extend(self.0, piece);
    }

    /// The CRC-32C of all that was taken.
    #[must_use]
    pub const fn end(self) -> u32 {
        !self.0
    }
}

/// The CRC-32C of `data`.
#[must_use]
pub fn crc32c(data: &[u8]) -> u32 {
    crc32c_of(&[data])
}

/// The CRC-32C of `pieces` as if they stood one after the other.
#[must_use]
pub fn crc32c_of(pieces: &[&[u8]]) -> u32 {
    let mut sum = Crc32c::default();
    pieces.iter().for_each(|piece| sum.take(piece));
    sum.end()
}

fn extend(mut remainder: u32, data: &[u8]) -> u32 {
    let (eights, rest) = data.as_chunks::<8>();
    for eight in eights {
        let word = u64::from_le_bytes(*eight) ^ u64::from(remainder);
        let mixed = word.to_le_bytes();
        remainder = 0;
        for (place, byte) in mixed.iter().enumerate() {
            remainder ^= TABLES[7 - place][usize::from(*byte)];
        }
    }
    for byte in rest {
        let low = remainder.to_le_bytes()[0] ^ byte;
        remainder = (remainder >> 8) ^ TABLES[0][usize::from(low)];
    }
    remainder
}

#[cfg(test)]
mod tests {
    use super::{crc32c, crc32c_of};

    #[test]
    fn the_check_value_of_the_catalogue_and_the_zeros_of_rfc_3720() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn pieces_are_read_as_one() {
        assert_eq!(crc32c_of(&[b"1234", b"", b"56789"]), crc32c(b"123456789"));
    }
}

//! As much of HPACK (RFC 7541) as it takes to find the `:authority` in a block of headers and to read it.

use std::ops::Range;

/// Where `:authority` stands in the static table.
const AUTHORITY: usize = 1;
/// In the first byte of a text: it is in the Huffman code.
const HUFFMAN: u8 = 0x80;

/// The symbols with codes of 5, 6, 7 and 8 bits (appendix B). Within a length, and from one length to the next, codes
/// go up by one. All that a host, a port and a scheme are made of is here.
const SYMBOLS: [(u32, &[u8]); 4] = [
    (5, b"012aceiost"),
    (6, b" %-./3456789=A_bdfghlmnpru"),
    (7, b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"),
    (8, b"&*,;XZ"),
];

/// Where the value of `:authority` stands, its length included; nothing if it is not spelled out here.
pub(super) fn authority(block: &[u8]) -> Option<Range<usize>> {
    let mut at = 0;
    while let Some(first) = block.get(at) {
        let prefix_bits = match first {
            0x80.. => 7,
            0x40.. => 6,
            0x20.. => 5,
            _ => 4,
        };
        let (index, after) = integer(block, at, prefix_bits)?;
        at = after;
        if matches!(first, 0x80.. | 0x20..0x40) {
            continue;
        }
        if index == 0 {
            at = end_of_text(block, at)?;
        }
        let end = end_of_text(block, at)?;
        if index == AUTHORITY {
            return Some(at..end);
        }
        at = end;
    }
    None
}

/// What a text says, its length before it; nothing if it has a symbol that no authority has.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let (_, start) = integer(bytes, 0, 7)?;
    let body = &bytes[start..];
    if bytes[0] & HUFFMAN == 0 {
        return String::from_utf8(body.to_vec()).ok();
    }
    let mut bits =
        body.iter().flat_map(|byte| (0..8).rev().map(move |bit| u32::from(byte >> bit & 1)));
    let mut text = String::new();
    while let Some(symbol) = symbol(&mut bits)? {
        text.push(char::from(symbol));
    }
    Some(text)
}

/// The next symbol; nothing inside if what is left is padding, nothing at all if it is none of ours.
fn symbol(bits: &mut impl Iterator<Item = u32>) -> Option<Option<u8>> {
    let (mut code, mut length, mut first) = (0, 0, 0);
    for (bit_count, symbols) in SYMBOLS {
        first <<= bit_count - length;
        while length < bit_count {
            let Some(bit) = bits.next() else {
                return (code + 1 == 1 << length).then_some(None);
            };
            code = code << 1 | bit;
            length += 1;
        }
        let place = (code - first) as usize;
        if let Some(symbol) = symbols.get(place) {
            return Some(Some(*symbol));
        }
        first += u32::try_from(symbols.len()).expect("a few symbols");
    }
    None
}

/// A text of less than 127 bytes as it is, its length before it.
pub(super) fn plain(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short text");
    [&[length], text.as_bytes()].concat()
}

fn end_of_text(block: &[u8], at: usize) -> Option<usize> {
    let (length, start) = integer(block, at, 7)?;
    let end = start.checked_add(length)?;
    (end <= block.len()).then_some(end)
}

/// An integer whose first byte has so many bits of it, and where it ends (section 5.1).
fn integer(block: &[u8], at: usize, prefix_bits: u32) -> Option<(usize, usize)> {
    let mask = (1 << prefix_bits) - 1;
    let mut number = usize::from(block.get(at)? & mask);
    let mut after = at + 1;
    if number < usize::from(mask) {
        return Some((number, after));
    }
    for shift in [0, 7, 14, 21] {
        let byte = block.get(after)?;
        number += usize::from(byte & 0x7f) << shift;
        after += 1;
        if byte & 0x80 == 0 {
            return Some((number, after));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The requests of appendix C.3.1 and C.4.1, the same without and with the Huffman code.
    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let plain_block = b"\x82\x86\x84\x41\x0fwww.example.com";
        let huffman = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
        for block in [&plain_block[..], &huffman[..]] {
            let place = authority(block).unwrap();
            assert_eq!(place, 4..block.len());
            assert_eq!(text(&block[place]).unwrap(), "www.example.com");
        }
    }

    /// The second request of appendix C.4 means the authority of the first, and says another header.
    #[test]
    fn an_authority_that_was_said_before_is_not_spelled_out() {
        assert_eq!(authority(b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf"), None);
    }

    #[test]
    fn what_is_cut_or_wild_is_not_read() {
        let whole = b"\x82\x86\x84\x41\x0fwww.example.com";
        for length in 4..whole.len() {
            assert_eq!(authority(&whole[..length]), None, "{length}");
        }
        assert_eq!(authority(b"\x41\xff\xff\xff\xff\xff\xff"), None);
        // A symbol of 13 bits.
        assert_eq!(text(b"\x82\xff\xcf"), None);
    }
}

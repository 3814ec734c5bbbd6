//! Writes bencode. Keys must come in order: a dictionary that would not be read back is never sent.

use alloc::vec::Vec;

/// Appends an integer.
pub fn integer(out: &mut Vec<u8>, number: i64) {
    out.push(b'i');
    decimal(out, number);
    out.push(b'e');
}

/// Appends a string of bytes.
pub fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    decimal(out, i64::try_from(bytes.len()).expect("what is encoded is small"));
    out.push(b':');
    out.extend_from_slice(bytes);
}

/// Appends a list of strings.
pub fn list_of_bytes<'a>(out: &mut Vec<u8>, items: impl Iterator<Item = &'a [u8]>) {
    out.push(b'l');
    items.for_each(|item| string(out, item));
    out.push(b'e');
}

/// Appends a dictionary, which `fill` writes.
pub fn dict(out: &mut Vec<u8>, fill: impl FnOnce(&mut DictWriter<'_>)) {
    out.push(b'd');
    fill(&mut DictWriter { out, last: "" });
    out.push(b'e');
}

/// Writes the pairs of a dictionary.
#[derive(Debug)]
pub struct DictWriter<'a> {
    out: &'a mut Vec<u8>,
    last: &'static str,
}

impl DictWriter<'_> {
    /// A string.
    pub fn string(&mut self, key: &'static str, bytes: &[u8]) {
        string(self.key(key), bytes);
    }

    /// A string, if there is one.
    pub fn optional_string(&mut self, key: &'static str, bytes: Option<&[u8]>) {
        if let Some(bytes) = bytes {
            self.string(key, bytes);
        }
    }

    /// An integer.
    pub fn integer(&mut self, key: &'static str, number: i64) {
        integer(self.key(key), number);
    }

    /// An integer, if there is one.
    pub fn optional_integer(&mut self, key: &'static str, number: Option<i64>) {
        if let Some(number) = number {
            self.integer(key, number);
        }
    }

    /// A value that is encoded already.
    pub fn raw(&mut self, key: &'static str, value: &[u8]) {
        self.key(key).extend_from_slice(value);
    }

    /// A dictionary, which `fill` writes.
    pub fn dict(&mut self, key: &'static str, fill: impl FnOnce(&mut DictWriter<'_>)) {
        dict(self.key(key), fill);
    }

    /// Writes the key; gives where its value goes.
    pub fn key(&mut self, key: &'static str) -> &mut Vec<u8> {
        assert!(self.last < key, "the keys of a dictionary come in order");
        self.last = key;
        string(self.out, key.as_bytes());
        self.out
    }
}

fn decimal(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    let mut rest = number.unsigned_abs();
    let start = out.len();
    loop {
        out.push(b'0' + u8::try_from(rest % 10).expect("a digit"));
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out[start..].reverse();
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{dict, integer};
    use crate::bencode::Raw;

    #[test]
    fn what_is_written_is_read_back() {
        for number in [0, 7, -1, i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            integer(&mut out, number);
            assert_eq!(Raw::parse(&out).unwrap().as_integer(), Some(number));
        }
    }

    #[test]
    #[should_panic(expected = "in order")]
    fn keys_out_of_order_are_never_written() {
        dict(&mut Vec::new(), |dict| {
            dict.integer("b", 1);
            dict.integer("a", 1);
        });
    }
}

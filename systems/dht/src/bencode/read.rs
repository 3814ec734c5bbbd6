//! Reads bencode: one pass that proves it, then views into it.

/// The bytes are no bencode, or more than one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Lists and dictionaries within each other, at most: what is deeper is no message of anybody.
const DEPTH_MAX: u32 = 32;

/// One well-formed value, as its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(&'a [u8]);

impl<'a> Raw<'a> {
    /// The value that `bytes` are, all of them.
    ///
    /// # Errors
    /// [`Malformed`] if they are no value in its one encoding, or if something is left over.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let end = end_of_value(bytes, 0, 0)?;
        if end == bytes.len() { Ok(Self(bytes)) } else { Err(Malformed) }
    }

    /// Its encoding.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The integer, if it is one and fits in 64 bits.
    #[must_use]
    pub fn as_integer(self) -> Option<i64> {
        let digits = self.0.strip_prefix(b"i")?.strip_suffix(b"e")?;
        core::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// The bytes of a string, if it is one.
    #[must_use]
    pub fn as_string(self) -> Option<&'a [u8]> {
        let (start, end) = string_span(self.0, 0).ok()?;
        Some(&self.0[start..end])
    }

    /// The items of a list, if it is one.
    #[must_use]
    pub fn as_list(self) -> Option<List<'a>> {
        Some(List { rest: self.0.strip_prefix(b"l")? })
    }

    /// The dictionary, if it is one.
    #[must_use]
    pub fn as_dict(self) -> Option<Dict<'a>> {
        Some(Dict { rest: self.0.strip_prefix(b"d")? })
    }
}

/// The items of a list, in order.
#[derive(Clone, Copy, Debug)]
pub struct List<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for List<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        take_value(&mut self.rest)
    }
}

/// A dictionary: looked up, or walked in the order of its keys.
#[derive(Clone, Copy, Debug)]
pub struct Dict<'a> {
    rest: &'a [u8],
}

impl<'a> Dict<'a> {
    /// The value of a key.
    #[must_use]
    pub fn get(mut self, wanted: &str) -> Option<Raw<'a>> {
        self.find(|(key, _)| *key == wanted.as_bytes()).map(|(_, value)| value)
    }

    /// The string of a key.
    #[must_use]
    pub fn string(self, key: &str) -> Option<&'a [u8]> {
        self.get(key)?.as_string()
    }

    /// The string of a key, if it has exactly this many bytes.
    #[must_use]
    pub fn array<const BYTES: usize>(self, key: &str) -> Option<[u8; BYTES]> {
        self.string(key)?.try_into().ok()
    }

    /// The integer of a key.
    #[must_use]
    pub fn integer(self, key: &str) -> Option<i64> {
        self.get(key)?.as_integer()
    }

    /// The dictionary of a key.
    #[must_use]
    pub fn dict(self, key: &str) -> Option<Self> {
        self.get(key)?.as_dict()
    }

    /// The items of the list of a key; none if there is no such list.
    #[must_use]
    pub fn list(self, key: &str) -> List<'a> {
        self.get(key).and_then(Raw::as_list).unwrap_or(List { rest: &[] })
    }
}

impl<'a> Iterator for Dict<'a> {
    type Item = (&'a [u8], Raw<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = take_value(&mut self.rest)?.as_string()?;
        Some((key, take_value(&mut self.rest)?))
    }
}

/// Takes the value at the front of what was proven to be well-formed; nothing at the closing `e`.
fn take_value<'a>(rest: &mut &'a [u8]) -> Option<Raw<'a>> {
    let end = end_of_value(rest, 0, 0).ok()?;
    let (value, after) = rest.split_at(end);
    *rest = after;
    Some(Raw(value))
}

/// Where the value that begins at `start` ends.
fn end_of_value(bytes: &[u8], start: usize, depth: u32) -> Result<usize, Malformed> {
    if depth > DEPTH_MAX {
        return Err(Malformed);
    }
    match bytes.get(start).ok_or(Malformed)? {
        b'i' => end_of_integer(bytes, start + 1),
        b'l' => end_of_list(bytes, start + 1, depth),
        b'd' => end_of_dict(bytes, start + 1, depth),
        _ => string_span(bytes, start).map(|(_, end)| end),
    }
}

fn end_of_integer(bytes: &[u8], start: usize) -> Result<usize, Malformed> {
    let length = bytes[start..].iter().position(|&byte| byte == b'e').ok_or(Malformed)?;
    let number = &bytes[start..start + length];
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let is_number = is_canonical(digits) && number != b"-0";
    if is_number { Ok(start + length + 1) } else { Err(Malformed) }
}

fn end_of_list(bytes: &[u8], start: usize, depth: u32) -> Result<usize, Malformed> {
    let mut place = start;
    while *bytes.get(place).ok_or(Malformed)? != b'e' {
        place = end_of_value(bytes, place, depth + 1)?;
    }
    Ok(place + 1)
}

fn end_of_dict(bytes: &[u8], start: usize, depth: u32) -> Result<usize, Malformed> {
    let mut place = start;
    let mut last: Option<&[u8]> = None;
    while *bytes.get(place).ok_or(Malformed)? != b'e' {
        let (key_start, key_end) = string_span(bytes, place)?;
        let key = &bytes[key_start..key_end];
        if last.is_some_and(|last| last >= key) {
            return Err(Malformed);
        }
        last = Some(key);
        place = end_of_value(bytes, key_end, depth + 1)?;
    }
    Ok(place + 1)
}

/// First byte of the string that begins at `start`, and the place after its last.
fn string_span(bytes: &[u8], start: usize) -> Result<(usize, usize), Malformed> {
    let rest = &bytes[start..];
    let colon = rest.iter().take(8).position(|&byte| byte == b':').ok_or(Malformed)?;
    let digits = &rest[..colon];
    if !is_canonical(digits) {
        return Err(Malformed);
    }
    let length = digits.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
    let first = start + colon + 1;
    let end = first + length;
    if end <= bytes.len() { Ok((first, end)) } else { Err(Malformed) }
}

/// True for digits of a number without leading zeros.
fn is_canonical(digits: &[u8]) -> bool {
    !digits.is_empty()
        && digits.iter().all(u8::is_ascii_digit)
        && (digits[0] != b'0' || digits.len() == 1)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{Malformed, Raw};

    #[test]
    fn a_message_is_looked_into_without_copies() {
        let bytes = b"d1:ad2:id3:abce1:lli1e2:xxe1:ni-7ee";
        let dict = Raw::parse(bytes).unwrap().as_dict().unwrap();
        assert_eq!(dict.dict("a").unwrap().string("id"), Some(&b"abc"[..]));
        assert_eq!(dict.integer("n"), Some(-7));
        let items: Vec<&[u8]> = dict.list("l").map(Raw::bytes).collect();
        assert_eq!(items, [&b"i1e"[..], b"2:xx"]);
        assert_eq!(dict.get("zz"), None);
    }

    #[test]
    fn a_value_has_one_encoding() {
        let others: [&[u8]; 17] = [
            b"",
            b"i01e",
            b"i-0e",
            b"ie",
            b"i1",
            b"i-e",
            b"i+1e",
            b"03:abc",
            b"3:ab",
            b"-1:a",
            b"l",
            b"d1:ae",
            b"d1:bi1e1:ai1ee",
            b"d1:ai1e1:ai1ee",
            b"di1ei1ee",
            b"i1ei2e",
            b"99999999999999999999:a",
        ];
        for other in others {
            assert_eq!(Raw::parse(other), Err(Malformed), "{other:?}");
        }
    }

    #[test]
    fn what_is_too_deep_is_refused_before_the_stack_is() {
        assert!(Raw::parse(&[b'l'; 100_000]).is_err());
    }
}

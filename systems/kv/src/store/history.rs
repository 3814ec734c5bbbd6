//! Where to find what was there before, for reads of an earlier revision: which changes a key has had.
//!
//! ```text
//! key, escaped | !revision u64, the largest byte first ─▶ kind u8 | place u32
//! ```
//! The kind is 2 for a put, 3 for a deletion. Escaped, a zero byte is 0 255 and the end is 0 1: so rows lie in the
//! order of the keys, and those of one key together, the newest first. A key has at most one change in a revision.
//! The change that put what is still there is not history.

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, TableId, Tables};

use super::{
    View,
    changes::{self, Place},
    corrupt,
    items::Head,
};

/// Where what was there lies, by key and revision.
pub(crate) const HISTORY: TableId = TableId(19);

const PUT: u8 = 2;
const DELETION: u8 = 3;

/// A change that somebody else's has followed, or that left nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) revision: u64,
    /// Among the changes of that revision.
    pub(crate) place: u32,
    pub(crate) is_deletion: bool,
}

impl Past {
    /// The change's revision and place.
    pub(crate) const fn change(self) -> Place {
        (self.revision, self.place)
    }

    /// The item that the change left, and its value; nothing if it was a deletion.
    pub(crate) fn left(self, view: &impl View) -> Result<Option<(Head, Bytes)>, Fault> {
        if self.is_deletion { Ok(None) } else { Ok(changes::at(view, self.change())?.left) }
    }
}

/// Where the rows of a key lie.
pub(crate) struct Rows {
    prefix: Vec<u8>,
}

impl Rows {
    pub(crate) fn of(key: &[u8]) -> Self {
        Self { prefix: escape(key) }
    }

    /// The row of one revision.
    pub(crate) fn at(&self, revision: u64) -> Vec<u8> {
        let mut place = Vec::with_capacity(self.prefix.len() + 8);
        place.extend_from_slice(&self.prefix);
        place.extend_from_slice(&(!revision).to_be_bytes());
        place
    }

    /// Above all rows of the key.
    pub(crate) fn end(&self) -> Vec<u8> {
        let mut end = self.prefix.clone();
        *end.last_mut().expect("an escaped key has an end") += 1;
        end
    }
}

/// What is there under `key` is history from now on: something else follows.
pub(crate) fn shelve(tables: &mut Tables, key: &[u8], present: Head) {
    tables.append(HISTORY, &Rows::of(key).at(present.modified), &encode(PUT, present.place));
}

/// A deletion of `key` is history at once.
pub(crate) fn note_deletion(tables: &mut Tables, key: &[u8], (revision, place): Place) {
    tables.append(HISTORY, &Rows::of(key).at(revision), &encode(DELETION, place));
}

/// The last of what `key` had been by `revision`, as far as it is history.
pub(crate) fn newest(view: &impl View, key: &[u8], revision: u64) -> Result<Option<Past>, Fault> {
    let rows = Rows::of(key);
    let found = view.scan(HISTORY, &rows.at(revision), Some(&rows.end()), 1)?;
    found.into_iter().next().map(|(place, row)| decode(&place, &row)).transpose()
}

/// The first key that has a history at or after a place in it; the place is that of an escaped key.
pub(crate) fn first_key(
    view: &impl View,
    from: &[u8],
    to: Option<&[u8]>,
) -> Result<Option<Bytes>, Fault> {
    let found = view.scan(HISTORY, from, to, 1)?;
    found.first().map(|(place, _)| key_of(place)).transpose()
}

fn encode(kind: u8, place: u32) -> [u8; 5] {
    let mut row = [kind; 5];
    row[1..].copy_from_slice(&place.to_le_bytes());
    row
}

/// Reads a row.
pub(crate) fn decode(place: &[u8], row: &[u8]) -> Result<Past, Fault> {
    let revision = revision_of(place)?;
    let (kind, place) = row.split_first().ok_or_else(malformed)?;
    let place = u32::from_le_bytes(place.try_into().map_err(|_| malformed())?);
    match *kind {
        PUT => Ok(Past { revision, place, is_deletion: false }),
        DELETION => Ok(Past { revision, place, is_deletion: true }),
        _ => Err(malformed()),
    }
}

/// The revision that a row is of.
fn revision_of(place: &[u8]) -> Result<u64, Fault> {
    let bytes = place.last_chunk().ok_or_else(malformed)?;
    Ok(!u64::from_be_bytes(*bytes))
}

/// The key that a row is of.
pub(crate) fn key_of(place: &[u8]) -> Result<Bytes, Fault> {
    let (escaped, _) = place.split_last_chunk::<8>().ok_or_else(malformed)?;
    unescape(escaped).ok_or_else(malformed)
}

fn malformed() -> Fault {
    corrupt(Malformed("a place in the history of a key and a revision"))
}

/// The key so that no other begins with it.
pub(crate) fn escape(key: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(key.len() + 2);
    for byte in key {
        escaped.push(*byte);
        if *byte == 0 {
            escaped.push(u8::MAX);
        }
    }
    escaped.extend_from_slice(&[0, 1]);
    escaped
}

fn unescape(escaped: &[u8]) -> Option<Bytes> {
    let mut key = Vec::with_capacity(escaped.len());
    let mut rest = escaped.strip_suffix(&[0, 1])?.iter();
    while let Some(byte) = rest.next() {
        key.push(*byte);
        if *byte == 0 && rest.next() != Some(&u8::MAX) {
            return None;
        }
    }
    Some(Bytes::from(key))
}

#[cfg(test)]
mod tests {
    use super::{escape, unescape};

    #[test]
    fn escaped_keys_keep_their_order_and_come_back() {
        let keys: [&[u8]; 8] = [b"", b"\0", b"\0\0", b"\0\x01", b"\0\xff", b"a", b"a\0", b"ab"];
        for pair in keys.windows(2) {
            assert!(pair[0] < pair[1], "the test's own keys are in order");
            assert!(escape(pair[0]) < escape(pair[1]), "{pair:?}");
        }
        for key in keys {
            assert_eq!(unescape(&escape(key)).as_deref(), Some(key));
        }
    }
}

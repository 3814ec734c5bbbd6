//! The configurations that were entered.

use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};

use super::words;

/// What a configuration takes besides its bits, roughly.
const OVERHEAD_BYTES: u64 = 64;

/// Which operations are done now, and every configuration that was entered.
///
/// A configuration is written down as the rank of the first known operation not done, the bits of
/// those after it, and the bits of the unknown ones: short, since known operations are done nearly in
/// order.
pub(super) struct Memory<State> {
    known: Vec<u64>,
    unknown: Vec<u64>,
    hash: u64,
    entered: BTreeSet<(u64, Box<[u64]>, State)>,
    bytes: u64,
}

impl<State: Clone + Ord> Memory<State> {
    pub(super) fn new(known: usize, unknown: usize) -> Self {
        Self {
            known: words(known),
            unknown: words(unknown),
            hash: 0,
            entered: BTreeSet::new(),
            bytes: 0,
        }
    }

    /// How many bytes the configurations take, roughly.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn set_known(&mut self, rank: usize, done: bool) {
        set(&mut self.known, rank, done);
        self.hash ^= hash_of(rank as u64);
    }

    pub(super) fn set_unknown(&mut self, number: usize, done: bool) {
        set(&mut self.unknown, number, done);
        self.hash ^= hash_of(!(number as u64));
    }

    pub(super) fn unknown(&self, number: usize) -> bool {
        self.unknown[number / 64] >> (number % 64) & 1 == 1
    }

    /// Notes the present configuration with `state`; false if it was entered before. `first` is the
    /// first known operation that is not done, and none after `last` is.
    pub(super) fn enter(&mut self, first: usize, last: usize, state: &State) -> bool {
        let window = &self.known[first / 64..=(last / 64).max(first / 64)];
        let unknown_len =
            self.unknown.iter().rposition(|word| *word != 0).map_or(0, |place| place + 1);
        let window_len = window.iter().rposition(|word| *word != 0).map_or(0, |place| place + 1);
        let mut bits = Vec::with_capacity(2 + window_len + unknown_len);
        bits.push(first as u64);
        bits.push(window_len as u64);
        bits.extend_from_slice(&window[..window_len]);
        bits.extend_from_slice(&self.unknown[..unknown_len]);
        let bytes = bits.len() as u64 * 8 + OVERHEAD_BYTES;
        let is_new = self.entered.insert((self.hash, bits.into_boxed_slice(), state.clone()));
        if is_new {
            self.bytes += bytes;
        }
        is_new
    }
}

fn set(words: &mut [u64], bit: usize, done: bool) {
    let mask = 1 << (bit % 64);
    let is_done = words[bit / 64] & mask != 0;
    assert_ne!(is_done, done, "an operation is done once and undone once");
    words[bit / 64] ^= mask;
}

/// A number for each operation, so that the hash of a set is the exclusive or over its members.
const fn hash_of(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x632b_e59b_d9b4_e019);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

//! The configurations from which nothing was found.

use alloc::{boxed::Box, collections::BTreeMap, vec, vec::Vec};

use crate::register::Value;

/// What a configuration takes besides its bits and conditions, roughly.
const OVERHEAD_BYTES: u64 = 112;

/// That a class of unknown operations was used so many times: its number and the count.
pub(super) type Used = (usize, usize);

/// Which known operations are done, the rank of the first that is not, and the value: written down as
/// that rank and the bits after it, short since operations are done nearly in order.
pub(super) type Configuration = (u64, Box<[u64]>, Value);

/// Which known operations are done now, and every configuration that was searched in vain.
pub(super) struct Memory {
    known: Vec<u64>,
    hash: u64,
    /// For each configuration, under which conditions the search was in vain: where at least as many
    /// unknown operations of each class named were used. Without any class, always.
    vain: BTreeMap<Configuration, Vec<Box<[Used]>>>,
    bytes: u64,
}

impl Memory {
    pub(super) fn new(known: usize) -> Self {
        Self { known: vec![0; known.div_ceil(64)], hash: 0, vain: BTreeMap::new(), bytes: 0 }
    }

    /// How many bytes the configurations take, roughly.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Notes that `rank` is done, or that it is not after all.
    pub(super) fn flip(&mut self, rank: usize) {
        self.known[rank / 64] ^= 1 << (rank % 64);
        self.hash ^= hash_of(rank as u64);
    }

    /// The present configuration; `first` is the first known operation that is not done, and none from
    /// `end` on is done.
    pub(super) fn configuration(&self, first: usize, end: usize, value: Value) -> Configuration {
        let after = &self.known[first / 64..end.div_ceil(64)];
        let length = after.iter().rposition(|word| *word != 0).map_or(0, |place| place + 1);
        let mut bits = Vec::with_capacity(1 + length);
        bits.push(first as u64);
        bits.extend_from_slice(&after[..length]);
        (self.hash, bits.into_boxed_slice(), value)
    }

    /// The condition under which it was in vain to go on from here, if one holds, and how much was
    /// looked at; `used` tells how many of a class are used.
    pub(super) fn is_vain(
        &self,
        configuration: &Configuration,
        used: impl Fn(usize) -> usize,
    ) -> (Option<&[Used]>, u64) {
        let mut looked_at = 0;
        let mut holds = |one: &&[Used]| {
            looked_at += 1;
            one.iter().all(|(class, count)| {
                looked_at += 1;
                used(*class) >= *count
            })
        };
        let conditions = self.vain.get(configuration).into_iter().flatten();
        let condition = conditions.map(Box::as_ref).find(|one| holds(one));
        (condition, looked_at)
    }

    /// Notes that it is in vain to go on from here under `condition`.
    pub(super) fn note_vain(&mut self, configuration: Configuration, condition: Box<[Used]>) {
        let bytes = configuration.1.len() as u64 * 8 + OVERHEAD_BYTES;
        self.bytes += bytes + condition.len() as u64 * 16;
        self.vain.entry(configuration).or_default().push(condition);
    }
}

/// A number for each operation, so that the hash of a set is the exclusive or over its members.
const fn hash_of(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x632b_e59b_d9b4_e019);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

//! Chance as a value: a small generator that gives the same numbers for the same seed, everywhere.

/// SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, every seed is good, one addition and three
/// mixes a number. For election jitter and simulated faults; never for secrets.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// A generator that starts at `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Where the generator stands: one that starts there gives the same numbers from now on.
    #[must_use]
    pub const fn state(&self) -> u64 {
        self.state
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which must not be 0. The bias is below `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below 0");
        let wide = u128::from(self.next()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("the upper half of 128 bits fits in 64")
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "the range {low}..={high} is empty");
        match (high - low).checked_add(1) {
            Some(width) => low + self.below(width),
            None => self.next(),
        }
    }

    /// True `numerator` times out of `denominator`.
    pub fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.below(denominator) < numerator
    }

    /// One of `items`, or nothing if there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            return None;
        }
        let place = self.below(items.len() as u64);
        items.get(usize::try_from(place).expect("a place in a slice fits in usize"))
    }

    /// A generator of its own for one part of the world, so that a change in how one part draws does
    /// not change what the others draw.
    #[must_use]
    pub const fn fork(&mut self) -> Self {
        Self::new(self.next())
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_same_seed_gives_the_published_numbers() {
        let mut rng = Rng::new(1_234_567);
        let drawn = [rng.next(), rng.next(), rng.next()];
        // Reference values of SplitMix64 for this seed.
        assert_eq!(
            drawn,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn a_generator_goes_on_from_where_another_stands() {
        let mut rng = Rng::new(7);
        rng.next();
        let mut other = Rng::new(rng.state());
        assert_eq!(other.next(), rng.next());
    }

    #[test]
    fn a_range_is_hit_at_both_ends() {
        let mut rng = Rng::new(7);
        let drawn: [u64; 200] = core::array::from_fn(|_| rng.between(3, 5));
        assert!(drawn.contains(&3) && drawn.contains(&5));
        assert!(drawn.iter().all(|number| (3..=5).contains(number)));
    }
}

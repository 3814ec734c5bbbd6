//! One generator for each part of the world, so that a change in how one part draws does not change
//! what the others draw.

use kernel::Rng;

#[derive(Debug)]
pub(crate) struct Chances {
    pub(crate) network: Rng,
    pub(crate) disk: Rng,
    pub(crate) threads: Rng,
    /// When something goes wrong, and what.
    pub(crate) calendar: Rng,
    /// How the latest mishap goes.
    pub(crate) mishaps: Rng,
    pub(crate) clients: Rng,
    pub(crate) lives: Rng,
}

impl Chances {
    pub(crate) fn new(seed: u64) -> Self {
        let mut root = Rng::new(seed);
        Self {
            network: root.fork(),
            disk: root.fork(),
            threads: root.fork(),
            mishaps: root.fork(),
            clients: root.fork(),
            lives: root.fork(),
            calendar: root.fork(),
        }
    }
}

/// A wait, in nanoseconds: `minimum` at least, `mean` more on average, now and then much more.
pub(crate) fn wait_ns(rng: &mut Rng, minimum_ns: u64, mean_ns: u64) -> u64 {
    // The sum of a few draws whose bounds double: a long tail without floats.
    let mut bound = mean_ns;
    while rng.chance(1, 4) && bound < mean_ns.saturating_mul(64) {
        bound = bound.saturating_mul(2);
    }
    minimum_ns + rng.between(0, bound)
}

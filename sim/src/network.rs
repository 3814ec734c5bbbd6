//! The links between computers: who can reach whom, how long it takes, and what gets lost.

use alloc::{collections::BTreeMap, vec::Vec};

use kernel::{NodeId, Rng};

use crate::{chances::wait_ns, counters::Counters, settings::NetworkSettings};

/// How long a message takes at most in a murk: less than an election timeout, a few, or many.
const MURK_NS_MAX: [u64; 3] = [100_000_000, 700_000_000, 2_500_000_000];

/// How many cuts there are at a time, at most.
const CUTS_MAX: usize = 2;

/// One direction of a link.
pub(crate) type Link = (NodeId, NodeId);

#[derive(Debug)]
pub(crate) struct Network {
    settings: NetworkSettings,
    /// How many cuts lie on each direction.
    cuts: BTreeMap<Link, u32>,
    /// How many cuts were made and not mended.
    cuts_made: usize,
    /// How many murks lie on each direction: there messages take their time, each its own.
    murks: BTreeMap<Link, u32>,
    /// What leaves on a direction before the first moment arrives at the second one, or soon after.
    detained: BTreeMap<Link, (u64, u64)>,
    /// When the last message of each direction arrives, where order is kept.
    last_arrivals_ns: BTreeMap<Link, u64>,
}

/// What becomes of a message.
#[derive(Debug)]
pub(crate) enum Fate {
    /// The link is cut.
    Cut,
    /// It arrives at these moments, perhaps at none.
    Arrives([Option<u64>; 2]),
}

impl Network {
    pub(crate) const fn new(settings: NetworkSettings) -> Self {
        Self {
            settings,
            cuts: BTreeMap::new(),
            cuts_made: 0,
            murks: BTreeMap::new(),
            detained: BTreeMap::new(),
            last_arrivals_ns: BTreeMap::new(),
        }
    }

    /// Draws what becomes of a message that leaves now.
    pub(crate) fn send(
        &mut self,
        link: Link,
        now_ns: u64,
        rng: &mut Rng,
        counters: &mut Counters,
    ) -> Fate {
        counters.messages += 1;
        if self.cuts.contains_key(&link) {
            return Fate::Cut;
        }
        if rng.chance(self.settings.loss_per_mille, 1_000) {
            counters.lost += 1;
            return Fate::Arrives([None, None]);
        }
        let first = self.arrival_ns(link, now_ns, rng, counters);
        let second = rng.chance(self.settings.copy_per_mille, 1_000).then(|| {
            counters.copied += 1;
            first + wait_ns(rng, 0, self.settings.delay_mean_ns * 4)
        });
        Fate::Arrives([Some(first), second])
    }

    fn arrival_ns(
        &mut self,
        link: Link,
        now_ns: u64,
        rng: &mut Rng,
        counters: &mut Counters,
    ) -> u64 {
        if rng.chance(self.settings.hold_per_mille, 1_000) {
            counters.held += 1;
            return now_ns + rng.between(100_000_000, 4_000_000_000);
        }
        if self.murks.contains_key(&link) && rng.chance(1, 4) {
            counters.held += 1;
            let most_ns = *rng.pick(&MURK_NS_MAX).expect("some times");
            return now_ns + rng.between(1_000_000, most_ns);
        }
        let start_ns = match self.detained.get(&link) {
            Some((before_ns, at_ns)) if now_ns < *before_ns => *at_ns,
            _ => now_ns,
        };
        counters.held += u64::from(start_ns > now_ns);
        let arrival =
            start_ns + wait_ns(rng, self.settings.delay_minimum_ns, self.settings.delay_mean_ns);
        if !self.settings.keeps_order {
            return arrival;
        }
        let last = self.last_arrivals_ns.entry(link).or_default();
        *last = arrival.max(*last);
        *last
    }

    pub(crate) fn cut(&mut self, links: &[Link]) {
        self.cuts_made += 1;
        lay(&mut self.cuts, links);
    }

    pub(crate) fn mend(&mut self, links: &[Link]) {
        // Healing may have taken it away before.
        self.cuts_made = self.cuts_made.saturating_sub(1);
        lift(&mut self.cuts, links);
    }

    /// True if so much is cut already that with one more nobody might reach anybody.
    pub(crate) const fn is_cut_up(&self) -> bool {
        self.cuts_made >= CUTS_MAX
    }

    /// Each message takes its time on these links, or does not.
    pub(crate) fn darken(&mut self, links: &[Link]) {
        lay(&mut self.murks, links);
    }

    pub(crate) fn clear(&mut self, links: &[Link]) {
        lift(&mut self.murks, links);
    }

    /// What leaves on this link before `before_ns` arrives from `at_ns` on.
    pub(crate) fn detain(&mut self, link: Link, before_ns: u64, at_ns: u64) {
        self.detained.insert(link, (before_ns, at_ns));
    }

    /// From now on everything arrives, soon and in order.
    pub(crate) fn heal(&mut self) {
        self.cuts.clear();
        self.cuts_made = 0;
        self.murks.clear();
        self.detained.clear();
        self.settings.loss_per_mille = 0;
        self.settings.hold_per_mille = 0;
        self.settings.delay_mean_ns = self.settings.delay_mean_ns.min(2_000_000);
        self.settings.delay_minimum_ns = self.settings.delay_minimum_ns.min(1_000_000);
    }
}

fn lay(on: &mut BTreeMap<Link, u32>, links: &[Link]) {
    for link in links {
        *on.entry(*link).or_default() += 1;
    }
}

/// What was laid on links goes; healing may have taken it away before.
fn lift(from: &mut BTreeMap<Link, u32>, links: &[Link]) {
    for link in links {
        if let Some(count) = from.get_mut(link) {
            *count -= 1;
            if *count == 0 {
                from.remove(link);
            }
        }
    }
}

/// All directions between two groups.
pub(crate) fn between(left: &[NodeId], right: &[NodeId]) -> Vec<Link> {
    let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (*a, *b)));
    pairs.filter(|(a, b)| a != b).flat_map(|(a, b)| [(a, b), (b, a)]).collect()
}

//! Causal memory (Ahamad and others 1995): each process can put all changes and its own looks in an
//! order that explains the looks and never turns cause and effect around.
//!
//! Causes of an operation are the ones before it in its process, the one that made what it saw, and
//! their causes. If a change of the same key is among the causes of a look, it must, for that process,
//! stand before the change that was seen, and is then one of that one's causes. A history is causal
//! exactly if this never leads in a circle, and never makes a change a cause of seeing nothing
//! (Bouajjani, Enea, Guerraoui and Hamza 2017, "On verifying causal consistency", §5: CM).
//!
//! Since a process's operations follow each other, causes are a number for each process: how many of
//! its operations, from its first, are among them.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    vec,
    vec::Vec,
};

use crate::{
    facts::{Part, Source},
    history::Process,
    linearizability::{Limit, Limits},
};

/// True if the facts in `part` are causal.
///
/// # Errors
/// The limit that was reached before that was known.
pub(crate) fn is_causal(part: &Part<'_>, limits: &mut Limits) -> Result<bool, Limit> {
    limits.spend(part.numbers().len() as u64, 0)?;
    let Some(world) = World::new(part) else {
        return Ok(false);
    };
    let bytes = world.nodes.len() as u64 * world.chains.len() as u64 * 4 * 2;
    limits.spend(0, bytes)?;
    let mut causes = Causes::new(&world, world.own_counts());
    if !causes.settle(None, (0..world.nodes.len()).collect(), limits)? {
        return Ok(false);
    }
    for (viewer, chain) in world.chains.iter().enumerate() {
        let looks: VecDeque<usize> =
            chain.iter().copied().filter(|node| world.nodes[*node].saw.is_some()).collect();
        if looks.is_empty() {
            continue;
        }
        limits.spend(causes.counts.len() as u64 / 64, 0)?;
        let mut view = Causes::new(&world, causes.counts.clone());
        if !view.settle(Some(viewer), looks, limits)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a look saw: what was there at first, or what a node made.
#[derive(Clone, Copy)]
enum Saw {
    Start,
    Made(usize),
}

struct Node {
    chain: usize,
    /// Counted from 1.
    rank: u32,
    key: usize,
    saw: Option<Saw>,
    readers: Vec<usize>,
}

/// The operations that happened for certain, as a chain for each process.
struct World {
    nodes: Vec<Node>,
    chains: Vec<Vec<usize>>,
    /// For each key, by chain, the changes in the order of the chain.
    changes: BTreeMap<usize, BTreeMap<usize, Vec<usize>>>,
}

impl World {
    /// Nothing if a value was seen that nobody made.
    fn new(part: &Part<'_>) -> Option<Self> {
        let happened = happened(part)?;
        let mut numbers = BTreeMap::new();
        let mut chain_of: BTreeMap<Process, usize> = BTreeMap::new();
        let mut world = Self {
            nodes: Vec::with_capacity(happened.len()),
            chains: Vec::new(),
            changes: BTreeMap::new(),
        };
        for number in happened {
            let fact = part.get(number);
            let node = world.nodes.len();
            let chain = *chain_of.entry(fact.process).or_insert(world.chains.len());
            if chain == world.chains.len() {
                world.chains.push(Vec::new());
            }
            world.chains[chain].push(node);
            let rank = u32::try_from(world.chains[chain].len()).expect("far below 2^32 operations");
            if fact.makes.is_some() {
                world.note_change(fact.key, chain, node);
            }
            numbers.insert(number, node);
            world.nodes.push(Node { chain, rank, key: fact.key, saw: None, readers: Vec::new() });
        }
        for (number, node) in &numbers {
            match part.get(*number).source {
                Some(Source::Start) => world.nodes[*node].saw = Some(Saw::Start),
                Some(Source::Made(maker)) => {
                    let maker = numbers[&maker];
                    world.nodes[*node].saw = Some(Saw::Made(maker));
                    world.nodes[maker].readers.push(*node);
                }
                _ => {}
            }
        }
        Some(world)
    }

    fn note_change(&mut self, key: usize, chain: usize, node: usize) {
        self.changes.entry(key).or_default().entry(chain).or_default().push(node);
    }

    /// Each node as its own only cause.
    fn own_counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.nodes.len() * self.chains.len()];
        for (number, node) in self.nodes.iter().enumerate() {
            counts[number * self.chains.len() + node.chain] = node.rank;
        }
        counts
    }
}

/// The facts that took effect for certain: what was answered and, of the rest, what was seen. Nothing
/// if a value was seen that nobody made.
fn happened(part: &Part<'_>) -> Option<Vec<usize>> {
    let is_answered = |number: &usize| part.get(*number).answered.is_some();
    let mut seeing: Vec<usize> = part.numbers().iter().copied().filter(is_answered).collect();
    let mut is_sure: BTreeSet<usize> = seeing.iter().copied().collect();
    while let Some(number) = seeing.pop() {
        match part.get(number).source {
            Some(Source::Nowhere) => return None,
            Some(Source::Made(maker)) if is_sure.insert(maker) => seeing.push(maker),
            _ => {}
        }
    }
    Some(part.numbers().iter().copied().filter(|number| is_sure.contains(number)).collect())
}

/// The causes of all nodes, for everybody or as one process must see them.
struct Causes<'a> {
    world: &'a World,
    width: usize,
    /// For each node, for each chain, how many of its nodes are causes; a node is one of its own.
    counts: Vec<u32>,
    /// What one process's looks added.
    added: Vec<Vec<usize>>,
}

impl<'a> Causes<'a> {
    fn new(world: &'a World, counts: Vec<u32>) -> Self {
        let added = vec![Vec::new(); world.nodes.len()];
        Self { world, width: world.chains.len(), counts, added }
    }

    /// Hands causes on from `queue` until nothing changes, with what the looks of `viewer` demand;
    /// false if two causes cause each other, or a look overlooked something.
    fn settle(
        &mut self,
        viewer: Option<usize>,
        mut queue: VecDeque<usize>,
        limits: &mut Limits,
    ) -> Result<bool, Limit> {
        let mut is_queued = vec![false; self.world.nodes.len()];
        queue.iter().for_each(|node| is_queued[*node] = true);
        while let Some(node) = queue.pop_front() {
            is_queued[node] = false;
            let mut next = Vec::new();
            if viewer == Some(self.world.nodes[node].chain) && !self.look(node, &mut next) {
                return Ok(false);
            }
            self.follow(node, &mut next);
            limits.spend(1 + next.len() as u64 * (1 + self.width as u64 / 16), 0)?;
            for (cause, effect) in next {
                let Node { chain, rank, .. } = self.world.nodes[effect];
                if self.counts[cause * self.width + chain] >= rank {
                    // The effect is a cause of its cause.
                    return Ok(false);
                }
                if self.join(cause, effect) && !core::mem::replace(&mut is_queued[effect], true) {
                    queue.push_back(effect);
                }
            }
        }
        Ok(true)
    }

    /// What `node` is an immediate cause of.
    fn follow(&self, node: usize, next: &mut Vec<(usize, usize)>) {
        let Node { chain, rank, ref readers, .. } = self.world.nodes[node];
        let after = self.world.chains[chain].get(rank as usize);
        let effects = after.into_iter().chain(readers).chain(&self.added[node]);
        next.extend(effects.map(|effect| (node, *effect)));
    }

    /// What the look `node` demands: of the changes of its key among its causes, the one that it saw
    /// comes last. False if it saw that there had been none.
    fn look(&mut self, node: usize, next: &mut Vec<(usize, usize)>) -> bool {
        let Node { key, saw, .. } = self.world.nodes[node];
        let Some(saw) = saw else {
            return true;
        };
        for (chain, changes) in self.world.changes.get(&key).into_iter().flatten() {
            let count = self.counts[node * self.width + chain];
            let among = changes.partition_point(|change| {
                *change != node && self.world.nodes[*change].rank <= count
            });
            let Some(last) = among.checked_sub(1).map(|place| changes[place]) else {
                continue;
            };
            match saw {
                Saw::Start => return false,
                Saw::Made(maker) if maker == last => {}
                Saw::Made(maker) => {
                    let rank = self.world.nodes[last].rank;
                    if self.counts[maker * self.width + chain] < rank {
                        self.added[last].push(maker);
                        next.push((last, maker));
                    }
                }
            }
        }
        true
    }

    /// Makes the causes of `cause` causes of `effect`; true if that changed something.
    fn join(&mut self, cause: usize, effect: usize) -> bool {
        let mut changed = false;
        for chain in 0..self.width {
            let count = self.counts[cause * self.width + chain];
            let at = &mut self.counts[effect * self.width + chain];
            if count > *at {
                *at = count;
                changed = true;
            }
        }
        changed
    }
}

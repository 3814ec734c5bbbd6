//! Decides a register whose values are each made once without a search (Gibbons and Korach 1997,
//! "Testing shared memories", §4: zones; here also with compare-and-set).
//!
//! A value lives once, from the operation that makes it to the last that sees it. A compare-and-set
//! that was done ties the life of what it expected to the life of what it made. Lives tied together are
//! a block, and between the operations of a block no other block has room. So a linearization is an
//! order of blocks. A block must come before another if one of its operations ended before one of the
//! other's began: if its first end lies before the other's last begin.
//!
//! ```text
//!   forward    ├─op─┤   ├─op─┤      first end ═══▶ last begin: the value was there all that time
//!   backward   ├─op──────┤          last begin ──▶ first end: any moment in it will do
//!                ├─op───────┤
//! ```
//! Blocks in the order of their left edges are in order, or no order is right.

use alloc::{vec, vec::Vec};

use crate::{
    linearizability::Span,
    register::{NOTHING, Register, Step},
};

/// What could be decided without a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// An order that explains everything.
    Order(Vec<usize>),
    /// There is none.
    Broken,
    /// Not decided: values repeat, or operations were seen that name no value.
    Open,
}

/// Who made the value that an operation needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Nobody: it was there at first.
    Start,
    Made(usize),
    /// Nobody, and it was not there at first.
    Nowhere,
    /// One of several.
    Ambiguous,
}

/// Decides `register` if that can be done by zones. What cannot be told is left out, which makes the
/// register only easier to explain; if it is broken all the same, that counts.
pub(crate) fn decide(register: &Register) -> Decision {
    let steps = register.steps();
    let zones = Zones { steps, spans: register.spans(), makers: makers(register) };
    let happened = zones.happened();
    let mut is_whole = true;
    let mut lives = Lives::new(steps.len());
    for operation in 0..steps.len() {
        let source = zones.source(operation);
        if !happened[operation] || zones.is_vague(operation) {
            is_whole &= !happened[operation];
            continue;
        }
        is_whole &= source != Some(Source::Ambiguous);
        if !lives.add(operation, source, steps[operation].makes().is_some()) {
            return Decision::Broken;
        }
    }
    match zones.blocks(&lives).and_then(in_order) {
        None => Decision::Broken,
        Some(order) if is_whole => Decision::Order(order),
        Some(_) => Decision::Open,
    }
}

/// The operations that make each value.
fn makers(register: &Register) -> Vec<Vec<usize>> {
    let mut makers = vec![Vec::new(); register.values_len()];
    for (operation, step) in register.steps().iter().enumerate() {
        if let Some(value) = step.makes() {
            makers[value.place()].push(operation);
        }
    }
    makers
}

/// For each life, which is named after the operation that makes the value, what sees the value and
/// what replaces it by comparing. The life of what was there at first stands last.
struct Lives {
    readers: Vec<Vec<usize>>,
    next: Vec<Option<usize>>,
    begins_block: Vec<bool>,
}

impl Lives {
    fn new(operations: usize) -> Self {
        let mut begins_block = vec![false; operations + 1];
        begins_block[operations] = true;
        Self {
            readers: vec![Vec::new(); operations + 1],
            next: vec![None; operations + 1],
            begins_block,
        }
    }

    /// Puts an operation where it belongs; false if there is no such place.
    fn add(&mut self, operation: usize, source: Option<Source>, is_maker: bool) -> bool {
        let life = match source {
            None | Some(Source::Ambiguous) => {
                self.begins_block[operation] = is_maker;
                return true;
            }
            Some(Source::Nowhere) => return false,
            Some(Source::Start) => self.readers.len() - 1,
            Some(Source::Made(maker)) => maker,
        };
        if is_maker {
            // A value that is made once is replaced once.
            return self.next[life].replace(operation).is_none();
        }
        self.readers[life].push(operation);
        true
    }
}

/// Operations that stand together, in their order, and what decides where they stand: positions of
/// events counted from 1, 0 being before all, and none being after all.
struct Block {
    order: Vec<usize>,
    first_end: usize,
    last_begin: usize,
}

struct Zones<'a> {
    steps: &'a [Step],
    spans: &'a [Span],
    makers: Vec<Vec<usize>>,
}

impl Zones<'_> {
    fn source(&self, operation: usize) -> Option<Source> {
        let value = match self.steps[operation] {
            Step::MaybeSwap { expected, .. } => expected,
            step => step.needs()?,
        };
        Some(match self.makers[value.place()].as_slice() {
            [] if value == NOTHING => Source::Start,
            [] => Source::Nowhere,
            [maker] if value != NOTHING => Source::Made(*maker),
            _ => Source::Ambiguous,
        })
    }

    /// Which operations certainly took effect: those that ended, and those whose value was seen.
    fn happened(&self) -> Vec<bool> {
        let mut happened: Vec<bool> =
            self.spans.iter().map(|span| span.returned.is_some()).collect();
        let mut seeing: Vec<usize> =
            (0..self.steps.len()).filter(|operation| happened[*operation]).collect();
        while let Some(operation) = seeing.pop() {
            if let Some(Source::Made(maker)) = self.source(operation)
                && !happened[maker]
            {
                happened[maker] = true;
                seeing.push(maker);
            }
        }
        happened
    }

    /// True if the operation took effect but names no value that it saw or that others see, or if it
    /// only looked, and at nobody's value for certain. To leave it out is sound.
    fn is_vague(&self, operation: usize) -> bool {
        let step = self.steps[operation];
        matches!(step, Step::Mismatch { .. } | Step::Delete { was_there: true })
            || step.makes().is_none() && self.source(operation) == Some(Source::Ambiguous)
    }

    /// All blocks; none if one is at odds with itself.
    fn blocks(&self, lives: &Lives) -> Option<Vec<Block>> {
        let mut blocks = Vec::new();
        let mut placed = 0;
        for first in (0..lives.readers.len()).filter(|life| lives.begins_block[*life]) {
            let block = self.block(lives, first)?;
            placed += block.order.len();
            blocks.push(block);
        }
        let all = lives.readers.iter().map(Vec::len).sum::<usize>()
            + lives.next.iter().flatten().count()
            + lives.begins_block.iter().filter(|begins| **begins).count();
        // What no block holds replaces itself in a circle. The first life has no operation.
        (placed + 1 == all).then_some(blocks)
    }

    fn block(&self, lives: &Lives, first: usize) -> Option<Block> {
        let start = self.steps.len();
        let mut block = Block { order: Vec::new(), first_end: usize::MAX, last_begin: 0 };
        if first == start {
            block.first_end = 0;
        }
        let mut life = Some(first);
        while let Some(maker) = life {
            if maker != start && !self.add(&mut block, &[maker]) {
                return None;
            }
            if !self.add(&mut block, &lives.readers[maker]) {
                return None;
            }
            life = lives.next[maker];
        }
        Some(block)
    }

    /// Adds operations whose order among each other does not matter; false if one of them ended
    /// before one that must come before it began.
    fn add(&self, block: &mut Block, operations: &[usize]) -> bool {
        let begun = block.last_begin;
        let first = block.order.len();
        block.order.extend_from_slice(operations);
        block.order[first..].sort_by_key(|operation| self.spans[*operation].invoked);
        operations.iter().all(|operation| {
            let Span { invoked, returned } = self.spans[*operation];
            let end = returned.map_or(usize::MAX, |at| at + 1);
            block.first_end = block.first_end.min(end);
            block.last_begin = block.last_begin.max(invoked + 1);
            end >= begun
        })
    }
}

/// The blocks one after the other; none if there is no such order.
fn in_order(mut blocks: Vec<Block>) -> Option<Vec<usize>> {
    blocks.sort_by_key(|block| block.first_end.min(block.last_begin));
    let mut last_begin = 0;
    for block in &blocks {
        if block.first_end < last_begin {
            return None;
        }
        last_begin = last_begin.max(block.last_begin);
    }
    Some(blocks.into_iter().flat_map(|block| block.order).collect())
}

//! Judges a history of a work queue: each task by itself, then what takes were given.

use alloc::vec::Vec;

use super::{
    ends, keys, lease, order,
    rule::{Breach, Found},
    story::{Story, Tale},
    waits,
};
use crate::queue::QueueHistory;

/// What a run promises besides the rules that always hold, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promise {
    /// The run went on until nothing was left to do, after everything had been mended.
    pub is_drained: bool,
    /// When terms began, in nanoseconds of cluster time, if that is known. A lease that holds then goes on.
    pub terms_ns: Option<Vec<u64>>,
    /// For how long a lease then holds at least, unless it is shorter.
    pub grace_ns: u64,
    /// How long it may take until what has become ready can be taken.
    pub settles_ns: u64,
}

/// Judges `history`. Gives the first breach of the first task that has one, in the order of their names, and
/// then of what takes and keys were given; nothing if the history can be explained.
#[must_use]
pub fn judge(history: &QueueHistory, promise: &Promise) -> Option<Breach> {
    let tale = Tale::of(history);
    let of_tasks = tale.stories.iter().find_map(|(name, story)| {
        let (rule, mut operations) = broken(&tale, (name, story), promise)?;
        operations.sort_unstable();
        operations.dedup();
        Some(Breach { rule, task: name.to_vec(), operations })
    });
    of_tasks.or_else(|| order::broken(&tale, promise.settles_ns)).or_else(|| keys::broken(&tale))
}

fn broken(tale: &Tale<'_>, (name, story): (&[u8], &Story<'_>), promise: &Promise) -> Found {
    ends::comes_from_nowhere(story)
        .or_else(|| lease::token_reused(story))
        .or_else(|| lease::two_holders(tale, story, promise))
        .or_else(|| lease::stale_accepted(tale, story))
        .or_else(|| lease::late_accepted(story, promise))
        .or_else(|| ends::after_done(story))
        .or_else(|| waits::too_many(story))
        .or_else(|| waits::miscounted(tale, story))
        .or_else(|| waits::wrong_wait(tale, story))
        .or_else(|| waits::ready_early(tale, story))
        .or_else(|| waits::delivered_expired(tale, story))
        .or_else(|| ends::dead_letter_lost(tale, name, story))
        .or_else(|| ends::left_over(tale, name, promise))
}

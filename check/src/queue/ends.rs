//! Rules about the ends of tasks: done, deleted, dead, or lost.

use alloc::{vec, vec::Vec};

use super::{
    call::{Answer, Call},
    history::End,
    judge::Promise,
    rule::{Found, Rule},
    spans::Timed,
    story::{Delivered, Story, Tale},
};

pub(super) fn comes_from_nowhere(story: &Story<'_>) -> Found {
    let asked = story.put.as_ref().map(|(put, _)| put.operation.invoked);
    let is_early = |one: &&Delivered<'_>| asked.is_none_or(|asked| one.take.answered() < asked);
    let one = story.deliveries.iter().find(is_early)?;
    Some((Rule::FromNowhere, vec![one.take.place]))
}

pub(super) fn after_done(story: &Story<'_>) -> Found {
    let mut over = story.completions().chain(story.deletions()).filter(|end| end.is_done());
    over.find_map(|end| {
        let late = story.deliveries.iter().find(|one| end.is_before(&one.take))?;
        Some((Rule::AfterDone, vec![end.place, late.take.place]))
    })
}

/// A task of which somebody was told that it is a dead letter is among them, until somebody kicks or deletes it.
pub(super) fn dead_letter_lost(tale: &Tale<'_>, name: &[u8], story: &Story<'_>) -> Found {
    let (_, task) = story.put.as_ref()?;
    let reads = &tale.queues.get(&*task.queue)?.dead;
    let is_burial = |asked: &&Timed<'_>| matches!(asked.operation.end, End::Ok(_, Answer::Buried));
    let mut burials = story.asked.values().flatten().filter(is_burial);
    burials.find_map(|burial| {
        let is_lost = |(read, names): &&(Timed<'_>, &[Vec<u8>])| {
            let mut undone = tale.kicks(story).chain(story.deletions());
            burial.answered() < read.operation.invoked
                && !names.iter().any(|listed| *listed == name)
                && !undone.any(|one| !one.is_before(burial) && !is_after(one, read))
        };
        let (read, _) = reads.iter().find(is_lost)?;
        Some((Rule::DeadLetterLost, vec![burial.place, read.place]))
    })
}

/// True if `one` was asked only after `read` was answered.
const fn is_after(one: &Timed<'_>, read: &Timed<'_>) -> bool {
    read.answered() < one.operation.invoked
}

/// What a drained run must not leave.
pub(super) fn left_over(tale: &Tale<'_>, name: &[u8], promise: &Promise) -> Found {
    let story = tale.stories.get(name)?;
    let (put, task) = story.put.as_ref()?;
    if !promise.is_drained || !matches!(put.operation.end, End::Ok(..)) {
        return None;
    }
    let is_over = story.completions().chain(story.deletions()).next().is_some();
    let lives_ns = |live_ns: u64| put.span.earliest_ns.saturating_add(live_ns);
    let may_have_expired = task.live_ns.is_some_and(|live_ns| lives_ns(live_ns) <= tale.last_ns);
    if is_over || may_have_expired || may_be_dead(tale, name, story) {
        return None;
    }
    let takes = story.deliveries.iter().map(|one| one.take.place);
    let rule = if story.deliveries.is_empty() { Rule::Lost } else { Rule::Unfinished };
    Some((rule, [put.place].into_iter().chain(takes).collect()))
}

/// True if the task may be a dead letter at the end: it was read there last, or if nobody has read them, it was
/// buried or deliveries of which nobody heard may have used up its attempts.
fn may_be_dead(tale: &Tale<'_>, name: &[u8], story: &Story<'_>) -> bool {
    let Some((_, task)) = &story.put else {
        return false;
    };
    let reads = tale.queues.get(&*task.queue).map_or(&[][..], |queue| &queue.dead);
    if let Some((_, names)) = reads.iter().max_by_key(|(read, _)| read.answered()) {
        return names.iter().any(|listed| *listed == name);
    }
    let is_burial = |asked: &Timed<'_>| {
        matches!(asked.operation.end, End::Ok(_, Answer::Buried))
            || (matches!(asked.operation.call, Call::Bury(_)) && asked.may_be_done())
    };
    let known = story.deliveries.len() as u64;
    story.asked.values().flatten().any(is_burial) || task.retry.is_over(known + tale.unknown_takes)
}

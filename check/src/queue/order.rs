//! Rules about what a take is given: the lowest priority first, then the oldest; nothing of a paused queue; and
//! what waits if there is something.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use super::{
    call::{Answer, Call, Taken},
    history::End,
    rule::{Breach, Rule},
    spans::{Span, Timed},
    story::{Delivered, OfQueue, Story, Tale},
};

/// A task that was surely ready from a moment on until a delivery that somebody got.
struct Waiting<'a> {
    queue: &'a [u8],
    name: &'a [u8],
    /// What made it ready.
    since: Timed<'a>,
    /// When it was ready at the latest, in nanoseconds.
    ready_ns: u64,
    /// Until when it lives at least.
    lives_ns: u64,
    until: Delivered<'a>,
}

/// A take that was answered.
struct Gift<'a> {
    take: Timed<'a>,
    queues: &'a [Vec<u8>],
    count: u64,
    tasks: &'a [Taken],
}

/// The first breach of a rule about takes. A task counts as waiting once it was ready for `settles_ns`.
pub(super) fn broken(tale: &Tale<'_>, settles_ns: u64) -> Option<Breach> {
    let mut waiting: BTreeMap<&[u8], Vec<Waiting<'_>>> = BTreeMap::new();
    for (name, story) in &tale.stories {
        for one in waits(name, story) {
            waiting.entry(one.queue).or_default().push(one);
        }
    }
    gifts(tale).find_map(|gift| {
        pause_ignored(tale, &gift).or_else(|| {
            let queues = gift.queues.iter().filter(|queue| is_open(tale, queue, &gift.take));
            let mut ones = queues.filter_map(|queue| waiting.get(&**queue)).flatten();
            ones.find_map(|one| passed_over(one, &gift, settles_ns))
        })
    })
}

fn gifts<'b, 'a>(tale: &'b Tale<'a>) -> impl Iterator<Item = Gift<'a>> + 'b {
    tale.operations.iter().filter_map(|take| match (&take.operation.call, &take.operation.end) {
        (Call::Take { queues, count, .. }, End::Ok(_, Answer::Taken { tasks, .. })) => {
            Some(Gift { take: *take, queues, count: *count, tasks })
        }
        _ => None,
    })
}

/// When the task was surely ready: from its put, its failure or its release to the very next delivery.
fn waits<'a>(name: &'a [u8], story: &Story<'a>) -> Vec<Waiting<'a>> {
    let Some((put, task)) = &story.put else {
        return Vec::new();
    };
    let lives_ns = task.live_ns.map_or(u64::MAX, |live_ns| put.span.earliest_ns + live_ns);
    let mut found = Vec::new();
    let mut wait = |since: &Timed<'a>, ready_ns: u64, until: &Delivered<'a>| {
        let queue = &*task.queue;
        found.push(Waiting { queue, name, since: *since, ready_ns, lives_ns, until: *until });
    };
    if let Some(first) = story.deliveries.first().filter(|one| one.token() == 1) {
        wait(put, put.span.latest_ns.saturating_add(task.delay_ns), first);
    }
    for (one, next) in story.pairs().filter(|(one, next)| one.token() + 1 == next.token()) {
        for asked in story.asked(one.token()) {
            let Span { latest_ns, .. } = asked.span;
            if let End::Ok(_, Answer::Waits { until_ns }) = &asked.operation.end {
                wait(asked, until_ns.unwrap_or(latest_ns), next);
            }
        }
    }
    found
}

/// The task waited, and the take got something else, or too little.
fn passed_over(one: &Waiting<'_>, gift: &Gift<'_>, settles_ns: u64) -> Option<Breach> {
    let at_ns = gift.take.span.earliest_ns;
    let is_waiting = one.since.answered() < gift.take.operation.invoked
        && one.ready_ns.saturating_add(settles_ns) <= at_ns
        && at_ns < one.lives_ns
        && gift.take.is_before(&one.until.take);
    if !is_waiting {
        return None;
    }
    let rank = |taken: &Taken| (taken.priority, taken.number);
    let comes_first = |taken: &Taken| rank(one.until.taken) < rank(taken);
    let rule = if gift.tasks.iter().any(comes_first) {
        Rule::OutOfOrder
    } else if (gift.tasks.len() as u64) < gift.count {
        Rule::Overlooked
    } else {
        return None;
    };
    let operations = vec![one.since.place, gift.take.place, one.until.take.place];
    Some(Breach { rule, task: one.name.to_vec(), operations })
}

fn pause_ignored(tale: &Tale<'_>, gift: &Gift<'_>) -> Option<Breach> {
    gift.tasks.iter().find_map(|taken| {
        let (_, task) = tale.stories.get(&*taken.delivery.task)?.put.as_ref()?;
        let of_queue = tale.queues.get(&*task.queue)?;
        let pause = of_queue.pauses.iter().find(|pause| is_paused(of_queue, pause, &gift.take))?;
        let operations = vec![pause.place, gift.take.place];
        Some(Breach { rule: Rule::PauseIgnored, task: task.name.clone(), operations })
    })
}

/// True if the pause surely held at the time of the take.
fn is_paused(of_queue: &OfQueue<'_>, pause: &Timed<'_>, take: &Timed<'_>) -> bool {
    let Call::Pause { for_ns, .. } = pause.operation.call else {
        return false;
    };
    let for_ns = for_ns.unwrap_or(u64::MAX);
    let is_in_it = pause.answered() < take.operation.invoked
        && take.span.latest_ns < pause.span.earliest_ns.saturating_add(for_ns);
    let may_end_it =
        |other: &Timed<'_>| other.place != pause.place && other.may_be_between(pause, take);
    is_in_it && !of_queue.pauses.iter().any(may_end_it)
}

/// True if the queue was surely not paused at the time of the take.
fn is_open(tale: &Tale<'_>, queue: &[u8], take: &Timed<'_>) -> bool {
    let pauses = tale.queues.get(queue).map_or(&[][..], |of_queue| &of_queue.pauses);
    pauses.iter().all(|pause| match pause.operation.call {
        Call::Pause { for_ns, .. } => {
            let over_ns = pause.span.latest_ns.saturating_add(for_ns.unwrap_or(u64::MAX));
            let is_resumed = |other: &Timed<'_>| {
                matches!(other.operation.call, Call::Resume(_))
                    && other.is_done()
                    && pause.answered() < other.operation.invoked
                    && other.answered() < take.operation.invoked
            };
            !pause.may_be_done()
                || take.is_before(pause)
                || over_ns <= take.span.earliest_ns
                || pauses.iter().any(is_resumed)
        }
        _ => true,
    })
}

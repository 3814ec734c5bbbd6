//! Rules about attempts: how many there are, and how long a task waits for the next one.

use alloc::vec;

use super::{
    call::{Answer, Call, Task},
    history::End,
    rule::{Found, Rule},
    spans::Timed,
    story::{Delivered, Story, Tale},
};

pub(super) fn too_many(story: &Story<'_>) -> Found {
    let (_, task) = story.put.as_ref()?;
    let retry = task.retry;
    let is_over = |one: &&Delivered<'_>| retry.is_over(one.taken.failures);
    if let Some(one) = story.deliveries.iter().find(is_over) {
        return Some((Rule::TooManyAttempts, vec![one.take.place]));
    }
    story.deliveries.iter().find_map(|one| {
        let failed = |asked: &&Timed<'_>| matches!(asked.operation.call, Call::Fail(_));
        let wrong = story.asked(one.token()).iter().filter(failed).find_map(|asked| {
            let is_over = retry.is_over(one.taken.failures + 1);
            match &asked.operation.end {
                End::Ok(_, Answer::Waits { .. }) if is_over => {
                    Some((Rule::TooManyAttempts, asked.place))
                }
                End::Ok(_, Answer::Buried) if !is_over => Some((Rule::GaveUpEarly, asked.place)),
                _ => None,
            }
        });
        wrong.map(|(rule, place)| (rule, vec![one.take.place, place]))
    })
}

pub(super) fn miscounted(tale: &Tale<'_>, story: &Story<'_>) -> Found {
    let first = story.deliveries.first().filter(|one| one.token() == 1 && one.taken.failures > 0);
    if let Some(one) = first {
        return Some((Rule::FailuresMiscounted, vec![one.take.place]));
    }
    adjacent(story).find_map(|(one, next)| {
        let may_be_kicked =
            tale.kicks(story).any(|kick| kick.may_be_between(&one.take, &next.take));
        let is_release = |asked: &Timed<'_>| matches!(asked.operation.call, Call::Release { .. });
        let may_be_released = story.ends(one.token()).any(is_release);
        let (before, after) = (one.taken.failures, next.taken.failures);
        let is_right = after == before + 1
            || (after == before && may_be_released)
            || (may_be_kicked && after <= before);
        let places = vec![one.take.place, next.take.place];
        (!is_right).then_some((Rule::FailuresMiscounted, places))
    })
}

pub(super) fn wrong_wait(tale: &Tale<'_>, story: &Story<'_>) -> Found {
    let (_, task) = story.put.as_ref()?;
    told_wrong_wait(story, task).or_else(|| {
        adjacent(story).find_map(|(one, next)| {
            let kicked = |kick: &Timed<'_>| kick.may_be_between(&one.take, &next.take);
            let has_failed = next.taken.failures == one.taken.failures + 1;
            if !has_failed || tale.kicks(story).any(kicked) {
                return None;
            }
            let ends = story.ends(one.token()).chain(tale.let_go(one));
            let ends = ends.map(|end| end.span.earliest_ns.max(one.stamp_ns()));
            let ended_ns = ends.chain([one.taken.due_ns]).min()?;
            let (wait_ns, _) = task.retry.wait_ns(next.taken.failures);
            let is_early = next.stamp_ns() < ended_ns.saturating_add(wait_ns);
            is_early.then(|| (Rule::WrongWait, vec![one.take.place, next.take.place]))
        })
    })
}

/// Whoever fails a task is told how long it waits, and it waits as long.
fn told_wrong_wait(story: &Story<'_>, task: &Task) -> Found {
    story.deliveries.iter().find_map(|one| {
        story.asked(one.token()).iter().find_map(|asked| {
            let End::Ok(_, Answer::Waits { until_ns }) = &asked.operation.end else {
                return None;
            };
            let (least_ns, most_ns) = match asked.operation.call {
                Call::Release { delay_ns, .. } => (delay_ns, delay_ns),
                _ => task.retry.wait_ns(one.taken.failures + 1),
            };
            let span = asked.span;
            let is_right = match until_ns {
                None => least_ns == 0,
                Some(until_ns) => {
                    let earliest_ns = span.earliest_ns.max(one.stamp_ns()).saturating_add(least_ns);
                    (earliest_ns..=span.latest_ns.saturating_add(most_ns)).contains(until_ns)
                }
            };
            let places = vec![one.take.place, asked.place];
            (!is_right).then_some((Rule::WrongWait, places))
        })
    })
}

/// A task is not delivered before it was told to be ready.
pub(super) fn ready_early(tale: &Tale<'_>, story: &Story<'_>) -> Found {
    let (put, task) = story.put.as_ref()?;
    let may_be_kicked = |from: &Timed<'_>, to: &Timed<'_>| {
        tale.kicks(story).any(|kick| kick.may_be_between(from, to))
    };
    if let Some(first) = story.deliveries.first().filter(|one| one.token() == 1) {
        let ready_ns = put.span.earliest_ns.saturating_add(task.delay_ns);
        if first.stamp_ns() < ready_ns && !may_be_kicked(put, &first.take) {
            return Some((Rule::ReadyEarly, vec![put.place, first.take.place]));
        }
    }
    story.pairs().find_map(|(one, next)| {
        let told = story.asked(one.token()).iter().find(|asked| match &asked.operation.end {
            End::Ok(_, Answer::Waits { until_ns: Some(until_ns) }) => next.stamp_ns() < *until_ns,
            _ => false,
        })?;
        let is_early = !may_be_kicked(told, &next.take);
        let places = vec![one.take.place, told.place, next.take.place];
        is_early.then_some((Rule::ReadyEarly, places))
    })
}

pub(super) fn delivered_expired(tale: &Tale<'_>, story: &Story<'_>) -> Found {
    let (put, task) = story.put.as_ref()?;
    let gone_ns = put.span.latest_ns.saturating_add(task.live_ns?);
    let late = story.deliveries.iter().find(|one| one.stamp_ns() >= gone_ns)?;
    // A dead letter that is kicked lives for ever.
    let may_be_kicked = tale.kicks(story).any(|kick| !late.take.is_before(kick));
    (!may_be_kicked).then(|| (Rule::DeliveredExpired, vec![put.place, late.take.place]))
}

/// Deliveries between which there was no other.
fn adjacent<'b, 'a>(
    story: &'b Story<'a>,
) -> impl Iterator<Item = (&'b Delivered<'a>, &'b Delivered<'a>)> {
    story.pairs().filter(|(one, next)| one.token() + 1 == next.token())
}

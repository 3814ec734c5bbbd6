//! Rules about leases: who holds a task, and until when.

use alloc::{vec, vec::Vec};

use super::{
    call::{Answer, Call},
    history::End,
    judge::Promise,
    rule::{Found, Rule},
    spans::Timed,
    story::{Delivered, Story, Tale},
};

/// The end of a lease, as its holder was told.
struct Lease {
    /// When it was given or last extended, at the latest.
    since_ns: u64,
    due_ns: u64,
    /// What extended it.
    place: Option<usize>,
}

pub(super) fn token_reused(story: &Story<'_>) -> Found {
    story.pairs().find_map(|(one, next)| {
        let is_wrong = one.token() == next.token() || one.stamp_ns() > next.stamp_ns();
        is_wrong.then(|| (Rule::TokenReused, vec![one.take.place, next.take.place]))
    })
}

pub(super) fn two_holders(tale: &Tale<'_>, story: &Story<'_>, promise: &Promise) -> Found {
    story.pairs().find_map(|(one, next)| {
        let lease =
            leases(story, one, |extended| extended.operation.invoked < next.take.answered())
                .max_by_key(|lease| lease.due_ns)
                .expect("a lease has an end");
        let held_until_ns = promise.held_until_ns(&lease);
        let ends = story.ends(one.token()).chain(tale.let_go(one));
        let mut ends = ends.filter(|end| !next.take.is_before(end));
        let is_held = next.stamp_ns() < held_until_ns && ends.next().is_none();
        is_held.then(|| {
            let places = [one.take.place, next.take.place].into_iter().chain(lease.place);
            (Rule::TwoHolders, places.collect())
        })
    })
}

pub(super) fn stale_accepted(tale: &Tale<'_>, story: &Story<'_>) -> Found {
    let after_next = story.pairs().find_map(|(one, next)| {
        let is_stale = |asked: &&Timed<'_>| asked.is_done() && next.take.is_before(asked);
        let stale = story.asked(one.token()).iter().find(is_stale)?;
        Some((Rule::StaleAccepted, vec![one.take.place, next.take.place, stale.place]))
    });
    after_next.or_else(|| story.deliveries.iter().find_map(|one| after_end(tale, story, one)))
}

/// Something was done for a delivery that had been ended.
fn after_end(tale: &Tale<'_>, story: &Story<'_>, one: &Delivered<'_>) -> Found {
    let mut ends = story.ends(one.token()).chain(tale.let_go(one)).filter(|end| end.is_done());
    ends.find_map(|end| {
        // A connection that let go of something need not have let go of this.
        let is_sure = end.operation.call.delivery().is_some();
        let is_stale = |asked: &&Timed<'_>| {
            asked.place != end.place && asked.is_done() && end.is_before(asked)
        };
        let stale = story.asked(one.token()).iter().find(is_stale).filter(|_| is_sure)?;
        Some((Rule::StaleAccepted, vec![one.take.place, end.place, stale.place]))
    })
}

pub(super) fn late_accepted(story: &Story<'_>, promise: &Promise) -> Found {
    let terms_ns = promise.terms_ns.as_deref()?;
    story.deliveries.iter().find_map(|one| {
        let is_late = |asked: &&Timed<'_>| {
            let at_ns = asked.span.earliest_ns;
            let may_hold = |lease: Lease| {
                let length_ns = (lease.due_ns - one.stamp_ns()).min(promise.grace_ns);
                let is_held_by = |began_ns: &u64| {
                    *began_ns <= asked.span.latest_ns && at_ns < began_ns.saturating_add(length_ns)
                };
                at_ns < lease.due_ns || terms_ns.iter().any(is_held_by)
            };
            let is_other = |extended: &Timed<'_>| extended.place != asked.place;
            asked.is_done()
                && !leases(story, one, is_other).any(may_hold)
                && !may_be_extended(story, one, asked)
        };
        let late = story.asked(one.token()).iter().find(is_late)?;
        Some((Rule::LateAccepted, vec![one.take.place, late.place]))
    })
}

/// True if somebody may have extended the lease without being told of it.
fn may_be_extended(story: &Story<'_>, one: &Delivered<'_>, asked: &Timed<'_>) -> bool {
    story.asked(one.token()).iter().any(|other| {
        matches!(other.operation.call, Call::Extend(_))
            && other.operation.end == End::Unknown
            && !asked.is_before(other)
    })
}

/// The lease of a delivery, and those of its extensions that count.
fn leases<'b>(
    story: &'b Story<'_>,
    one: &'b Delivered<'_>,
    counts: impl Fn(&Timed<'_>) -> bool + 'b,
) -> impl Iterator<Item = Lease> + 'b {
    let extended = move |asked: &Timed<'_>| match asked.operation.end {
        End::Ok(_, Answer::Extended { due_ns }) if counts(asked) => {
            let since_ns = asked.span.latest_ns.min(due_ns);
            Some(Lease { since_ns, due_ns, place: Some(asked.place) })
        }
        _ => None,
    };
    let first = Lease { since_ns: one.stamp_ns(), due_ns: one.taken.due_ns, place: None };
    [first].into_iter().chain(story.asked(one.token()).iter().filter_map(extended))
}

impl Promise {
    /// Until when nobody else may get what is held by a lease. A term that began while it held puts that off.
    fn held_until_ns(&self, lease: &Lease) -> u64 {
        let began: Vec<u64> = self.terms_ns.clone().unwrap_or_default();
        let length_ns = (lease.due_ns - lease.since_ns).min(self.grace_ns);
        let while_held = began.into_iter().filter(|at| (lease.since_ns..lease.due_ns).contains(at));
        while_held.map(|at_ns| at_ns + length_ns).chain([lease.due_ns]).max().unwrap_or(0)
    }
}

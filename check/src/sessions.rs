//! What a process may expect of its own session (Terry and others 1994, "Session guarantees for weakly
//! consistent replicated data"), key by key.
//!
//! Newer than a change is, for certain, what the same process changed later. Read your writes: after a
//! change of its own, a process sees that or something that is not older. Monotonic reads: of what a
//! process sees one after the other, nothing is older than what it saw before, so what it has seen
//! replaced does not come back.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use crate::{
    facts::{Fact, Part, Source},
    history::Process,
};

/// Facts that together break the promise, as few as possible where no operation both sees and makes;
/// nothing if `part` keeps it.
pub(crate) fn own_write_unseen(part: &Part<'_>) -> Option<Vec<usize>> {
    let mut last_own: BTreeMap<(Process, usize), usize> = BTreeMap::new();
    let mut shortest = Shortest::default();
    for number in part.numbers() {
        let fact = part.get(*number);
        let session = (fact.process, fact.key);
        match (answered_source(&fact), last_own.get(&session)) {
            (Some(Source::Nowhere), _) => shortest.offer(vec![*number]),
            (Some(Source::Start), Some(own)) => shortest.offer(vec![*own, *number]),
            (Some(Source::Made(maker)), Some(own))
                if part.get(maker).process == fact.process && maker < *own =>
            {
                shortest.offer(vec![maker, *own, *number]);
            }
            _ => {}
        }
        if fact.makes.is_some() {
            last_own.insert(session, *number);
        }
    }
    shortest.found
}

/// The same for monotonic reads.
pub(crate) fn went_back(part: &Part<'_>) -> Option<Vec<usize>> {
    let mut sessions: BTreeMap<(Process, usize), Looks> = BTreeMap::new();
    let mut shortest = Shortest::default();
    for number in part.numbers() {
        let fact = part.get(*number);
        let looks = sessions.entry((fact.process, fact.key)).or_default();
        match answered_source(&fact) {
            Some(Source::Nowhere) => shortest.offer(vec![*number]),
            Some(Source::Start) => {
                if let Some((maker, look)) = looks.first {
                    shortest.offer(vec![maker, look, *number]);
                }
            }
            Some(Source::Made(maker)) => {
                let writer = part.get(maker).process;
                looks.compare(writer, maker, *number, &mut shortest);
                looks.add(writer, maker, *number);
            }
            _ => {}
        }
    }
    shortest.found
}

fn answered_source(fact: &Fact) -> Option<Source> {
    fact.answered.and(fact.source)
}

/// What a process saw of a key so far, as pairs of a maker and a look.
#[derive(Default)]
struct Looks {
    first: Option<(usize, usize)>,
    latest: Option<(usize, usize)>,
    /// Of each process that made some of it, the newest.
    newest: BTreeMap<Process, (usize, usize)>,
    /// By maker: the look, and the first look at something else after it.
    replaced: BTreeMap<usize, (usize, Option<(usize, usize)>)>,
}

impl Looks {
    fn compare(&self, writer: Process, maker: usize, look: usize, shortest: &mut Shortest) {
        if let Some((newer, before)) = self.newest.get(&writer)
            && *newer > maker
        {
            shortest.offer(vec![maker, *newer, *before, look]);
        } else if let Some((before, Some((other, between)))) = self.replaced.get(&maker) {
            shortest.offer(vec![maker, *other, *before, *between, look]);
        }
    }

    fn add(&mut self, writer: Process, maker: usize, look: usize) {
        self.first.get_or_insert((maker, look));
        if let Some((before, _)) = self.latest
            && before != maker
        {
            let (_, next) = self.replaced.get_mut(&before).expect("what was seen is noted");
            next.get_or_insert((maker, look));
        }
        self.latest = Some((maker, look));
        self.replaced.entry(maker).or_insert((look, None));
        let newest = self.newest.entry(writer).or_insert((maker, look));
        if maker > newest.0 {
            *newest = (maker, look);
        }
    }
}

#[derive(Default)]
struct Shortest {
    found: Option<Vec<usize>>,
}

impl Shortest {
    fn offer(&mut self, mut facts: Vec<usize>) {
        facts.sort_unstable();
        facts.dedup();
        if self.found.as_ref().is_none_or(|found| found.len() > facts.len()) {
            self.found = Some(facts);
        }
    }
}

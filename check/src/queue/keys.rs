//! Rules about keys: while a task is known that was put under one, there is no other.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use super::{
    call::{Answer, Call, Task},
    history::End,
    rule::{Breach, Rule},
    spans::Timed,
    story::Tale,
};

/// A put under a key, and the number of the task that it was answered with.
struct Keyed<'a> {
    put: Timed<'a>,
    task: &'a Task,
    number: u64,
    is_duplicate: bool,
}

/// The first breach of a rule about keys.
pub(super) fn broken(tale: &Tale<'_>) -> Option<Breach> {
    let mut keys: BTreeMap<(&[u8], &[u8]), Vec<Keyed<'_>>> = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    for put in &tale.operations {
        let (Call::Put(task), End::Ok(_, Answer::Accepted { number, is_duplicate })) =
            (&put.operation.call, &put.operation.end)
        else {
            continue;
        };
        let keyed = Keyed { put: *put, task, number: *number, is_duplicate: *is_duplicate };
        if !is_duplicate {
            numbers.insert(*number, (*put, task));
        }
        if let Some(key) = &task.key {
            keys.entry((&task.queue, key)).or_default().push(keyed);
        }
    }
    let of_one_key =
        |puts: &Vec<Keyed<'_>>| mixed(puts, &numbers).or_else(|| forgotten(tale, puts));
    keys.values().find_map(of_one_key)
}

/// A put was answered with a task that is of another key.
fn mixed(puts: &[Keyed<'_>], numbers: &BTreeMap<u64, (Timed<'_>, &Task)>) -> Option<Breach> {
    puts.iter().filter(|one| one.is_duplicate).find_map(|one| {
        let (put, task) = numbers.get(&one.number)?;
        let is_mixed = (&task.queue, &task.key) != (&one.task.queue, &one.task.key);
        is_mixed.then(|| breach(Rule::KeyMixed, one, put))
    })
}

/// A second task was put while the first was known.
fn forgotten(tale: &Tale<'_>, puts: &[Keyed<'_>]) -> Option<Breach> {
    let mut made: Vec<&Keyed<'_>> = puts.iter().filter(|one| !one.is_duplicate).collect();
    made.sort_by_key(|one| one.number);
    made.iter().zip(made.iter().skip(1)).find_map(|(first, second)| {
        let is_gone = may_be_gone(tale, first, &second.put);
        (!is_gone).then(|| breach(Rule::KeyForgotten, second, &first.put))
    })
}

/// True if a task may have been forgotten by the time of `later`.
fn may_be_gone(tale: &Tale<'_>, first: &Keyed<'_>, later: &Timed<'_>) -> bool {
    let story = &tale.stories[&*first.task.name];
    let remembered =
        |ended_ns: u64| ended_ns.saturating_add(first.task.retention_ns) > later.span.latest_ns;
    let mut completions = story.completions();
    let expires_ns = first.task.live_ns.map(|live_ns| first.put.span.earliest_ns + live_ns);
    story.deletions().any(|one| !later.is_before(one))
        || completions.any(|one| !remembered(one.span.earliest_ns))
        || expires_ns.is_some_and(|expires_ns| !remembered(expires_ns))
}

fn breach(rule: Rule, one: &Keyed<'_>, other: &Timed<'_>) -> Breach {
    let mut operations = vec![one.put.place, other.place];
    operations.sort_unstable();
    Breach { rule, task: one.task.name.clone(), operations }
}

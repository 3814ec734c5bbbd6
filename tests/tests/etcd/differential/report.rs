//! A history run, shrunk if it shows a difference, and told.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use tokio::runtime::Builder;

use super::{
    draw,
    endpoint::Endpoint,
    flaws::Flaw,
    known,
    operation::Operation,
    run::{Difference, Pair},
    shrink::shrink,
};
use crate::servers::{Cluster, Program};

/// Pairs of servers that run beside each other.
const AT_A_TIME: usize = 3;

/// What is run.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    /// The second server; the first is always etcd.
    pub(crate) second: Program,
    /// How many members the second's cluster has.
    pub(crate) members: usize,
    pub(crate) flaw: Option<&'a Flaw>,
}

/// Two servers of the same kind, nothing wrong.
pub(crate) const TWICE_ETCD: Plan<'static> = Plan { second: Program::Etcd, members: 1, flaw: None };

/// Runs these seeds, some at a time: a server mostly waits for its disk. Gives all refusals that were met.
///
/// # Panics
/// If the servers differ, with the shortest history that shows it.
pub(crate) fn find_nothing(plan: Plan<'_>, seeds: Range<u64>, count: usize) -> BTreeSet<String> {
    let next = AtomicU64::new(seeds.start);
    let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| seeds.contains(seed));
    let refusals = Mutex::new(BTreeSet::new());
    let find_all = || {
        while let Some(seed) = take() {
            match find(plan, seed, count) {
                Ok(met) => refusals.lock().unwrap().extend(met),
                Err(difference) => {
                    let known = known::table();
                    panic!("seed {seed}: the servers differ\n{difference}\nKnown:\n{known}");
                }
            }
            eprintln!("seed {seed}: {count} operations, no difference");
        }
    };
    thread::scope(|scope| {
        (0..AT_A_TIME).for_each(|_| drop(scope.spawn(find_all)));
    });
    refusals.into_inner().unwrap()
}

/// Runs the operations of a seed; gives the refusals that were met.
///
/// A server looks for watches that start in the past when it has the time, and a compaction may come first: on
/// a busy machine the same server can answer the same history in two ways. What differs once is told, and counts
/// if it differs again.
///
/// # Errors
/// The shortest history that was found in which the servers differ.
pub(crate) fn find(
    plan: Plan<'_>,
    seed: u64,
    count: usize,
) -> Result<BTreeSet<String>, Box<Difference>> {
    let operations = draw::operations(seed, count);
    run(plan, &operations)
        .or_else(|once| {
            eprintln!("seed {seed}: differs, perhaps by chance, and is run again\n{once}");
            run(plan, &operations)
        })
        .map_err(|found| shrink(&operations, found, |fewer| run(plan, fewer).err()))
}

/// Runs operations on fresh servers.
pub(crate) fn run(
    plan: Plan<'_>,
    operations: &[Operation],
) -> Result<BTreeSet<String>, Box<Difference>> {
    let first = Cluster::start(Program::Etcd, 1);
    let second = Cluster::start(plan.second, plan.members);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (first, second) = (&first.addresses()[0], &second.addresses()[0]);
        let (first, second) = tokio::join!(Endpoint::connect(first), Endpoint::connect(second));
        let mut pair = Pair { first, second, flaw: plan.flaw };
        pair.run(operations).await
    })
}

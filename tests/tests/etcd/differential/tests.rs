//! That the test itself is right, and that ours is.

use archipel_tests::is_installed;
use std::{env, ops::Range};

use super::{
    draw,
    flaws::{FLAWS, touches},
    report::{Plan, TWICE_ETCD, find, find_nothing},
};
use crate::servers::Program;

/// Operations of one history.
const HISTORY: usize = 1000;

/// What three histories meet, or the operations are not as diverse as they should be.
const REFUSALS: &[&str] = &[
    "\"mvcc: duplicate watch ID provided on the WatchStream\"",
    "\"mvcc: watcher range is empty\"",
    "FailedPrecondition: etcdserver: lease already exists",
    "InvalidArgument: etcdserver: duplicate key given in txn request",
    "InvalidArgument: etcdserver: key is not provided",
    "InvalidArgument: etcdserver: key not found",
    "InvalidArgument: etcdserver: lease is provided",
    "InvalidArgument: etcdserver: value is provided",
    "NotFound: etcdserver: requested lease not found",
    "OutOfRange: etcdserver: mvcc: required revision has been compacted",
    "OutOfRange: etcdserver: mvcc: required revision is a future revision",
    "OutOfRange: etcdserver: too large lease TTL",
];

#[test]
fn the_same_seed_draws_the_same_operations() {
    assert_eq!(draw::operations(7, HISTORY), draw::operations(7, HISTORY));
    assert_ne!(draw::operations(7, HISTORY), draw::operations(8, HISTORY));
}

#[test]
fn every_flaw_touches_something() {
    let operations = draw::operations(1, 10 * HISTORY);
    for flaw in FLAWS {
        assert!(operations.iter().any(|one| touches(flaw, one)), "{}", flaw.name);
    }
}

#[test]
fn etcd_does_not_differ_from_itself() {
    if !is_installed("etcd") {
        return;
    }
    let refusals = find_nothing(TWICE_ETCD, seeds(), HISTORY);
    for refusal in REFUSALS {
        assert!(refusals.contains(*refusal), "never met: {refusal}; met: {refusals:#?}");
    }
}

#[test]
fn whatever_is_wrong_is_found() {
    if !is_installed("etcd") {
        return;
    }
    // Each is shrunk, which starts hundreds of servers.
    let count = if env::var_os("ARCHIPEL_LONG").is_some() { FLAWS.len() } else { 1 };
    for flaw in &FLAWS[..count] {
        let plan = Plan { flaw: Some(flaw), ..TWICE_ETCD };
        let found = (0..10).find_map(|seed| find(plan, seed, HISTORY).err());
        let difference = found.unwrap_or_else(|| panic!("not found: {}", flaw.name));
        eprintln!("{}:\n{difference}\n", flaw.name);
        let lines = difference.script.len();
        assert!(lines <= 20, "{}: {lines} lines are left\n{difference}", flaw.name);
    }
}

#[test]
fn what_is_under_test_does_not_differ_from_etcd() {
    let program = Program::under_test();
    if program == Program::Etcd || !is_installed("etcd") {
        return;
    }
    let members = env::var("ARCHIPEL_MEMBERS").map_or(1, |count| count.parse().unwrap());
    find_nothing(Plan { second: program, members, flaw: None }, seeds(), HISTORY);
}

/// The seeds to run: `ARCHIPEL_ETCD_SEEDS` of them, three if nothing is said.
fn seeds() -> Range<u64> {
    let count = env::var("ARCHIPEL_ETCD_SEEDS").map_or(3, |count| count.parse().unwrap());
    0..count
}

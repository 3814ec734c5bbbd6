//! What is compared, and for how long.

use archipel_tests::is_installed;
use std::env;

use super::{
    Step, draw,
    run::{compare, run},
    scenes::scenes,
    send,
    shrink::shrink,
};
use crate::servers::Server;

/// How long a script is.
const STEPS: usize = 400;

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |text| text.parse().expect("it is a number"))
}

/// `ARCHIPEL_SEED` is the first seed, `ARCHIPEL_BEANSTALKD_SEEDS` how many there are.
#[test]
fn random_requests_get_the_replies_of_beanstalkd() {
    if !is_installed("beanstalkd") {
        return;
    }
    let first = number("ARCHIPEL_SEED", 1);
    for seed in first..first + number("ARCHIPEL_BEANSTALKD_SEEDS", 3) {
        let node = usize::try_from(seed % 3).expect("below 3");
        if let Some(found) = run(&draw::script(seed, STEPS), node) {
            panic!("Seed {seed}:\n{}", shrink(found, node));
        }
    }
}

#[test]
fn time_passes_as_in_beanstalkd() {
    if !is_installed("beanstalkd") {
        return;
    }
    std::thread::scope(|scope| {
        for (what, script) in scenes() {
            scope.spawn(move || {
                if let Some(found) = run(&script, 0) {
                    panic!("{what}:\n{found}");
                }
            });
        }
    });
}

/// A comparison that cannot find anything proves nothing.
#[test]
fn a_server_that_differs_is_found() {
    if !is_installed("beanstalkd") {
        return;
    }
    let (one, other) = (Server::beanstalkd(), Server::beanstalkd());
    let script: Vec<Step> = vec![send(0, "put 1 0 10 1\r\na"), send(0, "peek-ready")];
    assert!(compare(&script, one.ports[0], other.ports[0]).is_none());
    let delayed = vec![send(1, "put 9 100 10 1\r\nb"), send(1, "reserve-with-timeout 0")];
    let found = compare(&delayed, one.ports[0], Server::beanstalkd().ports[0]);
    assert!(found.is_some(), "one server has a ready job, the other has none");
}

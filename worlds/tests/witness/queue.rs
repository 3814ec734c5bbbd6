//! What is told of a run of the work queue: its trace, its page, and what its clients did.

use std::{cell::RefCell, rc::Rc};

use archipel_worlds::{RaftWithQueue, Scenario, Seen, Served, page::Recorder, shrink, trace::Text};
use sim::{Settings, run};

use crate::kept::Kept;

const SEED: u64 = 3;

#[test]
fn a_trace_says_what_is_asked_of_the_queue_and_changes_nothing() {
    let kept = Kept::default();
    let text = Box::new(Text::new(Box::new(kept.clone())));
    let settings = || Settings { chaos_ns: 500_000_000, ..Settings::draw(SEED) };
    let report = run(RaftWithQueue::draw(SEED), settings(), Some(text)).expect("no finding");
    let trace = kept.0.take();
    let asks = |line: &&str| line.contains("client ") && line.contains("asks");
    let asked: Vec<&str> = trace.lines().filter(asks).collect();
    for what in [": put q", ": take ", ": complete t", ": fail t", ": look", ": dead of q"] {
        assert!(asked.iter().any(|line| line.contains(what)), "nobody asks: {what}");
    }
    for what in [":put(q", ":take(q", ":complete("] {
        let is_sent = |line: &str| line.contains("Append@") && line.contains(what);
        assert!(trace.lines().any(is_sent), "no message has {what}");
    }
    let alone = run(RaftWithQueue::draw(SEED), settings(), None);
    assert_eq!(alone.map(|report| report.hash), Ok(report.hash));
}

#[test]
fn a_page_carries_the_operations_of_workers() {
    let recorder = Rc::new(RefCell::new(Recorder::new()));
    let scenario = queue_scenario("--chaos-ms 500");
    let outcome = scenario.run(Some(Box::new(Rc::clone(&recorder))));
    let page = recorder.take().page("a queue", None, "archipel sim --system queue --seed 3");
    assert!(page.contains("\"put q") && page.contains("\"task 1\""), "operations and answers");
    let deliveries = outcome.tally.iter().find(|(name, _)| *name == "deliveries");
    assert!(deliveries.is_some_and(|(_, count)| *count > 0));
}

/// Nobody can do anything in a millisecond, so that the cluster stands still.
#[test]
fn a_finding_is_made_smaller_and_has_its_history() {
    let scenario = queue_scenario("--chaos-ms 500 --progress-ms-max 1");
    let outcome = scenario.run(None);
    assert!(matches!(&outcome.seen, Seen::Queues(history) if !history.operations().is_empty()));
    let shrunk = shrink(&scenario, &outcome, std::time::Duration::from_secs(5), |_, _| {});
    assert_eq!(shrunk.scenario.system, Served::Queue);
    // How much smaller is a matter of how fast the machine is.
    assert!(shrunk.tries > 0 && shrunk.outcome.counters.events <= outcome.counters.events);
    let again: Scenario = shrunk.scenario.to_string().parse().expect("it is a scenario");
    assert_eq!(again.run(None).hash, shrunk.outcome.hash);
}

fn queue_scenario(words: &str) -> Scenario {
    format!("--system queue --seed {SEED} {words}").parse().expect("it is a scenario")
}

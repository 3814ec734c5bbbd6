//! The result for programs.

use serde_json::{Map, Value, json};
use sim::Tally;
use worlds::{Finished, Search, Size, Totals};

use super::{command, finding::Reported, summary};

/// A search as one object.
pub(super) fn search(search: &Search, totals: &Totals, reported: &[Reported]) -> Value {
    json!({
        "system": search.common.system.name(),
        "first": search.first,
        "seeds": totals.seeds,
        "jobs": search.jobs,
        "elapsed_ms": u64::try_from(totals.elapsed.as_millis()).unwrap_or(u64::MAX),
        "virtual_ms": totals.counters.virtual_ms,
        "faults": summary::faults(&totals.counters),
        "undecided": totals.undecided,
        "counters": counters(totals.exercised()),
        "findings": reported.iter().map(finding).collect::<Vec<Value>>(),
    })
}

/// One seed as one object.
pub(super) fn seed(finished: &Finished, reported: Option<&Reported>) -> Value {
    json!({
        "system": finished.scenario.system.name(),
        "seed": finished.scenario.seed,
        "hash": format!("{:016x}", finished.outcome.hash),
        "virtual_ms": finished.outcome.counters.virtual_ms,
        "counters": counters(finished.outcome.exercised()),
        "finding": reported.map(finding),
    })
}

fn finding(reported: &Reported) -> Value {
    let Finished { scenario, outcome } = &reported.finished;
    let mut value = json!({
        "seed": scenario.seed,
        "kind": reported.kind().name(),
        "what": reported.found().what,
        "run": command(scenario),
        "size": size(Size::of(scenario, outcome)),
        "files": reported.files,
        "bug": reported.bug,
    });
    if let Some(shrunk) = &reported.shrunk {
        value["smaller"] = json!({
            "run": command(&shrunk.scenario),
            "size": size(Size::of(&shrunk.scenario, &shrunk.outcome)),
            "tries": shrunk.tries,
            "is_done": shrunk.is_done,
        });
    }
    value
}

fn size(size: Size) -> Value {
    json!({
        "computers": size.computers,
        "clients": size.clients,
        "mishaps": size.mishaps,
        "operations": size.operations,
        "events": size.events,
        "virtual_ms": size.virtual_ms,
    })
}

fn counters(exercised: Tally) -> Value {
    let named = exercised.into_iter().map(|(name, count)| (name.to_owned(), Value::from(count)));
    Value::Object(named.collect::<Map<String, Value>>())
}

//! Each contestant in turn, A B A B: what the machine does beside it falls on all of them.

use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::{
    contestant::{Contestant, Kind},
    load::{self, Load},
    outcome::{LoadResult, Outcome, Result as ContestantResult},
    plan::Plan,
    process,
};

/// How long a cluster may need to elect its first leader.
const ELECTION: Duration = Duration::from_secs(30);
/// After the last write, memory and disk come to rest.
const REST: Duration = Duration::from_secs(3);

/// The loads, in this order.
pub(crate) const LOADS: [Load; 4] = [
    Load { kind: load::Kind::Puts, clients: 1 },
    Load { kind: load::Kind::Puts, clients: 64 },
    Load { kind: load::Kind::Puts, clients: 256 },
    Load { kind: load::Kind::Reads, clients: 64 },
];

/// Measures all that was planned.
///
/// # Errors
/// If a contestant cannot be measured.
pub(crate) fn run(plan: &Plan) -> Result<Outcome, String> {
    let runtime = Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
    let mut outcome = Outcome::new(&plan.contestants);
    for round in 1..=plan.rounds {
        for (kind, result) in plan.contestants.iter().zip(&mut outcome.results) {
            eprintln!("round {round} of {}: {}", plan.rounds, kind.name());
            turn(&runtime, plan, *kind, result)?;
        }
    }
    if plan.keys > 0 {
        for (kind, result) in plan.contestants.iter().zip(&mut outcome.results) {
            if *kind != Kind::Null {
                eprintln!("{} keys: {}", plan.keys, kind.name());
                many_keys(&runtime, plan, *kind, result)?;
            }
        }
    }
    Ok(outcome)
}

/// One turn of one contestant.
fn turn(
    runtime: &Runtime,
    plan: &Plan,
    kind: Kind,
    result: &mut ContestantResult,
) -> Result<(), String> {
    let contestant = Contestant::start(plan, kind)?;
    let addresses = contestant.addresses();
    let terms = terms_after_start(runtime, &contestant)?;
    for (place, load) in LOADS.into_iter().enumerate() {
        let before = contestant.processor_times();
        let own = process::processor_time(std::process::id());
        let measured = runtime.block_on(load::run(&addresses, load, plan))?;
        let used = contestant.processor_times().into_iter().zip(before);
        let processor = used.map(|(after, before)| after.saturating_sub(before)).collect();
        let clients = process::processor_time(std::process::id()).saturating_sub(own);
        result.add(place, LoadResult { load, measured, processor, clients });
    }
    if plan.watchers > 0 {
        let delivered = runtime.block_on(load::deliver(&addresses, plan.watchers))?;
        result.delivered.push(delivered);
    }
    if kind != Kind::Null {
        let after = runtime.block_on(load::terms(&addresses))?;
        if after != terms {
            let name = kind.name();
            let message = format!("{name} held an election under load: {terms:?} became {after:?}");
            result.elections.push(message);
        }
    }
    Ok(())
}

/// The terms once all members know the leader.
fn terms_after_start(
    runtime: &Runtime,
    contestant: &Contestant,
) -> Result<Vec<(u64, u64)>, String> {
    if contestant.kind == Kind::Null {
        return Ok(Vec::new());
    }
    let deadline = Instant::now() + ELECTION;
    loop {
        let terms = runtime.block_on(load::terms(&contestant.addresses()))?;
        let is_settled = terms.iter().all(|one| one.1 != 0 && *one == terms[0]);
        if is_settled {
            return Ok(terms);
        }
        if Instant::now() > deadline {
            return Err(format!("{} elects no leader: {terms:?}", contestant.kind.name()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Memory with many keys, and how long a restart takes.
fn many_keys(
    runtime: &Runtime,
    plan: &Plan,
    kind: Kind,
    result: &mut ContestantResult,
) -> Result<(), String> {
    let mut contestant = Contestant::start(plan, kind)?;
    let addresses = contestant.addresses();
    terms_after_start(runtime, &contestant)?;
    let start = Instant::now();
    runtime.block_on(load::fill(&addresses, plan.keys))?;
    result.fill = Some(start.elapsed());
    std::thread::sleep(REST);
    result.resident_bytes = contestant.resident_bytes();
    contestant.kill_all();
    let start = Instant::now();
    contestant.start_all()?;
    runtime.block_on(load::wait_until_served(&addresses))?;
    result.restart = Some(start.elapsed());
    result.resident_bytes_after_restart = contestant.resident_bytes();
    Ok(())
}

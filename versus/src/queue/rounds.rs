//! Each queue in turn, A B A B: what the machine does beside it falls on all of them.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::{runtime::Runtime, task::JoinSet};

use super::{
    engine::Engine,
    outcome::{Load, Outcome},
    plan::Plan,
    worker::Client,
};

/// Before the measurement, connections and caches get warm.
const WARM_UP: Duration = Duration::from_millis(500);

/// How many tasks a connection puts before it waits for the answers, while a backlog is made.
const FILL_AT_ONCE: usize = 500;

/// How many connections make a backlog.
const FILLERS: usize = 16;

/// Measures all that was planned.
///
/// # Errors
/// If a queue cannot be measured.
pub(crate) fn run(plan: &Plan) -> Result<Outcome, String> {
    let runtime = Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
    let mut outcome = Outcome::new(plan);
    for round in 1..=plan.rounds {
        for (place, kind) in plan.contestants.iter().enumerate() {
            eprintln!("round {round} of {}: {}", plan.rounds, kind.name());
            let engine = Engine::start(plan, *kind)?;
            for load in Load::without_backlog() {
                let took_us = runtime.block_on(measure(&engine, load.connections, plan.duration));
                outcome.add(
                    place,
                    load,
                    &took_us.map_err(|why| failed(&engine, &why))?,
                    plan.duration,
                );
            }
        }
    }
    if plan.backlog > 0 {
        for (place, kind) in plan.contestants.iter().enumerate() {
            eprintln!("a backlog of {}: {}", plan.backlog, kind.name());
            let engine = Engine::start(plan, *kind)?;
            let load = Load::with_backlog(plan.backlog);
            let took_us = runtime.block_on(async {
                fill(&engine, plan.backlog).await?;
                measure(&engine, load.connections, plan.duration).await
            });
            outcome.add(place, load, &took_us.map_err(|why| failed(&engine, &why))?, plan.duration);
        }
    }
    Ok(outcome)
}

fn failed(engine: &Engine, why: &str) -> String {
    format!("{} could not be measured: {why}", engine.kind.name())
}

/// Lets so many connections work. Gives how long each task took, in microseconds.
async fn measure(
    engine: &Engine,
    connections: usize,
    duration: Duration,
) -> Result<Histogram<u64>, String> {
    let clients = connect(engine, connections).await?;
    let from = Instant::now() + WARM_UP;
    let mut workers = JoinSet::new();
    for client in clients {
        workers.spawn(client.work(from, from + duration));
    }
    let mut all = Histogram::new(3).expect("three digits are allowed");
    while let Some(one) = workers.join_next().await {
        let one = one.map_err(|error| format!("a connection ended: {error}"))??;
        all.add(&one).expect("a histogram that grows takes every value");
    }
    Ok(all)
}

async fn connect(engine: &Engine, connections: usize) -> Result<Vec<Client>, String> {
    let addresses = engine.addresses();
    let mut clients = Vec::new();
    for number in 0..connections {
        let address = &addresses[number % addresses.len()];
        clients.push(Client::connect(engine.kind, address, number).await?);
    }
    Ok(clients)
}

/// Puts so many tasks.
async fn fill(engine: &Engine, tasks: u64) -> Result<(), String> {
    let pieces =
        usize::try_from(tasks).expect("a backlog fits the memory").div_ceil(FILLERS * FILL_AT_ONCE);
    let mut fillers = JoinSet::new();
    for mut client in connect(engine, FILLERS).await? {
        fillers.spawn(async move {
            for _ in 0..pieces {
                client.put_many(FILL_AT_ONCE).await?;
            }
            Ok::<(), String>(())
        });
    }
    while let Some(one) = fillers.join_next().await {
        one.map_err(|error| format!("a connection ended: {error}"))??;
    }
    Ok(())
}

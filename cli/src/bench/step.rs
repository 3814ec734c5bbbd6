//! One step: so many clients, one kind of request, so many seconds.

use std::{
    cell::RefCell,
    rc::Rc,
    time::{Duration, Instant},
};

use kernel::Rng;
use tokio::task::LocalSet;

use super::{
    client::{Client, Measured, Workload, put},
    kv::Operation,
};
use crate::{
    client::{Connection, Response},
    exit::{Exit, Failure, Outcome},
};

/// How many connections fill the store.
const FILLERS: u64 = 64;
/// The part of a step that warms up and is not counted: a tenth.
const WARM_UP: u32 = 10;

/// What to measure.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) operation: Operation,
    pub(super) clients: u32,
    pub(super) addresses: Vec<String>,
    pub(super) length: Duration,
}

/// Measures one step.
pub(super) async fn run(step: &Step, workload: &Workload) -> Measured {
    let start = Instant::now();
    let measure_from = start + step.length / WARM_UP;
    let shared = Rc::new(RefCell::new(Measured::new()));
    let workload = Rc::new(workload.clone());
    let all = LocalSet::new();
    let mut rng = Rng::new(u64::from(step.clients));
    for number in 0..step.clients as usize {
        let client = Client {
            address: step.addresses[number % step.addresses.len()].clone(),
            operation: step.operation,
            rng: rng.fork(),
            workload: Rc::clone(&workload),
            shared: Rc::clone(&shared),
            measure_from,
            end: measure_from + step.length,
        };
        all.spawn_local(client.run());
    }
    all.await;
    let mut measured = shared.borrow().clone();
    measured.elapsed = step.length;
    measured
}

/// Writes every key once, so that reads find something.
pub(super) async fn fill(workload: &Workload, addresses: Vec<String>) -> Outcome<()> {
    let all = LocalSet::new();
    let workers: Vec<_> = (0..FILLERS)
        .map(|filler| {
            let workload = workload.clone();
            let address = addresses[0].clone();
            all.spawn_local(async move {
                let mut connection = Connection::open(&address, Duration::from_secs(5)).await?;
                let (mut request, mut response) = (Vec::new(), Response::default());
                for key in (filler..u64::from(workload.keys)).step_by(FILLERS as usize) {
                    put(key, &workload.value, &mut request);
                    connection.exchange(&request, &mut response).await?;
                }
                Ok::<u16, std::io::Error>(response.status)
            })
        })
        .collect();
    all.await;
    for worker in workers {
        let status = worker.await.expect("filling does not panic").map_err(|error| {
            Failure::new(Exit::Unavailable, format!("The keys cannot be written: {error}."))
        })?;
        if !matches!(status, 0 | 200) {
            let message = format!("The keys cannot be written: the node answers {status}.");
            return Err(Failure::new(Exit::Unavailable, message));
        }
    }
    Ok(())
}

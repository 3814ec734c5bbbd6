//! State machine and model, side by side, under random commands.

use kernel::{EntryKind, Stamp};
use queue::{Model, Query};

use crate::{generator::Generator, store::Store};

const SEEDS: u64 = 300;
const STEPS: u64 = 400;

/// Ticks come late or not at all: a command finds what it would have found after them.
#[test]
fn state_machine_and_model_always_agree() {
    for seed in 0..SEEDS {
        let mut random = Generator::new(seed);
        let mut store = Store::new();
        let mut model = Model { wall_ms: store.wall_ms(), ..Model::default() };
        for step in 0..STEPS {
            step_time(&mut random, &mut store, &mut model);
            if random.rng.chance(1, 3) {
                tick(&mut store, &mut model);
                let query = random.query(&model);
                let answer = model.query(&query);
                assert_eq!(store.query(&query), answer, "seed {seed}, step {step}: {query:?}");
            } else {
                let command = random.command(&model);
                let answer = model.apply(&command);
                assert_eq!(store.apply(&command), answer, "seed {seed}, step {step}: {command:?}");
            }
            if random.rng.chance(1, 50) {
                store.flush();
            }
            if random.rng.chance(1, 20) {
                store.check();
            }
        }
        tick(&mut store, &mut model);
        store.check();
        for task in model.tasks.keys() {
            let query = Query::Get { task: *task };
            assert_eq!(store.query(&query), model.query(&query), "seed {seed}");
        }
        assert_eq!(store.query(&Query::Totals), model.query(&Query::Totals), "seed {seed}");
    }
}

/// Time passes; now and then somebody new leads, and now and then everything has been idle for long.
fn step_time(random: &mut Generator, store: &mut Store, model: &mut Model) {
    let most_ns = if random.rng.chance(1, 100) { 900_000_000_000 } else { 700_000_000 };
    store.now = Stamp(store.now.0 + random.rng.below(most_ns));
    (model.now, model.wall_ms) = (store.now, store.wall_ms());
    if random.rng.chance(1, 40) {
        store.apply_entry(EntryKind::Noop, &[]).expect("a new term is no fault");
        model.begin_term();
    }
    if random.rng.chance(1, 4) {
        tick(store, model);
    }
}

/// A query finds what the last entry left, so time stands in both where that entry put it.
fn tick(store: &mut Store, model: &mut Model) {
    store.apply_entry(EntryKind::Tick, &[]).expect("a tick is no fault");
    store.tick();
    model.tick();
}

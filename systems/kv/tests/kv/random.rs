//! State machine and model, side by side, under random commands.

use bytes::Bytes;
use kernel::{EntryKind, Rng, Stamp};
use kv::{Model, Query};

use crate::{
    generator::{Generator, KEYS},
    store::Store,
};

const SEEDS: u64 = 200;
const STEPS: u64 = 400;

#[test]
fn state_machine_and_model_always_agree() {
    for seed in 0..SEEDS {
        let mut random = Generator::new(seed);
        let mut store = Store::new();
        let mut model = Model::default();
        for step in 0..STEPS {
            step_time(&mut random, &mut store, &mut model);
            if random.rng.chance(1, 3) {
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
        }
        store.tick();
        store.check();
        let all = Query::List { prefix: Bytes::new(), after: None, limit: 0 };
        assert_eq!(store.query(&all), model.query(&all), "seed {seed}");
    }
}

/// Time passes, and what is due ends; now and then somebody new leads.
fn step_time(random: &mut Generator, store: &mut Store, model: &mut Model) {
    store.now = Stamp(store.now.0 + random.rng.below(1_500_000_000));
    model.now = store.now;
    if random.rng.chance(1, 40) {
        store.apply_entry(EntryKind::Noop, &[]).expect("a new term is no fault");
        model.begin_term();
    }
    store.tick();
    model.tick();
}

/// Whatever has been is read as it was, until a compaction gives it up.
#[test]
fn every_revision_is_read_as_it_was() {
    for seed in 0..50 {
        let mut random = Generator::new(seed);
        let mut store = Store::new();
        let mut model = Model::default();
        for _ in 0..100 {
            let command = random.command(&model);
            assert_eq!(store.apply(&command), model.apply(&command), "seed {seed}: {command:?}");
        }
        store.tick();
        for revision in 0..=model.revision + 1 {
            for key in KEYS {
                let range = Query::Range(random.range_from(key, revision));
                assert_eq!(store.query(&range), model.query(&range), "seed {seed}: {range:?}");
            }
        }
    }
}

/// Bytes that nobody made on purpose change nothing and stop nothing, unless their kind is unknown.
#[test]
fn random_bytes_never_panic() {
    let mut rng = Rng::new(1);
    let mut store = Store::new();
    for _ in 0..20_000 {
        let mut data: Vec<u8> = (0..rng.below(40)).map(|_| random_byte(&mut rng)).collect();
        if let Some(kind) = data.first_mut() {
            *kind = 1 + (*kind & 7);
        }
        assert!(store.apply_bytes(&data).is_ok());
        store.query_bytes(data.into());
    }
    store.check();
}

fn random_byte(rng: &mut Rng) -> u8 {
    // Mostly small, so that lengths and kinds are often plausible.
    let bound = if rng.chance(3, 4) { 6 } else { 256 };
    u8::try_from(rng.below(bound)).expect("below 256")
}

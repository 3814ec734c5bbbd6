//! State machine and model, side by side, under random commands.

use bytes::Bytes;
use kernel::Rng;
use kv::{Command, Expect, Model, Query};

use crate::store::Store;

const SEEDS: u64 = 200;
const STEPS: u64 = 400;

/// Few keys that share prefixes, so that commands meet.
const KEYS: [&[u8]; 12] = [
    b"",
    b"a",
    b"aa",
    b"aa\x00",
    b"aab",
    b"ab",
    b"b",
    b"b/1",
    b"b/2",
    b"b\xff",
    b"\xff",
    b"\xff\xff",
];

#[test]
fn state_machine_and_model_always_agree() {
    for seed in 0..SEEDS {
        let mut rng = Rng::new(seed);
        let mut store = Store::new();
        let mut model = Model::default();
        for step in 0..STEPS {
            if rng.chance(1, 3) {
                let query = random_query(&mut rng);
                assert_eq!(store.query(&query), model.query(&query), "seed {seed}, step {step}");
            } else {
                let command = random_command(&mut rng, &model);
                let answer = model.apply(&command);
                assert_eq!(store.apply(&command), answer, "seed {seed}, step {step}: {command:?}");
            }
            if rng.chance(1, 50) {
                store.flush();
            }
        }
        store.check();
        let all = Query::List { prefix: Bytes::new(), after: None, limit: 0 };
        assert_eq!(store.query(&all), model.query(&all), "seed {seed}");
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
            *kind = 1 + (*kind & 1);
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

fn random_command(rng: &mut Rng, model: &Model) -> Command {
    let key = random_key(rng);
    let expect = match rng.below(8) {
        0 => Expect::Absent,
        1 => Expect::Value(random_value(rng)),
        2 => Expect::Revision(rng.below(model.revision + 2)),
        3 => Expect::Revision(model.items.get(&key).map_or(0, |item| item.modified)),
        _ => Expect::Any,
    };
    if rng.chance(1, 3) {
        Command::Delete { key, expect }
    } else {
        Command::Put { key, value: random_value(rng), expect }
    }
}

fn random_query(rng: &mut Rng) -> Query {
    if rng.chance(1, 2) {
        return Query::Get { key: random_key(rng) };
    }
    let after = rng.chance(1, 2).then(|| random_key(rng));
    let limit = u32::try_from(rng.below(6)).expect("below 6");
    Query::List { prefix: random_key(rng), after, limit }
}

fn random_key(rng: &mut Rng) -> Bytes {
    Bytes::from_static(rng.pick(&KEYS).expect("there are keys"))
}

fn random_value(rng: &mut Rng) -> Bytes {
    Bytes::from(rng.below(3).to_string())
}

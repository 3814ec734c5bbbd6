//! State machine and model, side by side, under random commands.

use std::collections::BTreeMap;

use bytes::Bytes;
use kernel::{EntryKind, Fault, Reading, Rng, Stamp, Tables};
use kv::{
    Caller, Command, Event, Item, LeaseId, Model, Query, User,
    auth::Change,
    dump::{each_change, each_lease, roles, users},
    events::{compacted, events_since, revision},
    hash::hash,
    load::Loading,
};

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
        let all = by_root(Query::List { prefix: Bytes::new(), after: None, limit: 0 }, &model);
        assert_eq!(store.query(&all), model.query(&all), "seed {seed}");
    }
}

/// What a user asks for is done as far as the user's role allows, which changes now and then.
#[test]
fn a_user_may_do_what_the_roles_allow_and_root_everything() {
    for seed in 0..100 {
        let mut random = Generator::new(seed);
        let mut store = Store::new();
        let mut model = Model::default();
        for command in with_authentication() {
            assert_eq!(store.apply(&command), model.apply(&command), "seed {seed}: {command:?}");
        }
        for _ in 0..300 {
            let is_root = random.rng.chance(1, 4);
            let user = String::from(if is_root { "root" } else { "anna" });
            let caller = Some(Caller { auth_revision: model.auth.revision, user });
            if random.rng.chance(1, 4) {
                let query = random.query_of_data(&model).by(caller);
                assert_eq!(store.query(&query), model.query(&query), "seed {seed}: {query:?}");
                continue;
            }
            let command = match random.rng.below(4) {
                0 if is_root => random.change_of_role("anna"),
                _ => random.command_of_data(&model),
            };
            let command = command.by(caller);
            assert_eq!(store.apply(&command), model.apply(&command), "seed {seed}: {command:?}");
        }
        store.check();
    }
}

/// Root, and anna, whose role may do nothing yet; who they are counts.
fn with_authentication() -> Vec<Command> {
    let name = String::from;
    let add_user = |user| Change::AddUser { name: name(user), user: User::default() };
    let grant = |user| Change::GrantRole { user: name(user), role: name(user) };
    let changes = [
        add_user("root"),
        add_user("anna"),
        Change::AddRole { name: name("anna") },
        grant("root"),
        grant("anna"),
        Change::Enable { key: Bytes::from("key") },
    ];
    changes.map(Command::Auth).into()
}

/// Root may ask for everything, whether authentication is on or not.
fn by_root(query: Query, model: &Model) -> Query {
    query.by(Some(Caller { auth_revision: model.auth.revision, user: String::from("root") }))
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

/// A store and its model after a hundred commands of a seed, and what draws on.
fn grown(seed: u64) -> (Generator, Store, Model) {
    let mut random = Generator::new(seed);
    let mut store = Store::new();
    let mut model = Model::default();
    for _ in 0..100 {
        let command = random.command(&model);
        assert_eq!(store.apply(&command), model.apply(&command), "seed {seed}: {command:?}");
    }
    (random, store, model)
}

/// Whatever has been is read as it was, until a compaction gives it up.
#[test]
fn every_revision_is_read_as_it_was() {
    for seed in 0..50 {
        let (mut random, mut store, model) = grown(seed);
        store.tick();
        for revision in 0..=model.revision + 1 {
            for key in KEYS {
                let range = by_root(Query::Range(random.range_from(key, revision)), &model);
                assert_eq!(store.query(&range), model.query(&range), "seed {seed}: {range:?}");
            }
        }
    }
}

/// Who reads on from any revision sees each change from there on once, in order, and with it what was
/// there before, as far as that is not given up; whatever pages it comes in.
#[test]
fn every_change_is_seen_from_every_revision() {
    for seed in 0..50 {
        let (mut random, mut store, model) = grown(seed);
        store.tick();
        let reading = store.tables.reading();
        for from in model.compacted.unwrap_or(1).max(1) + 1..=model.revision + 2 {
            let most = 1 + usize::try_from(random.rng.below(5)).expect("a small number");
            let (mut seen, mut next) = (BTreeMap::new(), from);
            while next <= model.revision {
                let page = events_since(&reading, next, most).expect("the base can be read");
                assert!(page.next > next, "a page has an end");
                next = page.next;
                for event in page.events {
                    let previous = event.previous(&reading).expect("the base can be read");
                    let place = (event.item.modified, event.item.key.clone());
                    assert!(seen.insert(place, (event, previous)).is_none(), "each is seen once");
                }
            }
            assert_eq!(seen, changes_of(&model, from), "seed {seed}, from {from}");
        }
    }
}

/// A store that is made of what another one held answers for every revision that is left as that one does.
#[test]
fn what_is_taken_out_of_a_store_makes_another_one() {
    for seed in 0..50 {
        let (mut random, mut store, model) = grown(seed);
        if random.rng.chance(1, 2) {
            store.tick();
        }
        let reading = store.tables.reading();
        let mut copy = Store::new();
        copy.tables = copied(&reading).expect("what a store holds makes sense");
        copy.check();
        let copied = copy.tables.reading();
        for at in model.compacted.map_or(0, |compacted| compacted + 1)..=model.revision {
            assert_eq!(hash(&copied, at), hash(&reading, at), "seed {seed}, revision {at}");
        }
        let from = model.compacted.unwrap_or(1) + 1;
        let seen = |reading| events_since(reading, from, 1000).expect("the base can be read");
        assert_eq!(seen(&copied), seen(&reading), "seed {seed}, from {from}");
        assert_eq!(users(&copied), users(&reading), "seed {seed}");
        assert_eq!(roles(&copied), roles(&reading), "seed {seed}");
    }
}

fn copied(reading: &Reading) -> Result<Tables, Fault> {
    let mut tables = Store::new().tables;
    let mut loading = Loading::begin(compacted(reading)?, &mut tables)?;
    each_lease(reading, |id, seconds| loading.lease(id, seconds, &mut tables))?;
    each_change(reading, |left| loading.change(&left, &mut tables))?;
    for (name, role) in roles(reading)? {
        loading.role(&name, &role, &mut tables)?;
    }
    for (name, user) in users(reading)? {
        loading.user(&name, &user, &mut tables)?;
    }
    assert_eq!(loading.end(&mut tables)?, revision(reading)?);
    Ok(tables)
}

type Seen = BTreeMap<(u64, Bytes), (Event, Option<Item>)>;

/// What the dumb store remembers of what changed from a revision on.
fn changes_of(model: &Model, from: u64) -> Seen {
    let mut changes = Seen::new();
    for revision in from..=model.revision {
        let (before, after) = (&model.past[&(revision - 1)], &model.past[&revision]);
        for item in after.values().filter(|item| item.modified == revision) {
            let event = Event { is_deletion: false, item: item.clone() };
            let previous = before.get(&item.key).cloned();
            changes.insert((revision, item.key.clone()), (event, previous));
        }
        for gone in before.values().filter(|item| !after.contains_key(&item.key)) {
            let (key, value, lease) = (gone.key.clone(), Bytes::new(), LeaseId::NONE);
            let item = Item { key, value, created: 0, modified: revision, version: 0, lease };
            let event = Event { is_deletion: true, item };
            changes.insert((revision, gone.key.clone()), (event, Some(gone.clone())));
        }
    }
    changes
}

/// Bytes that nobody made on purpose change nothing and stop nothing, unless their kind is unknown.
#[test]
fn random_bytes_never_panic() {
    let mut rng = Rng::new(1);
    let mut store = Store::new();
    for _ in 0..20_000 {
        let mut data: Vec<u8> = (0..rng.below(40)).map(|_| random_byte(&mut rng)).collect();
        if let Some(kind) = data.first_mut() {
            *kind = 1 + *kind % 22;
        }
        // On behalf of a user there may be a command of an unknown kind.
        let may_stop = data.first() == Some(&9);
        assert!(store.apply_bytes(&data).is_ok() || may_stop);
        store.query_bytes(data.into());
    }
    store.check();
}

fn random_byte(rng: &mut Rng) -> u8 {
    // Mostly small, so that lengths and kinds are often plausible.
    let bound = if rng.chance(3, 4) { 6 } else { 256 };
    u8::try_from(rng.below(bound)).expect("below 256")
}

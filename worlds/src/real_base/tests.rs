//! The real base keeps its promise over a disk that keeps what it likes.

use std::collections::BTreeMap;

use kernel::{Bytes, EntryId, Index, Rng, Stamp, TableId, Tables, Term};
use sim::MapDisk;

use super::{Failure, Flush, Generation, Interrupted, Operation, RealBase, TablesDisk, lock};

const TABLE: TableId = TableId(16);
const GENERATION: Generation = Generation(0);
/// After all keys.
const END: &[u8] = &[255];

type Pairs = Vec<(Bytes, Bytes)>;

/// Some writes over what `disk` holds, ready to be flushed.
fn writes(disk: &dyn TablesDisk, meta: kernel::TablesMeta, rng: &mut Rng) -> Flush {
    let base = disk.reading(GENERATION).unwrap().expect("it was opened");
    let mut tables = Tables::new(base, meta);
    for _ in 0..rng.between(1, 60) {
        let key = rng.below(100).to_be_bytes();
        if rng.chance(1, 4) {
            tables.delete(TABLE, &key).unwrap();
        } else {
            let value =
                vec![rng.next().to_le_bytes()[0]; usize::try_from(rng.below(3_000)).unwrap()];
            tables.put(TABLE, &key, &value).unwrap();
        }
    }
    let index = tables.meta().applied.index.next();
    tables.advance(EntryId::new(Term(1), index), Stamp(index.0));
    tables.freeze()
}

fn pairs(disk: &dyn TablesDisk, generation: Generation) -> Pairs {
    let base = disk.reading(generation).unwrap().expect("it was opened");
    base.scan(&[], END, usize::MAX).unwrap()
}

fn after(before: &Pairs, flush: &Flush) -> Pairs {
    let mut pairs: BTreeMap<Bytes, Bytes> = before.iter().cloned().collect();
    for (key, value) in flush.changes.iter() {
        match value {
            Some(value) => pairs.insert(key.clone(), value.clone()),
            None => pairs.remove(key),
        };
    }
    pairs.into_iter().collect()
}

fn new(cache_bytes: usize) -> RealBase {
    let mut disk = RealBase::new(cache_bytes);
    disk.create(GENERATION, &kernel::TablesMeta::default());
    disk
}

#[test]
fn after_a_crash_in_a_flush_the_tables_are_those_before_it_or_those_after_it() {
    let (mut kept, mut lost, mut reopened) = (0, 0, 0);
    for seed in 0..60 {
        let rng = &mut Rng::new(seed);
        let mut disk = new(*rng.pick(&[0, 30_000, 1 << 20]).expect("some sizes"));
        let mut meta = disk.open(GENERATION).unwrap().expect("it was made");
        let mut before = pairs(&disk, GENERATION);
        for _ in 0..12 {
            let flush = writes(&disk, meta.clone(), rng);
            let wanted = after(&before, &flush);
            if rng.chance(1, 3) {
                disk.flush(GENERATION, &flush).unwrap();
                (meta, before) = (flush.meta, wanted);
                assert_eq!(pairs(&disk, GENERATION), before, "seed {seed}");
                continue;
            }
            let flush = &flush;
            let interrupted =
                Interrupted { flush: Some((GENERATION, flush)), ..Interrupted::default() };
            disk.crash(&interrupted, rng);
            while rng.chance(1, 2) {
                // The process starts and crashes while it opens the file.
                reopened += 1;
                let open = Some(GENERATION);
                disk.crash(&Interrupted { open, ..Interrupted::default() }, rng);
            }
            let found = disk.open(GENERATION).unwrap().expect("it is there");
            if found == flush.meta {
                kept += 1;
                (meta, before) = (found, wanted);
            } else {
                lost += 1;
                assert_eq!(found, meta, "seed {seed}");
            }
            assert_eq!(pairs(&disk, GENERATION), before, "seed {seed}");
        }
    }
    assert!(
        kept > 50 && lost > 50 && reopened > 50,
        "{kept} kept, {lost} lost, {reopened} reopened"
    );
}

#[test]
fn a_received_generation_is_whole_or_not_finished() {
    let (mut whole, mut empty) = (0, 0);
    for seed in 0..100 {
        let rng = &mut Rng::new(seed);
        let mut disk = new(*rng.pick(&[0, 30_000, 1 << 20]).expect("some sizes"));
        let before = disk.open(GENERATION).unwrap().expect("it was made");
        let received = Generation(1);
        disk.begin(received).unwrap();
        let pair =
            |number: u64| (Bytes::from(number.to_be_bytes().to_vec()), Bytes::from(vec![1; 900]));
        let sent: Pairs = (0..rng.between(1, 60)).map(pair).collect();
        for some in sent.chunks(7) {
            disk.store(received, some.to_vec()).unwrap();
        }
        let mut meta = before.clone();
        meta.applied = EntryId::new(Term(3), Index(9));
        let finish = Some((received, meta.clone()));
        disk.crash(&Interrupted { finish, ..Interrupted::default() }, rng);
        // Whichever the log names must be there.
        if rng.chance(1, 2) {
            assert_eq!(disk.open(GENERATION).unwrap(), Some(before), "seed {seed}");
            continue;
        }
        let found = disk.open(received).unwrap();
        if found.as_ref() == Some(&meta) {
            whole += 1;
            assert_eq!(pairs(&disk, received), sent, "seed {seed}");
        } else {
            empty += 1;
            assert_eq!(pairs(&disk, received), [], "seed {seed}");
        }
    }
    assert!(whole > 5 && empty > 5, "{whole} whole, {empty} empty");
}

#[test]
fn what_fails_ends_this_life_and_damages_nothing() {
    for (kind, most) in [(Operation::Write, 12), (Operation::Flush, 2), (Operation::Read, 3)] {
        for count in 0..most {
            let rng = &mut Rng::new(count);
            let mut disk = new(0);
            let meta = disk.open(GENERATION).unwrap().expect("it was made");
            let flush = writes(&disk, meta.clone(), rng);
            lock(&disk.device).fail(Some(Failure { kind, after: count }));
            let done = disk.flush(GENERATION, &flush);
            let failed = disk.take_failure();
            assert_eq!(done.is_err(), failed, "{kind:?} {count}: {done:?}");
            disk.heal();
            disk.crash(&Interrupted::default(), rng);
            let found = disk.open(GENERATION).unwrap().expect("it is there");
            let expected =
                if done.is_ok() { [&flush.meta, &flush.meta] } else { [&meta, &flush.meta] };
            assert!(expected.contains(&&found), "{kind:?} {count}");
        }
    }
}

#[test]
fn the_same_work_leaves_the_same_bytes() {
    let run = || {
        let rng = &mut Rng::new(7);
        let mut disk = new(30_000);
        let mut meta = disk.open(GENERATION).unwrap().expect("it was made");
        for _ in 0..20 {
            let flush = writes(&disk, meta, rng);
            disk.flush(GENERATION, &flush).unwrap();
            meta = flush.meta;
        }
        let flush = writes(&disk, meta, rng);
        let interrupted =
            Interrupted { flush: Some((GENERATION, &flush)), ..Interrupted::default() };
        disk.crash(&interrupted, rng);
        disk.open(GENERATION).unwrap();
        let file = &disk.files[&GENERATION];
        (file.changes(), file.bytes())
    };
    assert!(run() == run(), "the engine must not do anything by chance");
}

#[test]
fn both_disks_hold_the_same() {
    let rng = &mut Rng::new(3);
    let mut map = MapDisk::default();
    map.create(GENERATION, &kernel::TablesMeta::default());
    let mut real = new(0);
    let mut meta = map.open(GENERATION).unwrap().expect("it was made");
    real.open(GENERATION).unwrap();
    for _ in 0..30 {
        let flush = writes(&map, meta, rng);
        map.flush(GENERATION, &flush).unwrap();
        real.flush(GENERATION, &flush).unwrap();
        assert_eq!(pairs(&map, GENERATION), pairs(&real, GENERATION));
        meta = flush.meta;
    }
}

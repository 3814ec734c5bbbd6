//! The tables against a map: whatever is written, frozen, flushed or lost by a crash, every read, scan
//! and reading agrees with the dumb version, and so does the digest.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex},
};

use archipel_kernel::{
    BaseReading, Bytes, EntryId, Fault, Index, Reading, Rng, Stamp, TableId, Tables, TablesMeta,
    Term,
    tables::{Flush, pair_hash},
};

type Map = BTreeMap<Bytes, Bytes>;

/// A durable base that is a map.
#[derive(Debug, Clone, Default)]
struct MapBase(Arc<Map>);

impl BaseReading for MapBase {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        let range =
            self.0.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to))).take(limit);
        Ok(range.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

impl MapBase {
    fn with(&self, flush: &Flush) -> Self {
        let mut map = Map::clone(&self.0);
        for (key, value) in flush.changes.iter() {
            match value {
                Some(value) => map.insert(key.clone(), value.clone()),
                None => map.remove(key),
            };
        }
        Self(Arc::new(map))
    }
}

/// The tables, the dumb version of them, and what a crash would leave of both.
struct World {
    rng: Rng,
    tables: Tables,
    model: Map,
    durable: (MapBase, TablesMeta, Map),
    flushing: Option<(Flush, Map)>,
    kept: Vec<(Reading, Map)>,
}

impl World {
    fn new(seed: u64) -> Self {
        let base = MapBase::default();
        Self {
            rng: Rng::new(seed),
            tables: Tables::new(Arc::new(base.clone()), TablesMeta::default()),
            model: Map::new(),
            durable: (base, TablesMeta::default(), Map::new()),
            flushing: None,
            kept: Vec::new(),
        }
    }

    fn table(&mut self) -> TableId {
        TableId(u8::try_from(self.rng.between(16, 18)).expect("a small number"))
    }

    /// Few keys, some a prefix of others, so that layers hide each other often.
    fn key(&mut self) -> Vec<u8> {
        let length = self.rng.between(1, 3);
        (0..length)
            .map(|_| [0, b'a', b'b', 255][usize::try_from(self.rng.below(4)).expect("small")])
            .collect()
    }

    fn step(&mut self) {
        match self.rng.below(20) {
            0..=8 => self.put(),
            9..=11 => self.delete(),
            12..=13 => self.compare_scan(),
            14 => self.advance(),
            15 => self.freeze(),
            16..=17 => self.finish_flush(),
            18 => self.kept.push((self.tables.reading(), self.model.clone())),
            _ => self.crash(),
        }
    }

    fn put(&mut self) {
        let (table, key) = (self.table(), self.key());
        let value = self.rng.next().to_le_bytes();
        self.tables.put(table, &key, &value).expect("a map can be read");
        self.model.insert(full(table, &key), Bytes::copy_from_slice(&value));
    }

    fn delete(&mut self) {
        let (table, key) = (self.table(), self.key());
        let was_there = self.tables.delete(table, &key).expect("a map can be read");
        assert_eq!(was_there, self.model.remove(&full(table, &key)).is_some());
    }

    fn advance(&mut self) {
        let applied = self.tables.meta().applied.index.next();
        let stamp = Stamp(self.tables.meta().stamp.0 + self.rng.below(3));
        self.tables.advance(EntryId::new(Term(1), applied), stamp);
    }

    fn freeze(&mut self) {
        if self.flushing.is_none() {
            self.flushing = Some((self.tables.freeze(), self.model.clone()));
        }
    }

    fn finish_flush(&mut self) {
        if let Some((flush, model)) = self.flushing.take() {
            let base = self.durable.0.with(&flush);
            self.tables.flushed(Arc::new(base.clone()));
            self.durable = (base, flush.meta, model);
        }
    }

    /// Back to the last finished flush.
    fn crash(&mut self) {
        let (base, meta, model) = self.durable.clone();
        self.tables = Tables::new(Arc::new(base), meta);
        self.model = model;
        self.flushing = None;
    }

    fn compare_scan(&mut self) {
        let (table, from) = (self.table(), self.key());
        let to = self.rng.chance(1, 2).then(|| self.key());
        let limit = usize::try_from(self.rng.below(6)).expect("small");
        let found =
            self.tables.scan(table, &from, to.as_deref(), limit).expect("a map can be read");
        assert_eq!(found, scan(&self.model, table, &from, to.as_deref(), limit));
    }

    fn compare_all(&self) {
        let digest = self
            .model
            .iter()
            .fold(0u128, |sum, (key, value)| sum.wrapping_add(pair_hash(key, value)));
        assert_eq!(self.tables.meta().digest, digest, "the digest is the sum over all pairs");
        for table in (16..=18).map(TableId) {
            let all = self.tables.scan(table, &[], None, usize::MAX).expect("a map can be read");
            assert_eq!(all, scan(&self.model, table, &[], None, usize::MAX));
        }
    }

    /// A reading stays what it was, however the tables have moved on.
    fn compare_readings(&self) {
        for (reading, model) in &self.kept {
            for table in (16..=18).map(TableId) {
                let all = reading.scan(table, &[], None, usize::MAX).expect("a map can be read");
                assert_eq!(all, scan(model, table, &[], None, usize::MAX));
                for (key, value) in all {
                    assert_eq!(reading.get(table, &key), Ok(Some(value)));
                }
            }
        }
    }
}

fn full(table: TableId, key: &[u8]) -> Bytes {
    [&[table.0], key].concat().into()
}

fn scan(
    model: &Map,
    table: TableId,
    from: &[u8],
    to: Option<&[u8]>,
    limit: usize,
) -> Vec<(Bytes, Bytes)> {
    let pairs = model.iter().filter(|(key, _)| key[0] == table.0);
    let pairs = pairs.map(|(key, value)| (key.slice(1..), value.clone()));
    pairs.filter(|(key, _)| **key >= *from && to.is_none_or(|to| **key < *to)).take(limit).collect()
}

#[test]
fn tables_are_a_map_through_freezes_flushes_and_crashes() {
    for seed in 0..60 {
        let mut world = World::new(seed);
        for _ in 0..300 {
            world.step();
            world.compare_all();
        }
        world.compare_readings();
    }
}

/// Counts how many pairs a scan asked of the base.
#[derive(Debug, Default)]
struct CountingBase {
    base: MapBase,
    asked: Mutex<usize>,
}

impl BaseReading for CountingBase {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        self.base.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        *self.asked.lock().expect("one thread") += limit;
        self.base.scan(from, to, limit)
    }
}

#[test]
fn a_short_scan_asks_little_of_a_large_base() {
    let pairs =
        (0..10_000u32).map(|number| (full(TableId(16), &number.to_be_bytes()), Bytes::new()));
    let base = Arc::new(CountingBase {
        base: MapBase(Arc::new(pairs.collect())),
        asked: Mutex::default(),
    });
    let tables = Tables::new(Arc::clone(&base) as Arc<dyn BaseReading>, TablesMeta::default());
    let found = tables.scan(TableId(16), &[], None, 10).expect("a map can be read");
    assert_eq!(found.len(), 10);
    assert!(*base.asked.lock().expect("one thread") <= 20, "a scan of 10 pairs reads about 10");
}

#[test]
#[should_panic(expected = "entries are applied in order")]
fn an_entry_is_not_applied_twice() {
    let mut tables = Tables::new(Arc::new(MapBase::default()), TablesMeta::default());
    tables.advance(EntryId::new(Term(1), Index(1)), Stamp(0));
    tables.advance(EntryId::new(Term(1), Index(1)), Stamp(0));
}

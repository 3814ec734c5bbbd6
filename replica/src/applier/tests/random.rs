//! The applier against a dumb map, through flushes, crashes, restarts and snapshots.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use bytes::Bytes;
use kernel::{
    ClientId, Entry, EntryHead, EntryId, EntryKind, Index, Membership, Origin, Rng, Session,
    SnapshotMeta, Stamp, Tables, Term, Ticket, Wire,
    tables::{Flush, pair_hash},
};

use super::{Adder, Applier, ApplierOutput, SUMS, answer, applier, life, number};
use crate::{
    map_base::MapBase,
    sessions::{LIFETIME, WINDOW},
};

const SEEDS: u64 = 60;
const STEPS: u64 = 300;

/// What should come of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    Answer(Bytes),
    Forgotten,
}

/// The dumb version: nothing is ever lost, clients are forgotten on the minute.
#[derive(Debug, Default)]
struct Model {
    sums: BTreeMap<u8, u64>,
    count: u64,
    clients: BTreeMap<ClientId, Client>,
}

#[derive(Debug, Default)]
struct Client {
    used: Stamp,
    floor: u64,
    answers: BTreeMap<u64, Bytes>,
}

impl Model {
    fn apply(&mut self, entry: &Entry) -> Option<Expected> {
        let expected = match (entry.kind(), entry.session()) {
            (EntryKind::Configuration, _) => Some(Expected::Answer(entry.id().to_bytes())),
            (EntryKind::Command, Some(session)) => Some(self.run_once(entry, session)),
            (EntryKind::Command, None) => Some(Expected::Answer(self.run(entry))),
            _ => None,
        };
        self.clients.retain(|_, client| entry.stamp() < client.used.after(LIFETIME));
        expected
    }

    fn run_once(&mut self, entry: &Entry, session: Session) -> Expected {
        if let Some(client) = self.clients.get(&session.client) {
            if session.serial < client.floor {
                return Expected::Forgotten;
            }
            if let Some(answer) = client.answers.get(&session.serial) {
                return Expected::Answer(answer.clone());
            }
        }
        let answer = self.run(entry);
        let client = self.clients.entry(session.client).or_default();
        client.used = entry.stamp();
        client.answers.insert(session.serial, answer.clone());
        if client.answers.len() > WINDOW {
            let (evicted, _) = client.answers.pop_first().expect("there are many");
            client.floor = evicted + 1;
        }
        Expected::Answer(answer)
    }

    fn run(&mut self, entry: &Entry) -> Bytes {
        let sum = self.sums.entry(entry.data()[0]).or_default();
        *sum += u64::from(entry.data()[1]);
        self.count += 1;
        answer(self.count, *sum)
    }
}

/// A replica that crashes, its log, and what is right.
struct World {
    rng: Rng,
    log: Vec<Entry>,
    model: Model,
    expected: BTreeMap<Ticket, Expected>,
    incarnation: u64,
    applier: Applier<Adder>,
    base: MapBase,
    under_way: Option<Flush>,
    waiting: BTreeSet<Ticket>,
}

impl World {
    fn new(seed: u64) -> Self {
        let base = MapBase::default();
        let mut applier = applier(life(1), &base);
        applier.set_flush_bytes(2000);
        Self {
            rng: Rng::new(seed),
            log: Vec::new(),
            model: Model::default(),
            expected: BTreeMap::new(),
            incarnation: 1,
            applier,
            base,
            under_way: None,
            waiting: BTreeSet::new(),
        }
    }

    fn step(&mut self) {
        match self.rng.below(20) {
            0 => self.crash(),
            1 => self.drop_fields(),
            2 | 3 => self.may_flush(),
            4 | 5 => self.flush(),
            6 | 7 => self.finish_flush(),
            8 => self.read(),
            9 => self.fall_behind_and_install(),
            _ => self.commit(),
        }
        assert!(self.base.meta.applied.index <= self.applier.applied().index);
    }

    /// New entries are committed and applied.
    fn commit(&mut self) {
        for _ in 0..self.rng.between(1, 6) {
            let entry = self.random_entry();
            let expected = self.model.apply(&entry);
            let origin = entry.origin().expect("every entry here has an origin");
            if let Some(expected) = expected.filter(|_| origin.peer == life(self.incarnation)) {
                self.expected.insert(origin.ticket, expected);
            }
            self.log.push(entry);
        }
        self.catch_up();
        assert!(self.expected.is_empty(), "all who asked here have been answered");
    }

    fn random_entry(&mut self) -> Entry {
        let rng = &mut self.rng;
        let index = self.log.len() as u64 + 1;
        let last = self.log.last().map_or(Stamp(0), Entry::stamp);
        let minutes = if rng.chance(1, 20) { rng.below(50) } else { 0 };
        // Now and then another replica asked, or an earlier life.
        let incarnation = self.incarnation - rng.below(self.incarnation.min(2));
        let kind = match rng.below(20) {
            0 => EntryKind::Noop,
            1 => EntryKind::Tick,
            2 => EntryKind::Configuration,
            _ => EntryKind::Command,
        };
        let session = rng.chance(2, 3).then(|| {
            let around = index / 4;
            let serial = rng.between(around.saturating_sub(45), around + 3);
            Session { client: ClientId(u128::from(rng.below(4))), serial }
        });
        let head = EntryHead {
            id: EntryId::new(Term(1 + index / 50), Index(index)),
            kind,
            stamp: Stamp(last.0 + minutes * 60_000_000_000),
            wall_ms: 0,
            origin: Some(Origin { peer: life(incarnation), ticket: Ticket(index) }),
            session: session.filter(|_| kind == EntryKind::Command),
        };
        let small = |rng: &mut Rng| u8::try_from(rng.below(6)).expect("small");
        match kind {
            EntryKind::Command => Entry::new(head, &[small(rng), small(rng)]),
            EntryKind::Configuration => Entry::new(head, &Membership::default().to_bytes()),
            _ => Entry::new(head, &[]),
        }
    }

    /// Applies the rest of the log, in batches of any size.
    fn catch_up(&mut self) {
        loop {
            let applied = place(self.applier.applied().index);
            let rest = &self.log[applied..];
            if rest.is_empty() {
                return;
            }
            let count = self.rng.between(1, rest.len() as u64);
            let batch = rest[..place(Index(count))].to_vec();
            let mut outputs = Vec::new();
            self.applier.apply(&batch, &mut outputs).expect("the log is good");
            self.take(outputs);
        }
    }

    fn take(&mut self, outputs: Vec<ApplierOutput>) {
        for output in outputs {
            match output {
                ApplierOutput::Answer { ticket, answer } => {
                    assert_eq!(self.expected.remove(&ticket), Some(Expected::Answer(answer)));
                }
                ApplierOutput::Forgotten { ticket } => {
                    assert_eq!(self.expected.remove(&ticket), Some(Expected::Forgotten));
                }
                ApplierOutput::Reading { ticket, .. } => assert!(self.waiting.remove(&ticket)),
                ApplierOutput::Applied { index, durable, .. } => {
                    assert_eq!(index, self.applier.applied().index);
                    assert_eq!(durable, self.base.meta.applied.index);
                }
            }
        }
    }

    fn read(&mut self) {
        let ahead = self.rng.below(4);
        let ticket = Ticket(1_000_000 + self.waiting.len() as u64);
        if self.waiting.insert(ticket) {
            let index = Index(self.applier.applied().index.0 + ahead);
            let mut outputs = Vec::new();
            self.applier.read(ticket, index, &mut outputs).expect("nothing has gone wrong");
            self.take(outputs);
        }
    }

    fn may_flush(&mut self) {
        let through = self.rng.below(self.log.len() as u64 + 1);
        self.applier.may_flush(Index(through));
    }

    fn flush(&mut self) {
        let force = self.rng.chance(1, 4);
        if let Some(flush) = self.applier.flush(force) {
            assert!(self.under_way.is_none(), "one flush at a time");
            self.under_way = Some(flush);
        }
    }

    fn finish_flush(&mut self) {
        if let Some(flush) = self.under_way.take() {
            self.base.carry(&flush);
            let mut outputs = Vec::new();
            self.applier.flushed(self.base.reading(), &mut outputs);
            self.take(outputs);
        }
    }

    /// Back to the last finished flush; one that was under way has or has not become durable.
    fn crash(&mut self) {
        if let Some(flush) = self.under_way.take().filter(|_| self.rng.chance(1, 2)) {
            self.base.carry(&flush);
        }
        self.restart();
        self.catch_up();
    }

    fn restart(&mut self) {
        self.incarnation += 1;
        self.waiting.clear();
        self.applier = applier(life(self.incarnation), &self.base);
        self.applier.set_flush_bytes(2000);
    }

    fn drop_fields(&mut self) {
        let digest = self.applier.digest();
        self.applier.drop_fields(Adder::default()).expect("memory can be read");
        assert_eq!(self.applier.digest(), digest);
    }

    /// The replica goes on from what it had on its disk, a snapshot of what it had in memory overtakes it.
    fn fall_behind_and_install(&mut self) {
        let ahead = MapBase::of(&self.applier.reading().expect("nothing has gone wrong"));
        if ahead.meta.applied == self.base.meta.applied {
            return;
        }
        self.under_way = None;
        self.restart();
        let meta = SnapshotMeta {
            last: ahead.meta.applied,
            stamp: ahead.meta.stamp,
            membership: (*ahead.meta.membership).clone(),
            digest: ahead.meta.digest,
        };
        self.base = ahead;
        let mut outputs = Vec::new();
        self.applier.install(self.base.reading(), &meta, &mut outputs).expect("it is ahead");
        self.take(outputs);
    }

    /// Nothing of what happened shows.
    fn check(&mut self) {
        let mut scratch = applier(life(0), &MapBase::default());
        scratch.apply(&self.log, &mut Vec::new()).expect("the log is good");
        assert_eq!(self.applier.digest(), scratch.digest());
        let mut outputs = Vec::new();
        self.applier.apply(&[], &mut outputs).expect("nothing has gone wrong");
        let reading = self.applier.reading().expect("nothing has gone wrong");
        let pairs = MapBase::of(&reading).pairs;
        assert_eq!(pairs, MapBase::of(&scratch.reading().expect("memory can be read")).pairs);
        let digest = pairs.iter().map(|(key, value)| pair_hash(key, value));
        assert_eq!(digest.fold(0, u128::wrapping_add), self.applier.digest());
        for key in 0..6 {
            let sum = number(reading.get(SUMS, &[key]).expect("memory can be read"));
            assert_eq!(sum, self.model.sums.get(&key).copied().unwrap_or_default());
        }
        assert_eq!(self.applier.machine().count, self.model.count);
    }
}

#[test]
fn whatever_happens_the_tables_are_a_function_of_the_log() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.check();
        let tables = Tables::new(world.base.reading(), world.base.meta.clone());
        assert_eq!(tables.meta().digest, world.base.meta.digest, "seed {seed}");
    }
}

fn place(index: Index) -> usize {
    usize::try_from(index.0).expect("the log is short")
}

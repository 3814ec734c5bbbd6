//! Random work, crashes at every step and of every kind, against a model too dumb to be wrong.

use kernel::{
    Entry, EntryId, Generation, HardState, Index, NodeId, Record, Rng, SnapshotMeta, Stamp, Term,
};
use log::{DiskOperation, Recovered, RecoveryError, Trust};

use crate::sample::{IDENTITY, LIMITS, Machine, entry, membership};

/// What a log amounts to, kept as plainly as can be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Model {
    hard: HardState,
    base: EntryId,
    base_stamp: Stamp,
    voters: usize,
    generation: Generation,
    entries: Vec<Entry>,
}

impl Model {
    fn new() -> Self {
        Self {
            hard: HardState::default(),
            base: EntryId::default(),
            base_stamp: Stamp(0),
            voters: 3,
            generation: Generation(0),
            entries: Vec::new(),
        }
    }

    fn of(recovered: &Recovered) -> Self {
        Self {
            hard: recovered.hard,
            base: recovered.base,
            base_stamp: recovered.base_stamp,
            voters: recovered.membership.voters.len(),
            generation: recovered.generation,
            entries: recovered.entries.clone(),
        }
    }

    fn last(&self) -> EntryId {
        self.entries.last().map_or(self.base, Entry::id)
    }

    fn apply(&mut self, record: &Record) {
        match record {
            Record::Entries(entries) => self.entries.extend(entries.iter().cloned()),
            Record::Hard(hard) => self.hard = *hard,
            Record::Truncate(from) => self.entries.retain(|entry| entry.index() < *from),
            Record::Compact { through, stamp, membership } => {
                self.entries.retain(|entry| entry.index() > through.index);
                (self.base, self.base_stamp) = (*through, *stamp);
                self.voters = membership.voters.len();
            }
            Record::Snapshot { meta, generation } => {
                self.entries.clear();
                (self.base, self.base_stamp) = (meta.last, meta.stamp);
                self.voters = meta.membership.voters.len();
                self.generation = *generation;
            }
        }
    }

    /// A record that makes sense now.
    fn draw(&self, rng: &mut Rng) -> Record {
        let last = self.last();
        match rng.below(20) {
            0..=11 => self.draw_entries(rng),
            12..=14 => Record::Hard(HardState {
                term: Term(self.hard.term.0.max(last.term.0) + 1),
                vote: rng.chance(1, 2).then_some(NodeId(rng.below(3))),
                commit: self.base.index,
            }),
            15..=16 if !self.entries.is_empty() => {
                Record::Truncate(Index(rng.between(self.base.index.0 + 1, last.index.0)))
            }
            17 | 18 if !self.entries.is_empty() => {
                let count = self.entries.len() as u64;
                let through = self.entries[rng.below(count) as usize].id();
                let membership = membership(rng.between(1, 5));
                Record::Compact { through, stamp: Stamp(rng.below(1000)), membership }
            }
            19 if rng.chance(1, 4) => {
                let index = Index(rng.between(self.base.index.0, last.index.0 + 20));
                let last = EntryId::new(Term(last.term.0 + 1), index);
                let membership = membership(rng.between(1, 5));
                let meta =
                    SnapshotMeta { last, stamp: Stamp(rng.below(1000)), membership, digest: 7 };
                Record::Snapshot { meta, generation: Generation(self.generation.0 + 1) }
            }
            _ => self.draw_entries(rng),
        }
    }

    fn draw_entries(&self, rng: &mut Rng) -> Record {
        let last = self.last();
        let term = Term(last.term.0.max(self.hard.term.0));
        let size_max = *rng.pick(&[10, 200, 550]).expect("not empty");
        let entries = (1..=rng.between(1, 4)).map(|place| {
            let bytes = vec![rng.next() as u8; rng.below(size_max) as usize];
            entry(EntryId::new(term, Index(last.index.0 + place)), &bytes)
        });
        Record::Entries(entries.collect())
    }
}

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Ran,
    Replaced,
}

struct World {
    rng: Rng,
    machine: Machine,
    /// What was acknowledged.
    model: Model,
    /// What was being written when the last crash came: may be there or not.
    begun: Option<Model>,
    garbles: bool,
    /// How often a crash left a torn, and an uncertain, tail.
    torn: u64,
    uncertain: u64,
}

impl World {
    fn new(seed: u64, garbles: bool) -> Self {
        let machine = Machine::new();
        let (rng, model) = (Rng::new(seed), Model::new());
        Self { rng, machine, model, begun: None, garbles, torn: 0, uncertain: 0 }
    }

    fn run(&mut self, steps: u64) -> End {
        for _ in 0..steps {
            self.tidy_files();
            let mut next = self.model.clone();
            let records: Vec<_> = (0..self.rng.between(1, 3))
                .map(|_| {
                    let record = next.draw(&mut self.rng);
                    next.apply(&record);
                    record
                })
                .collect();
            let operations = self.machine.begin(&records);
            if self.rng.chance(1, 6) {
                self.begun = Some(next);
                self.crash_within(&operations);
                if self.restart() == End::Replaced {
                    return End::Replaced;
                }
            } else {
                self.machine.disk.carry_out(&operations);
                self.machine.log.appended();
                self.model = next;
            }
            self.read_back();
        }
        End::Ran
    }

    fn tidy_files(&mut self) {
        if self.machine.log.segment_wanted().is_some() && self.rng.chance(1, 2) {
            self.machine.make_segment();
        }
        if self.rng.chance(1, 2) {
            self.machine.remove_segments();
        }
    }

    /// Carries out some of the operations, the last one perhaps in part, and crashes: the process
    /// alone, with a flush that failed, or the power.
    fn crash_within(&mut self, operations: &[DiskOperation]) {
        let disk = &mut self.machine.disk;
        let done = self.rng.below(operations.len() as u64 + 1) as usize;
        disk.carry_out(&operations[..done]);
        if let Some(operation @ DiskOperation::Write { .. }) = operations.get(done) {
            disk.carry_out_one(operation, self.rng.below(20) as usize, true);
        }
        match self.rng.below(4) {
            0 => {}
            1 => {
                if let Some(operation @ DiskOperation::Flush { .. }) = operations.get(done) {
                    disk.carry_out_one(operation, 0, false);
                }
            }
            _ => disk.cut_power(&mut self.rng, self.garbles),
        }
    }

    fn restart(&mut self) -> End {
        loop {
            let recovered = match self.machine.disk.recover(IDENTITY, LIMITS) {
                Ok(recovered) => recovered,
                Err(RecoveryError::Damaged(damage)) if self.garbles => {
                    assert!(!damage.proven, "what was never acknowledged is not proven to be lost");
                    return End::Replaced;
                }
                Err(error) => panic!("a healthy disk is always recovered: {error}"),
            };
            let found = Model::of(&recovered);
            assert!(self.is_acknowledged(&found), "{found:?} after {:?}", self.model);
            if let Trust::Uncertain { until, .. } = recovered.trust {
                assert!(self.garbles, "only garbage leaves a doubt");
                assert!(until > found.last(), "a doubt is about what is not there");
                self.uncertain += 1;
            }
            self.torn += u64::from(matches!(recovered.trust, Trust::Torn { .. }));
            if self.rng.chance(1, 4) {
                self.begun.get_or_insert(found);
                self.crash_within(&recovered.start);
                continue;
            }
            self.machine.disk.carry_out(&recovered.start);
            self.machine.log = recovered.log;
            self.model = found;
            self.begun = None;
            return End::Ran;
        }
    }

    /// All that was acknowledged, with or without what was being written. Where the body of that was
    /// garbled, its head may still tell term and vote, but not what is committed.
    fn is_acknowledged(&self, found: &Model) -> bool {
        let begun = self.begun.as_ref().unwrap_or(&self.model);
        let hard = HardState { commit: self.model.hard.commit, ..begun.hard };
        let with_begun_hard = Model { hard, ..self.model.clone() };
        *found == self.model || found == begun || (self.garbles && *found == with_begun_hard)
    }

    /// Some entries, read from the disk.
    fn read_back(&mut self) {
        let Some(first) = self.rng.pick(&self.model.entries).map(Entry::index) else { return };
        let (last, bytes_max) = (self.model.last().index, self.rng.below(3000));
        let log::Located::Reads(fetch) = self.machine.log.locate(first, last, bytes_max) else {
            panic!("what is durable and not compacted can be read");
        };
        let parts: Vec<_> = fetch.reads().map(|range| self.machine.disk.read(range)).collect();
        let read = fetch.decode(&parts).expect("the disk is whole");
        let start = (first.0 - self.model.base.index.0 - 1) as usize;
        assert_eq!(read, self.model.entries[start..start + read.len()]);
        let bytes_len: u64 = read.iter().map(Entry::size).sum();
        assert!(read.len() == 1 || bytes_len <= bytes_max);
    }
}

#[test]
fn whatever_was_acknowledged_survives_any_crash_of_a_healthy_disk() {
    let mut torn = 0;
    for seed in 0..500 {
        let mut world = World::new(seed, false);
        assert!(world.run(60) == End::Ran);
        torn += world.torn;
    }
    assert!(torn > 100, "the crashes tear batches: {torn}");
}

#[test]
fn garbage_never_passes_for_data_and_never_cuts_in_silence() {
    let (mut replaced, mut uncertain) = (0, 0);
    for seed in 1000..1500 {
        let mut world = World::new(seed, true);
        replaced += u64::from(world.run(60) == End::Replaced);
        uncertain += world.uncertain;
    }
    assert!(replaced > 20 && uncertain > 10, "replaced {replaced}, uncertain {uncertain}");
}

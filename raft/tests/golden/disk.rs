//! A disk in memory: what is not durable is lost by a crash, and a start reads back what is left.

use std::collections::{BTreeMap, VecDeque};

use kernel::{
    Entry, EntryHead, EntryId, EntryKind, Generation, HardState, Index, Membership, PersistNumber,
    Record, Stamp, Term,
};

use crate::applier::Tables;

/// One node's log and tables.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    durable: Vec<Record>,
    under_way: VecDeque<(PersistNumber, Vec<Record>)>,
    pub(crate) finished: PersistNumber,
    /// Durable tables, by generation.
    pub(crate) tables: BTreeMap<Generation, Tables>,
}

/// What a start reads back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Image {
    pub(crate) hard: HardState,
    pub(crate) base: EntryId,
    pub(crate) base_stamp: Stamp,
    pub(crate) membership: Membership,
    pub(crate) entries: Vec<Entry>,
    pub(crate) generation: Generation,
}

impl Disk {
    /// The disk of a new replica that starts from `membership`.
    pub(crate) fn new(membership: Membership) -> Self {
        let tables = Tables { membership: membership.clone(), ..Tables::default() };
        let first =
            Record::Compact { through: EntryId::default(), stamp: Stamp::default(), membership };
        Self {
            durable: vec![first],
            tables: BTreeMap::from([(Generation(0), tables)]),
            ..Self::default()
        }
    }

    /// Puts records on the disk of a replica that does not run.
    pub(crate) fn prepare(&mut self, record: Record) {
        self.durable.push(record);
    }

    /// A log of empty entries with the given terms, in place of any before, and a hard state, on the disk
    /// of a replica that does not run.
    pub(crate) fn prepare_log(&mut self, terms: &[u64], hard: HardState) {
        let entry = |(place, term): (usize, &u64)| {
            let head = EntryHead {
                id: EntryId::new(Term(*term), Index(place as u64 + 1)),
                kind: EntryKind::Noop,
                stamp: Stamp(0),
                wall_ms: 0,
                origin: None,
                session: None,
            };
            Entry::new(head, &[])
        };
        self.prepare(Record::Truncate(Index(1)));
        self.prepare(Record::Entries(terms.iter().enumerate().map(entry).collect()));
        self.prepare(Record::Hard(hard));
    }

    pub(crate) fn write(&mut self, number: PersistNumber, records: Vec<Record>) {
        self.under_way.push_back((number, records));
    }

    /// The last write that is under way.
    pub(crate) fn last_under_way(&self) -> Option<PersistNumber> {
        self.under_way.back().map(|(number, _)| *number)
    }

    /// Makes all writes up to `through` durable.
    pub(crate) fn finish(&mut self, through: PersistNumber) {
        while let Some((number, records)) =
            self.under_way.pop_front_if(|(number, _)| *number <= through)
        {
            self.durable.extend(records);
            self.finished = number;
        }
    }

    /// The power fails: what is under way is lost, and the numbers begin anew.
    pub(crate) fn crash(&mut self) {
        self.under_way.clear();
        self.finished = PersistNumber::NONE;
    }

    /// What a start would read back now.
    pub(crate) fn durable_image(&self) -> Image {
        replay(self.durable.iter())
    }

    /// What it would read back if all that is under way were durable.
    pub(crate) fn full_image(&self) -> Image {
        replay(self.durable.iter().chain(self.under_way.iter().flat_map(|(_, records)| records)))
    }
}

fn replay<'a>(records: impl Iterator<Item = &'a Record>) -> Image {
    let mut image = Image::default();
    for record in records {
        match record {
            Record::Entries(entries) => image.entries.extend(entries.iter().cloned()),
            Record::Hard(hard) => image.hard = *hard,
            Record::Truncate(from) => image.entries.retain(|entry| entry.index() < *from),
            Record::Compact { through, stamp, membership } => {
                image.entries.retain(|entry| entry.index() > through.index);
                image.base = *through;
                image.base_stamp = *stamp;
                image.membership = membership.clone();
            }
            Record::Snapshot { meta, generation } => {
                image.entries.clear();
                image.base = meta.last;
                image.base_stamp = meta.stamp;
                image.membership = meta.membership.clone();
                image.generation = *generation;
            }
        }
    }
    image
}

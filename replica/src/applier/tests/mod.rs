//! The applier alone, with a machine that counts: a repeat that took effect twice would show.

mod cases;
mod random;

use alloc::{format, sync::Arc, vec::Vec};

use bytes::Bytes;
use kernel::{
    ClientId, Entry, EntryHead, EntryId, EntryKind, Fault, Incarnation, Index, NodeId, Origin,
    Outcome, Peer, Reading, Session, Stamp, StateMachine, TableId, Tables, Term, Ticket,
};

use super::{Applier, ApplierOutput};
use crate::map_base::MapBase;

const SUMS: TableId = TableId(16);
const COUNT: TableId = TableId(17);

/// A command whose machine fails after it has written half of what it writes.
const POISON: [u8; 2] = [u8::MAX, 0];

/// Adds to sums: a command is a key and what to add, both a byte; its answer is how many commands have
/// taken effect, and the sum. The count is a field, too, which `restored` rebuilds.
#[derive(Debug, Default)]
struct Adder {
    count: u64,
}

impl StateMachine for Adder {
    fn apply(
        &mut self,
        entry: &Entry,
        tables: &mut Tables,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let [key, add] = **entry.data() else {
            return Ok(());
        };
        let sum = number(tables.get(SUMS, &[key])?) + u64::from(add);
        tables.put(SUMS, &[key], &sum.to_le_bytes())?;
        if [key, add] == POISON {
            return Err(Fault::StateMachine("poison".into()));
        }
        self.count += 1;
        tables.put(COUNT, &[], &self.count.to_le_bytes())?;
        if let Some(origin) = entry.origin() {
            outcome.answer(origin, answer(self.count, sum));
        }
        Ok(())
    }

    fn query(_reading: &Reading, query: Bytes) -> Result<Bytes, Fault> {
        Ok(query)
    }

    fn restored(&mut self, reading: &Reading) -> Result<(), Fault> {
        self.count = number(reading.get(COUNT, &[])?);
        Ok(())
    }
}

fn number(row: Option<Bytes>) -> u64 {
    row.map_or(0, |row| u64::from_le_bytes((*row).try_into().expect("a sum has eight bytes")))
}

fn answer(count: u64, sum: u64) -> Bytes {
    [count.to_le_bytes(), sum.to_le_bytes()].concat().into()
}

fn life(incarnation: u64) -> Peer {
    Peer { node: NodeId(1), incarnation: Incarnation(incarnation) }
}

/// The beginnings of an entry at `index`, asked for by the first life of this replica under the ticket
/// of that number, at as many minutes of cluster time.
fn head(index: u64) -> EntryHead {
    EntryHead {
        id: EntryId::new(Term(1), Index(index)),
        kind: EntryKind::Command,
        stamp: minutes(index),
        wall_ms: 0,
        origin: Some(Origin { peer: life(1), ticket: Ticket(index) }),
        session: None,
    }
}

fn in_session(index: u64, client: u128, serial: u64) -> EntryHead {
    EntryHead { session: Some(Session { client: ClientId(client), serial }), ..head(index) }
}

fn minutes(count: u64) -> Stamp {
    Stamp(count * 60_000_000_000)
}

fn applier(me: Peer, base: &MapBase) -> Applier<Adder> {
    let tables = Tables::new(base.reading(), base.meta.clone());
    Applier::new(me, Adder::default(), tables).expect("memory can be read")
}

/// Applies and shows what came of it, a line each.
fn apply(applier: &mut Applier<Adder>, entries: &[Entry]) -> Vec<alloc::string::String> {
    let mut outputs = Vec::new();
    applier.apply(entries, &mut outputs).expect("the entries are good");
    show(&outputs)
}

fn show(outputs: &[ApplierOutput]) -> Vec<alloc::string::String> {
    let shown = outputs.iter().map(|output| match output {
        ApplierOutput::Answer { ticket, answer } if answer.len() == 16 => {
            let (count, sum) = answer.split_at(8);
            let [count, sum] = [count, sum].map(|half| number(Some(Bytes::copy_from_slice(half))));
            format!("{ticket}: command {count}, sum {sum}")
        }
        ApplierOutput::Answer { ticket, .. } => format!("{ticket}: answered"),
        ApplierOutput::Forgotten { ticket } => format!("{ticket}: forgotten"),
        ApplierOutput::Reading { ticket, reading } => {
            format!("{ticket}: reads at {}", reading.meta().applied)
        }
        ApplierOutput::Applied { index, durable, .. } => {
            format!("applied {index}, durable {durable}")
        }
    });
    shown.collect()
}

/// Carries out a flush.
fn carry(applier: &mut Applier<Adder>, base: &mut MapBase) -> Vec<alloc::string::String> {
    let flush = applier.flush(true).expect("something is to be flushed");
    base.carry(&flush);
    let mut outputs = Vec::new();
    applier.flushed(Arc::clone(&base.reading()), &mut outputs);
    show(&outputs)
}

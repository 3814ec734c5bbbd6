//! [`QueueMachine`]: applies commands to the tables.
//!
//! ```text
//! entry ─▶ time      what is due by its stamp, a bounded number    ─┐
//!      ─▶ give       put, take                                      │
//!         end        complete, fail, extend, release, bury, delete  ├▶ shelf ─▶ tables
//!         wake       kick, purge                                    │
//!         holders    connections that have ended                    │
//!         queues     settings, pauses                              ─┘
//! ```
//! The machine has no fields: everything is in the tables. Its invariants are in `check.rs`.

mod check;
mod end;
mod give;
mod holders;
mod queues;
mod time;
mod wake;

use alloc::format;

use bytes::Bytes;
use kernel::{Entry, EntryKind, Fault, Outcome, Reading, Stamp, StateMachine, Tables, Wire};

use crate::{
    answer::Answer,
    command::{self, Command},
    failure::Invalid,
    query::Query,
    store::{
        counters::{self, TERM_BEGAN},
        dates,
    },
};

pub(crate) use give::sources;

/// How much that is due a command's entry does before the command.
const DUE_BEFORE_COMMAND: usize = 64;

/// How much that is due a tick does.
const DUE_AT_TICK: usize = 256;

/// The work queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueueMachine;

impl StateMachine for QueueMachine {
    fn apply(
        &mut self,
        entry: &Entry,
        tables: &mut Tables,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        let stamp = entry.stamp();
        match entry.kind() {
            EntryKind::Command => {}
            EntryKind::Noop => return counters::set_counter(tables, TERM_BEGAN, stamp.0),
            EntryKind::Tick => return time::settle(tables, stamp, DUE_AT_TICK),
            EntryKind::Configuration => return Ok(()),
        }
        let answer = match Command::from_bytes(entry.data().clone()) {
            Ok(command) => run(&command, entry, tables)?,
            Err(_) => answer_malformed(entry)?,
        };
        if let Some(origin) = entry.origin() {
            outcome.answer(origin, answer.to_bytes());
        }
        Ok(())
    }

    fn query(reading: &Reading, query: Bytes) -> Result<Bytes, Fault> {
        let answer = match Query::from_bytes(query) {
            Ok(query) => query.answer(reading)?,
            Err(_) => Answer::Invalid(Invalid::Malformed),
        };
        Ok(answer.to_bytes())
    }

    /// When the first thing may be due.
    fn deadline(&self, reading: &Reading) -> Result<Option<Stamp>, Fault> {
        dates::none_before(reading)
    }

    fn check(&self, reading: &Reading) -> Result<(), Fault> {
        check::check(reading)
    }
}

impl QueueMachine {
    /// Asserts every invariant over everything, however long that takes.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn check_all(&self, reading: &Reading) -> Result<(), Fault> {
        check::check_all(reading)
    }
}

/// A command that this build knows but cannot read was made wrong, and every replica finds that. One of
/// an unknown kind may make sense to a newer replica: this one must stop.
fn answer_malformed(entry: &Entry) -> Result<Answer, Fault> {
    match command::unknown_kind(entry.data()) {
        Some(kind) => Err(Fault::StateMachine(format!(
            "entry {} is a command of kind {kind}, which this build does not know; run the build \
             that the other members run",
            entry.id()
        ))),
        None => Ok(Answer::Invalid(Invalid::Malformed)),
    }
}

fn run(command: &Command, entry: &Entry, tables: &mut Tables) -> Result<Answer, Fault> {
    let stamp = entry.stamp();
    if let Err(invalid) = command.check() {
        return Ok(Answer::Invalid(invalid));
    }
    time::settle(tables, stamp, DUE_BEFORE_COMMAND)?;
    match command {
        Command::Put(put) => give::put(put, stamp, entry.head().wall_ms, tables),
        Command::Take(take) => give::take(take, stamp, tables),
        Command::TakeOne { task, lease_ms, holder } => {
            give::take_one(*task, (*lease_ms, *holder), stamp, tables)
        }
        Command::Complete { task, claim, result } => {
            end::complete(*task, *claim, result, stamp, tables)
        }
        Command::Fail { task, claim, error } => end::fail(*task, *claim, error, stamp, tables),
        Command::Extend { task, claim, lease_ms } => {
            end::extend(*task, *claim, *lease_ms, stamp, tables)
        }
        Command::Release { task, claim, priority, delay_ms } => {
            end::release(*task, *claim, (*priority, *delay_ms), stamp, tables)
        }
        Command::Bury { task, claim, priority, error } => {
            end::bury(*task, *claim, (*priority, error), stamp, tables)
        }
        Command::Delete { task, claim } => end::delete(*task, *claim, stamp, tables),
        Command::Kick { queue, sleepers, count } => {
            wake::kick(queue, *sleepers, *count, stamp, tables)
        }
        Command::KickOne { task } => wake::kick_one(*task, stamp, tables),
        Command::Purge { queue, count } => wake::purge(queue, *count, stamp, tables),
        Command::LetGo { holder } => holders::let_go(*holder, stamp, tables),
        Command::LetGoBefore { node, incarnation } => {
            holders::let_go_before(*node, *incarnation, stamp, tables)
        }
        Command::Configure { queue, settings } => {
            queues::configure(queue, settings.as_ref(), stamp, tables)
        }
        Command::Pause { queue, for_ms } => queues::pause(queue, *for_ms, stamp, tables),
        Command::Resume { queue } => queues::resume(queue, stamp, tables),
    }
}

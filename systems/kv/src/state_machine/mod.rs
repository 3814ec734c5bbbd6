//! [`KvMachine`]: applies commands to the tables.
//!
//! ```text
//! command ─▶ gate ─▶ single     put and delete, each with an expectation      ─┐
//!                    transact   comparisons, then operations                   ├▶ write ─▶ tables
//!                    lease      grant, keep alive, revoke; and what is due    ─┘
//!                    compact    gives up history
//!                    auth       users and roles           alarm    raised and disarmed
//! ```
//! The machine has no fields: everything is in the tables. Its invariants are in `check.rs`.

mod alarm;
mod auth;
mod check;
pub(crate) mod compact;
mod lease;
mod single;
mod transact;

use alloc::format;

use bytes::Bytes;
use kernel::{Entry, EntryKind, Fault, Outcome, Reading, Stamp, StateMachine, Tables, Wire};

use crate::{
    answer::{Answer, Invalid},
    auth::gate,
    command::Command,
    query::Query,
    store::{self, TERM_BEGAN},
};

pub(crate) use transact::look;

/// The key/value store.
#[derive(Clone, Copy, Debug, Default)]
pub struct KvMachine;

impl KvMachine {
    /// Asserts every invariant over everything, however long that takes.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn check_all(&self, reading: &Reading) -> Result<(), Fault> {
        check::check_all(reading)
    }
}

impl StateMachine for KvMachine {
    fn apply(
        &mut self,
        entry: &Entry,
        tables: &mut Tables,
        outcome: &mut Outcome,
    ) -> Result<(), Fault> {
        match entry.kind() {
            EntryKind::Command => {}
            EntryKind::Noop => return store::set_counter(tables, TERM_BEGAN, entry.stamp().0),
            EntryKind::Tick => {
                lease::expire(entry.stamp(), tables)?;
                return compact::scrub(entry.stamp(), tables);
            }
            EntryKind::Configuration => return Ok(()),
        }
        let answer = match Command::from_bytes(entry.data().clone()) {
            Ok(command) => run(&command, entry.stamp(), tables)?,
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

    /// When the first lease may be due, or rows may be taken away.
    fn deadline(&self, reading: &Reading) -> Result<Option<Stamp>, Fault> {
        let dates = [lease::next_date(reading)?, compact::next_date(reading)?];
        Ok(dates.into_iter().flatten().min())
    }

    fn check(&self, reading: &Reading) -> Result<(), Fault> {
        check::check(reading)
    }
}

/// A command that this build knows but cannot read was made wrong, and every replica finds that. One of
/// an unknown kind may make sense to a newer replica: this one must stop.
fn answer_malformed(entry: &Entry) -> Result<Answer, Fault> {
    match Command::unknown_kind(entry.data()) {
        Some(kind) => Err(Fault::StateMachine(format!(
            "entry {} is a command of kind {kind}, which this build does not know; run the build \
             that the other members run",
            entry.id()
        ))),
        None => Ok(Answer::Invalid(Invalid::Malformed)),
    }
}

fn run(command: &Command, stamp: Stamp, tables: &mut Tables) -> Result<Answer, Fault> {
    if let Err(invalid) = command.check() {
        return Ok(Answer::Invalid(invalid));
    }
    let (caller, command) = command.parts();
    if let Some(failure) = gate::refuse(tables, caller, command)? {
        return Ok(Answer::Failed(failure));
    }
    match command {
        Command::Put { key, value, expect } => single::put(key, value, expect, tables),
        Command::Delete { key, expect } => single::delete(key, expect, tables),
        Command::Do(transaction) => transact::transact(transaction, tables),
        Command::Compact { revision } => compact::compact(*revision, stamp, tables),
        Command::Grant { lease, seconds } => lease::grant(*lease, *seconds, stamp, tables),
        Command::Revoke { lease } => lease::revoke(*lease, tables),
        Command::KeepAlive { lease } => lease::keep_alive(*lease, stamp, tables),
        Command::TimeLeft { lease, with_keys } => {
            lease::time_left(*lease, *with_keys, stamp, tables)
        }
        Command::Auth(change) => auth::change(change, tables),
        Command::Raise(alarm) => alarm::raise(*alarm, tables),
        Command::Disarm(alarm) => alarm::disarm(*alarm, tables),
        Command::As { .. } => panic!("a command on behalf of two was found malformed"),
    }
}

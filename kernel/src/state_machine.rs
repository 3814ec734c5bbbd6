//! [`StateMachine`]: what committed entries do, the same on every replica.

use alloc::vec::Vec;

use bytes::Bytes;

use crate::{
    entry::{Entry, Origin},
    outcome::Fault,
    tables::{Reading, Tables},
    time::Stamp,
};

/// A system's state: a function of the log alone.
///
/// Whatever can change what [`apply`](StateMachine::apply) writes or answers stands in the tables.
/// Fields hold only what can be rebuilt from them.
pub trait StateMachine: Send + 'static {
    /// Applies one committed entry, which may be a command, a no-op (a new term has begun) or a tick.
    /// A refusal is an answer.
    ///
    /// # Errors
    /// A [`Fault`] means that the replica must stop; what this entry wrote is dropped.
    fn apply(
        &mut self,
        entry: &Entry,
        tables: &mut Tables,
        outcome: &mut Outcome,
    ) -> Result<(), Fault>;

    /// Answers a query from one moment's tables, on any thread.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    fn query(reading: &Reading, query: Bytes) -> Result<Bytes, Fault>;

    /// When, in cluster time, a tick is next needed.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    fn deadline(&self, _reading: &Reading) -> Result<Option<Stamp>, Fault> {
        Ok(None)
    }

    /// Rebuilds every field from the tables: after a start, after a snapshot, and in the simulator at
    /// any moment.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read or make no sense.
    fn restored(&mut self, _reading: &Reading) -> Result<(), Fault> {
        Ok(())
    }

    /// Asserts the invariants over the tables; costly, for tests and the simulator.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    fn check(&self, _reading: &Reading) -> Result<(), Fault> {
        Ok(())
    }
}

/// Collects the answers that applying an entry gives, to its own request or to any other.
#[derive(Debug, Default)]
pub struct Outcome {
    answers: Vec<(Origin, Bytes)>,
}

impl Outcome {
    /// Answers the request of `origin`. Each request is answered once.
    pub fn answer(&mut self, origin: Origin, answer: Bytes) {
        self.answers.push((origin, answer));
    }

    /// Takes the answers given so far.
    pub fn take(&mut self) -> Vec<(Origin, Bytes)> {
        core::mem::take(&mut self.answers)
    }
}

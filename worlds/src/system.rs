//! [`System`]: what differs between the systems that a world can run.

use kernel::{Bytes, Reading, Rng, Session, StateMachine};
use raft::{Request, print::Printer};
use sim::{Asked, Settings, Workload};

/// A system on Raft: its state machine, its clients, and how they speak to it.
pub trait System {
    /// Its state machine.
    type Machine: StateMachine + Default;
    /// Its clients.
    type Workload: Workload;

    /// How Raft's doings read where commands are those of the system.
    const PRINTER: Printer;

    /// Whatever differs from world to world, as `seed` decides.
    fn draw(seed: u64) -> Self;

    /// Its clients, as `settings` say.
    fn workload(&self, settings: &Settings) -> Self::Workload;

    /// The request, and for a read the query, that a call becomes.
    fn ask(
        &self,
        call: &<Self::Workload as Workload>::Call,
        session: Option<Session>,
    ) -> Asked<Request>;

    /// What the answer to a call says.
    ///
    /// # Errors
    /// What is wrong with it, if it is none that the call can get.
    fn answer(
        &self,
        call: &<Self::Workload as Workload>::Call,
        answer: Bytes,
    ) -> Result<<Self::Workload as Workload>::Answer, String>;

    /// A request that somebody makes beside what is recorded.
    fn aside(&self, _rng: &mut Rng) -> Option<Request> {
        None
    }

    /// Looks at the tables of a node as whoever watches the system would.
    ///
    /// # Errors
    /// Which promise to watchers is broken.
    fn watch(&mut self, _reading: &Reading) -> Result<(), String> {
        Ok(())
    }
}

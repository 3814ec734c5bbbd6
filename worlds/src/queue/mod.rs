//! The work queue in a world.
//!
//! ```text
//!   draw       what a producer puts, what a worker does next          draw
//!   Workers    who holds what, stale tokens, the history, the verdict  workers, count
//!   Asking     a call of the history with what the queue needs for it
//!     ask      the command or the query that it becomes                ask
//!     told     what its answer says                                    told
//! ```

mod ask;
mod count;
mod draw;
mod say;
mod told;
mod workers;

use kernel::{Bytes, Rng, Session};
use queue::QueueMachine;
use raft::{Request, print::Printer};
use sim::{Asked, Settings};

use crate::system::System;
use draw::Habits;
use workers::{Asking, Workers};

/// The work queue.
#[derive(Clone, Debug)]
pub struct WorkQueue {
    habits: Habits,
}

impl System for WorkQueue {
    type Machine = QueueMachine;
    type Workload = Workers;

    const PRINTER: Printer = Printer { command: say::say_command };

    fn draw(seed: u64) -> Self {
        Self { habits: Habits::draw(&mut Rng::new(seed ^ 0x0071_7565_7565)) }
    }

    fn workload(&self, settings: &Settings) -> Workers {
        Workers::new(self.habits.clone(), settings)
    }

    fn ask(&self, asking: &Asking, session: Option<Session>) -> Asked<Request> {
        ask::ask(asking, &self.habits, session)
    }

    fn answer(&self, asking: &Asking, answer: Bytes) -> Result<check::queue::Answer, String> {
        told::told(&asking.call, answer)
    }
}

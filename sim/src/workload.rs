//! [`Workload`]: what clients want, what they remember of it, and whether what they were told keeps the
//! promises of the system.
//!
//! ```text
//!   draw, carry_out ─▶ Call ─▶ Composition::ask ─▶ node
//!                       │ begin                     │
//!                    history ◀── end ◀── Answer ◀───┘
//!                       └─▶ judge ─▶ Judgement
//! ```
//! Whom a client asks, how often, and under which session is the crowd's affair.

use alloc::{string::String, vec::Vec};
use core::fmt::{Debug, Display};

use check::{HistoryError, Process};
use kernel::{NodeId, Rng, Stamp};

use crate::settings::ClientSettings;

/// The clients of a system.
pub trait Workload {
    /// What a client asks.
    type Call: Debug;
    /// What it is answered.
    type Answer: Display;
    /// Something that must be carried out before a world may end.
    type Errand: Clone + Debug;
    /// All that was asked and told.
    type History: Clone + Debug;

    /// What a client does next, of its own accord.
    fn draw(&mut self, client: usize, settings: &ClientSettings, rng: &mut Rng) -> Self::Call;

    /// What each of `members` must carry out, the last first.
    fn agenda(&self, members: &[NodeId], stage: Stage) -> Vec<(NodeId, Self::Errand)>;

    /// What a client asks to carry out an errand.
    fn carry_out(&mut self, client: usize, errand: &Self::Errand, rng: &mut Rng) -> Self::Call;

    /// What must be carried out once an errand was answered, by the same node.
    fn follow_up(&self, _errand: &Self::Errand, _answer: &Self::Answer) -> Vec<Self::Errand> {
        Vec::new()
    }

    /// True if the call changes nothing, so that it may be repeated whatever became of it.
    fn is_read(call: &Self::Call) -> bool;

    /// True if the call may be repeated in a session, whose answers are kept only if they are short.
    fn fits_session(call: &Self::Call) -> bool {
        !Self::is_read(call)
    }

    /// As what an answered call is counted.
    fn counted(call: &Self::Call, answer: &Self::Answer) -> Counted;

    /// A client asks for the first time.
    ///
    /// # Errors
    /// If that makes no sense in the history.
    fn begin(&mut self, who: Who, call: &Self::Call) -> Result<(), HistoryError>;

    /// What a client asked has ended.
    ///
    /// # Errors
    /// If that makes no sense in the history.
    fn end(
        &mut self,
        who: Who,
        call: &Self::Call,
        ended: Ended<Self::Answer>,
    ) -> Result<(), HistoryError>;

    /// What clients asked and were told so far.
    fn history(&self) -> &Self::History;

    /// How many events the history has.
    fn events(&self) -> u64;

    /// Whether what clients were told keeps the promises. `terms` are the moments of cluster time at which terms
    /// began; `is_drained` if the last agenda was carried out.
    fn judge(&self, terms: &[Stamp], is_drained: bool) -> Judgement;

    /// What clients did besides what every system counts.
    fn tally(&self) -> Tally {
        Tally::new()
    }

    /// A call, for people.
    fn say(&self, call: &Self::Call) -> String;
}

/// For what there is an agenda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The cluster must serve: all of it, or on trial a majority.
    Service,
    /// Nobody asks for anything else any more: what is still to be done must be done.
    Drain,
}

/// How often things happened, by name.
pub type Tally = Vec<(&'static str, u64)>;

/// Who asks, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    /// The client, from 0.
    pub client: usize,
    /// Its name in the history, which changes after an unknown outcome.
    pub process: Process,
    /// The moment, in nanoseconds of virtual time.
    pub now_ns: u64,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended<Answer> {
    /// With an answer.
    Answered(Answer),
    /// It was not carried out and will not be.
    Refused,
    /// Nobody can say.
    Unknown,
}

/// As what an answered call is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// A read.
    Read,
    /// A change.
    Written,
    /// A change that was not made, because something was not as its client thought.
    Mismatch,
}

/// What is thought of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It keeps the promises.
    Sound,
    /// It could not be judged within bounds.
    Undecided,
    /// It breaks one.
    Broken {
        /// Which, and what shows it; the first line says the most.
        what: String,
        /// When it was told, in nanoseconds of virtual time, if that is known.
        at_ns: Option<u64>,
    },
}

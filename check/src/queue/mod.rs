//! Histories of a work queue, and what is promised of it.
//!
//! ```text
//!   workers ─▶ QueueHistory ─▶ one task a time ─▶ rules ─▶ Breach
//! ```
//! Each task is known by a name that its producer chose and nobody used twice. A delivery has a token, which
//! names it among the deliveries of its task, and a lease; both lie in the cluster time of what was tested,
//! whose stamps are part of the answers. The rules stand with [`Rule`].

mod judge;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use crate::history::{HistoryError, Process};

pub use judge::{Breach, Promise, Rule, judge};

/// What is asked of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Put a task of this name.
    Put(Vec<u8>),
    /// Take what is ready.
    Take,
    /// A delivery is done.
    Complete(Delivery),
    /// A delivery failed.
    Fail(Delivery),
    /// The lease of a delivery shall begin again.
    Extend(Delivery),
}

/// One delivery of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The task's name.
    pub task: Vec<u8>,
    /// Which of its deliveries: later ones have larger tokens.
    pub token: u64,
}

/// What was answered. Stamps are in nanoseconds of cluster time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The task is in the queue.
    Accepted,
    /// These were taken.
    Taken {
        /// When.
        stamp_ns: u64,
        /// Each delivery, and when its lease ends.
        deliveries: Vec<(Delivery, u64)>,
    },
    /// The delivery is done.
    Completed {
        /// When.
        stamp_ns: u64,
    },
    /// The failure was noted.
    Failed {
        /// True if there will be no other attempt.
        is_dead: bool,
    },
    /// The lease began again.
    Extended {
        /// When it ends.
        due_ns: u64,
    },
    /// The delivery is not held any more; nothing was done.
    NotHeld,
}

/// Something that happened to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It asked.
    Invoke(Call),
    /// It was answered.
    Ok(Answer),
    /// It was told that nothing was done, and nothing was or will be.
    Fail,
    /// Nobody can say what became of it.
    Info,
}

/// How an operation ended. Positions count the events of the history from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Not yet, or nobody can say.
    Unknown,
    /// Answered, at this position.
    Ok(usize, Answer),
    /// Definitely not done.
    Failed,
}

/// An invocation and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Who asked.
    pub process: Process,
    /// What.
    pub call: Call,
    /// The position of the invocation among the events.
    pub invoked: usize,
    /// How it ended.
    pub end: End,
}

/// Events in the order in which they happened, always well formed: a process asks one thing at a time, and
/// nothing after an unknown outcome.
#[derive(Clone, Debug, Default)]
pub struct QueueHistory {
    events: usize,
    operations: Vec<Operation>,
    open: BTreeMap<Process, usize>,
    ended: BTreeSet<Process>,
}

impl QueueHistory {
    /// Adds what happened next.
    ///
    /// # Errors
    /// [`HistoryError`] if it makes no sense after what is there; the history is then unchanged.
    pub fn push(&mut self, process: Process, event: Event) -> Result<(), HistoryError> {
        match event {
            Event::Invoke(call) => self.open(process, call)?,
            Event::Ok(answer) => {
                let open = self.open.get(&process).ok_or(HistoryError::NothingOpen(process))?;
                if !self.operations[*open].call.fits(&answer) {
                    return Err(HistoryError::WrongAnswer(process));
                }
                self.end(process, End::Ok(self.events, answer))?;
            }
            Event::Fail => self.end(process, End::Failed)?,
            Event::Info => {
                self.end(process, End::Unknown)?;
                self.ended.insert(process);
            }
        }
        self.events += 1;
        Ok(())
    }

    /// All operations, in the order of their invocations.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    fn open(&mut self, process: Process, call: Call) -> Result<(), HistoryError> {
        if self.ended.contains(&process) {
            return Err(HistoryError::ProcessEnded(process));
        }
        if self.open.contains_key(&process) {
            return Err(HistoryError::StillOpen(process));
        }
        self.open.insert(process, self.operations.len());
        let (invoked, end) = (self.events, End::Unknown);
        self.operations.push(Operation { process, call, invoked, end });
        Ok(())
    }

    fn end(&mut self, process: Process, end: End) -> Result<(), HistoryError> {
        let open = self.open.remove(&process).ok_or(HistoryError::NothingOpen(process))?;
        self.operations[open].end = end;
        Ok(())
    }
}

impl Call {
    /// True if `answer` is of the kind that this call gets.
    #[must_use]
    pub const fn fits(&self, answer: &Answer) -> bool {
        matches!(
            (self, answer),
            (Self::Put(_), Answer::Accepted)
                | (Self::Take, Answer::Taken { .. })
                | (Self::Complete(_), Answer::Completed { .. } | Answer::NotHeld)
                | (Self::Fail(_), Answer::Failed { .. } | Answer::NotHeld)
                | (Self::Extend(_), Answer::Extended { .. } | Answer::NotHeld)
        )
    }
}

//! [`QueueHistory`]: what clients asked and were told, in the order in which it happened.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::fmt;

use super::call::{Answer, Call};
use crate::history::{HistoryError, Process};

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

    /// How many events there are.
    #[must_use]
    pub const fn events(&self) -> usize {
        self.events
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

/// `17 3: take 1 of a: at 3.000ms nothing`: the place, the process, the call and its end.
impl fmt::Display for QueueHistory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut operations = self.operations.iter().enumerate();
        operations.try_for_each(|(place, operation)| writeln!(formatter, "{place:>5} {operation}"))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process: Process(process), call, .. } = self;
        match &self.end {
            End::Unknown => write!(formatter, "{process}: {call}: unknown"),
            End::Ok(_, answer) => write!(formatter, "{process}: {call}: {answer}"),
            End::Failed => write!(formatter, "{process}: {call}: refused"),
        }
    }
}

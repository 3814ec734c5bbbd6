//! A history: what clients asked and what they were told, in the order in which it happened.
//!
//! A process asks one thing at a time. How its operation ended is known (`Ok`), known not to have
//! happened (`Fail`), or not known (`Info`): then it may take effect at any later time, or never, and
//! the process asks nothing more.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};
use core::fmt;

/// One sequential client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process(pub u64);

/// What is asked of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// The value, if there is one.
    Read,
    /// Set the value.
    Write(Vec<u8>),
    /// Set the value to `new` if it is `expected`; no value is expected to be none.
    CompareAndSet {
        /// What must be there.
        expected: Option<Vec<u8>>,
        /// What shall be there.
        new: Vec<u8>,
    },
    /// Remove the value.
    Delete,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A read found this.
    Found(Option<Vec<u8>>),
    /// A write, or a compare-and-set that found what it expected, was done.
    Written,
    /// A compare-and-set did not find what it expected, and did nothing.
    Mismatch,
    /// A delete was done; true if there was a value.
    Deleted(bool),
}

/// Something that happened to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in nanoseconds of whatever clock the recorder has; only for people.
    pub time_ns: u64,
    /// To which process.
    pub process: Process,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The process asked.
    Invoke {
        /// Which key.
        key: Vec<u8>,
        /// What.
        call: Call,
    },
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
    /// Definitely not done, as told at this position.
    Failed(usize),
}

/// An invocation and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Who asked.
    pub process: Process,
    /// Of which key.
    pub key: Vec<u8>,
    /// What.
    pub call: Call,
    /// The position of the invocation among the events.
    pub invoked: usize,
    /// How it ended.
    pub end: End,
}

/// The events make no sense together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryError {
    /// The process asked again before its last operation had ended.
    StillOpen(Process),
    /// Something ended that was never asked.
    NothingOpen(Process),
    /// The process asked again after an operation whose outcome is unknown.
    ProcessEnded(Process),
    /// The answer does not fit the call.
    WrongAnswer(Process),
}

impl fmt::Display for HistoryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StillOpen(Process(process)) => {
                write!(
                    formatter,
                    "process {process} asks before its last operation has ended; give each client that \
                     asks at the same time a number of its own"
                )
            }
            Self::NothingOpen(Process(process)) => {
                write!(formatter, "process {process} is answered but asked nothing")
            }
            Self::ProcessEnded(Process(process)) => write!(
                formatter,
                "process {process} asks after an unknown outcome; go on under another number"
            ),
            Self::WrongAnswer(Process(process)) => {
                write!(formatter, "process {process} got an answer that does not fit its call")
            }
        }
    }
}

impl core::error::Error for HistoryError {}

/// Events in the order in which they happened, always well formed.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Vec<Event>,
    operations: Vec<Operation>,
    open: BTreeMap<Process, usize>,
    ended: BTreeSet<Process>,
}

impl History {
    /// Adds what happened next.
    ///
    /// # Errors
    /// [`HistoryError`] if it makes no sense after what is there; the history is then unchanged.
    pub fn push(&mut self, event: Event) -> Result<(), HistoryError> {
        let process = event.process;
        match &event.kind {
            EventKind::Invoke { key, call } => self.open(process, key, call)?,
            EventKind::Ok(answer) => {
                let open = self.open.get(&process).ok_or(HistoryError::NothingOpen(process))?;
                if !self.operations[*open].call.fits(answer) {
                    return Err(HistoryError::WrongAnswer(process));
                }
                self.end(process, End::Ok(self.events.len(), answer.clone()))?;
            }
            EventKind::Fail => self.end(process, End::Failed(self.events.len()))?,
            EventKind::Info => {
                self.end(process, End::Unknown)?;
                self.ended.insert(process);
            }
        }
        self.events.push(event);
        Ok(())
    }

    /// All events.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// All operations, in the order of their invocations.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    fn open(&mut self, process: Process, key: &[u8], call: &Call) -> Result<(), HistoryError> {
        if self.ended.contains(&process) {
            return Err(HistoryError::ProcessEnded(process));
        }
        if self.open.contains_key(&process) {
            return Err(HistoryError::StillOpen(process));
        }
        self.open.insert(process, self.operations.len());
        self.operations.push(Operation {
            process,
            key: key.to_vec(),
            call: call.clone(),
            invoked: self.events.len(),
            end: End::Unknown,
        });
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
            (Self::Read, Answer::Found(_))
                | (Self::Write(_), Answer::Written)
                | (Self::CompareAndSet { .. }, Answer::Written | Answer::Mismatch)
                | (Self::Delete, Answer::Deleted(_))
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Process(process) = self.process;
        write!(formatter, "process {process} at event {}: {} ", self.invoked, text(&self.key))?;
        write!(formatter, "{}", self.call)?;
        match &self.end {
            End::Unknown => formatter.write_str(", outcome unknown"),
            End::Failed(at) => write!(formatter, ", refused at event {at}"),
            End::Ok(at, answer) => write!(formatter, ", at event {at}: {answer}"),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read => formatter.write_str("read"),
            Self::Write(value) => write!(formatter, "write {}", text(value)),
            Self::CompareAndSet { expected, new } => {
                write!(formatter, "set {} if {}", text(new), optional(expected.as_deref()))
            }
            Self::Delete => formatter.write_str("delete"),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(value) => write!(formatter, "found {}", optional(value.as_deref())),
            Self::Written => formatter.write_str("written"),
            Self::Mismatch => formatter.write_str("not done, found something else"),
            Self::Deleted(true) => formatter.write_str("deleted"),
            Self::Deleted(false) => formatter.write_str("nothing to delete"),
        }
    }
}

/// The beginning of it, as text.
fn text(bytes: &[u8]) -> String {
    const SHOWN: usize = 20;
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let more = if bytes.len() > SHOWN { "…" } else { "" };
    String::from_utf8_lossy(shown).into_owned() + more
}

fn optional(value: Option<&[u8]>) -> String {
    value.map_or_else(|| String::from("nothing"), text)
}

#[cfg(test)]
mod tests {
    use super::{Answer, Call, Event, EventKind, History, HistoryError, Process};

    fn event(process: u64, kind: EventKind) -> Event {
        Event { time_ns: 0, process: Process(process), kind }
    }

    fn read(process: u64) -> Event {
        event(process, EventKind::Invoke { key: b"k".to_vec(), call: Call::Read })
    }

    #[test]
    fn a_process_asks_one_thing_at_a_time_and_nothing_after_an_unknown_outcome() {
        let mut history = History::default();
        assert_eq!(history.push(read(1)), Ok(()));
        assert_eq!(history.push(read(1)), Err(HistoryError::StillOpen(Process(1))));
        assert_eq!(history.push(event(1, EventKind::Info)), Ok(()));
        assert_eq!(history.push(read(1)), Err(HistoryError::ProcessEnded(Process(1))));
        assert_eq!(history.operations().len(), 1);
    }

    #[test]
    fn an_answer_must_have_been_asked_for() {
        let mut history = History::default();
        let written = event(1, EventKind::Ok(Answer::Written));
        assert_eq!(history.push(written.clone()), Err(HistoryError::NothingOpen(Process(1))));
        assert_eq!(history.push(read(1)), Ok(()));
        assert_eq!(history.push(written), Err(HistoryError::WrongAnswer(Process(1))));
    }
}

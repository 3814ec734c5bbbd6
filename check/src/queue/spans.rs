//! [`Span`]: when each operation was done, in cluster time, as far as clients can know.
//!
//! ```text
//!   A ├───────┤ told 10
//!                 B ├───────┤               done at 10 at the earliest and 30 at the latest
//!                              C ├───────┤ told 30
//! ```
//! Cluster time does not go back: whoever asks after an answer is served at its stamp or later.

use alloc::{vec, vec::Vec};

use super::history::{End, Operation};

/// The earliest and the latest moment of something, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) earliest_ns: u64,
    pub(super) latest_ns: u64,
}

/// An operation with its place, and when it was done if it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timed<'a> {
    pub(super) place: usize,
    pub(super) operation: &'a Operation,
    pub(super) span: Span,
}

/// The operations of a history, in its order, with their spans.
pub(super) fn timed(operations: &[Operation], events: usize) -> Vec<Timed<'_>> {
    let stamp = |operation: &Operation| match &operation.end {
        End::Ok(_, answer) => answer.stamp_ns(),
        _ => None,
    };
    let mut told = vec![0; events + 1];
    let mut asked = vec![u64::MAX; events + 2];
    for operation in operations {
        if let (Some(stamp_ns), End::Ok(at, _)) = (stamp(operation), &operation.end) {
            told[*at + 1] = stamp_ns;
            asked[operation.invoked] = stamp_ns;
        }
    }
    for place in 1..told.len() {
        told[place] = told[place].max(told[place - 1]);
    }
    for place in (0..asked.len() - 1).rev() {
        asked[place] = asked[place].min(asked[place + 1]);
    }
    let span = |operation: &Operation| match (stamp(operation), &operation.end) {
        (Some(stamp_ns), _) => Span { earliest_ns: stamp_ns, latest_ns: stamp_ns },
        (None, End::Ok(at, _)) => {
            Span { earliest_ns: told[operation.invoked], latest_ns: asked[*at + 1] }
        }
        (None, _) => Span { earliest_ns: told[operation.invoked], latest_ns: u64::MAX },
    };
    let operations = operations.iter().enumerate();
    operations.map(|(place, operation)| Timed { place, operation, span: span(operation) }).collect()
}

impl Timed<'_> {
    /// The position at which it was answered; the end of time if it was not.
    pub(super) const fn answered(&self) -> usize {
        match self.operation.end {
            End::Ok(at, _) => at,
            _ => usize::MAX,
        }
    }

    /// True if it cannot have been done after `other`.
    pub(super) fn is_before(&self, other: &Timed<'_>) -> bool {
        self.answered() < other.operation.invoked || self.span.latest_ns < other.span.earliest_ns
    }

    /// True if it was done, or may have been.
    pub(super) fn may_be_done(&self) -> bool {
        use super::call::Answer;
        match &self.operation.end {
            End::Unknown => true,
            End::Failed => false,
            End::Ok(_, answer) => !matches!(answer, Answer::NotHeld | Answer::Count(0)),
        }
    }

    /// True if it was answered that it was done.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.operation.end, End::Ok(..)) && self.may_be_done()
    }

    /// True if it may have been done between two others.
    pub(super) fn may_be_between(&self, one: &Timed<'_>, other: &Timed<'_>) -> bool {
        self.may_be_done() && !self.is_before(one) && !other.is_before(self)
    }
}

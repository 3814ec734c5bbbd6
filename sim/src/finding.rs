//! What a run can find.

use alloc::string::String;
use core::fmt;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A promise was broken.
    Safety(String),
    /// The cluster stood still although nothing hindered it.
    Liveness(String),
    /// A part of a node broke an invariant that it asserts. Only whoever catches the panic knows.
    Assertion(String),
    /// The simulator itself is wrong.
    Simulator(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Safety(what) => write!(formatter, "a promise was broken: {what}"),
            Self::Liveness(what) => write!(formatter, "the cluster stood still: {what}"),
            Self::Assertion(what) => write!(formatter, "an assertion is broken: {what}"),
            Self::Simulator(what) => write!(formatter, "the simulator is wrong: {what}"),
        }
    }
}

impl core::error::Error for Finding {}

//! How a request ends when it does not end with an answer.

use std::fmt;

use kernel::Refusal;

/// How a request ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// It was definitely not carried out and will not be.
    Refused(Refusal),
    /// Nobody can say whether it was carried out or will be.
    Unknown,
    /// It repeats a command of its session whose answer is gone. It was not carried out again.
    Forgotten,
    /// The node has stopped; it was not carried out.
    Stopped,
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(formatter, "{refusal}"),
            Self::Unknown => formatter.write_str(
                "nobody can say whether the request was carried out; read before you try again",
            ),
            Self::Forgotten => formatter.write_str(
                "the request repeats one whose answer is no longer kept; it was not carried out again",
            ),
            Self::Stopped => formatter.write_str("the node has stopped; ask another one"),
        }
    }
}

impl std::error::Error for RequestError {}

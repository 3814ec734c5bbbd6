//! [`Failure`]: why a command changes nothing, and [`Invalid`]: what is wrong with it.

use core::fmt;

use kernel::Malformed;

/// Why a command changes nothing. A front finds the words of its protocol for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such task, or none any more.
    NotFound,
    /// Whoever asks does not hold the task: the lease has ended, or somebody else has it.
    NotHeld,
    /// The queue is as long as it may get.
    Full,
    /// Somebody holds the task.
    Reserved,
    /// The task is not where the command could do something with it.
    WrongState,
}

const ALL: [Failure; 5] =
    [Failure::NotFound, Failure::NotHeld, Failure::Full, Failure::Reserved, Failure::WrongState];

/// What is wrong with a command or a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// Its bytes.
    Malformed,
    /// A queue's name is empty or too long.
    QueueName,
    /// A type is too long.
    Kind,
    /// A key is empty or too long.
    Key,
    /// A payload is too long.
    Payload,
    /// A result is too long.
    Result,
    /// An error is too long.
    Error,
    /// It names too many queues, types or tasks, or none where one is needed.
    TooMany,
}

const ALL_INVALID: [Invalid; 8] = [
    Invalid::Malformed,
    Invalid::QueueName,
    Invalid::Kind,
    Invalid::Key,
    Invalid::Payload,
    Invalid::Result,
    Invalid::Error,
    Invalid::TooMany,
];

impl Failure {
    /// Its number, from 1.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::NotFound => 1,
            Self::NotHeld => 2,
            Self::Full => 3,
            Self::Reserved => 4,
            Self::WrongState => 5,
        }
    }

    pub(crate) fn from_number(number: u8) -> Result<Self, Malformed> {
        let found = ALL.into_iter().find(|failure| failure.number() == number);
        found.ok_or(Malformed("a failure from 1 to 5"))
    }
}

impl Invalid {
    /// Its number, from 1.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Malformed => 1,
            Self::QueueName => 2,
            Self::Kind => 3,
            Self::Key => 4,
            Self::Payload => 5,
            Self::Result => 6,
            Self::Error => 7,
            Self::TooMany => 8,
        }
    }

    pub(crate) fn from_number(number: u8) -> Result<Self, Malformed> {
        let found = ALL_INVALID.into_iter().find(|invalid| invalid.number() == number);
        found.ok_or(Malformed("a reason from 1 to 8"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotFound => "there is no such task",
            Self::NotHeld => "the lease has ended, or somebody else holds the task",
            Self::Full => "the queue is full",
            Self::Reserved => "somebody holds the task",
            Self::WrongState => "the task is not in a state for that",
        })
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "its bytes are malformed",
            Self::QueueName => "a queue's name is 1 to 200 bytes",
            Self::Kind => "a type is at most 200 bytes",
            Self::Key => "a key is 1 to 200 bytes",
            Self::Payload => "a payload is at most 1 MiB",
            Self::Result => "a result is at most 1 MiB",
            Self::Error => "an error is at most 16 KiB",
            Self::TooMany => "it names too many queues, types or tasks, or none",
        })
    }
}

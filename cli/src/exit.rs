//! How a command ends: an exit code that scripts can rely on and, on failure, a sentence for people.

use std::{fmt, process::ExitCode};

/// The table of exit codes, as `--help` prints it.
pub(crate) const TABLE: &str = "\
Exit codes:
  0  done
  1  the key or the task does not exist, or is not as expected; a worker: tasks have failed
  2  the command, the configuration or the data folder is wrong; nothing was done
  3  not done: no node answered, or there is no majority; worth another try
  4  unknown: a write may or may not have happened
  5  not done: the cluster refused
  6  the data of this node is damaged; the other nodes have it
  7  the doctor found something to do, while the cluster serves
  10 the simulator found a broken promise or a broken assertion
  11 the simulator found a cluster that stood still
  12 the simulator itself is wrong, or did not come to an end
  70 a node stopped itself, because going on could have broken a promise";

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Done = 0,
    /// A key or a task does not exist, or is not as expected; or tasks have failed.
    Missing = 1,
    /// What was asked makes no sense, or not here.
    Usage = 2,
    /// Not done, worth another try.
    Unavailable = 3,
    /// Nobody can say whether it was done.
    Unknown = 4,
    /// Not done, and not without a change of mind.
    Refused = 5,
    /// The data of this node is damaged, and other nodes have it.
    Damaged = 6,
    /// The doctor found something to do.
    Ailing = 7,
    /// The simulator found that a promise or an assertion is broken.
    Unsafe = 10,
    /// The simulator found a cluster that stood still.
    Stuck = 11,
    /// The simulator is wrong, or goes on and on.
    Simulator = 12,
    /// A node stopped itself.
    Broken = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not go well, in words for people.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How the process ends.
    pub(crate) exit: Exit,
    /// What happened and what to do next: whole sentences.
    pub(crate) message: String,
}

impl Failure {
    /// A failure with this exit code and message.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// The command, the configuration or a folder is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// The result of a command.
pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

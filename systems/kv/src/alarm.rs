//! [`Alarm`]: what a member has found wrong, and what is refused until somebody disarms it.
//!
//! ```text
//! kind u8 | body
//!  21 Raise    alarm        alarm: kind u8 (1 no space, 2 corrupt) | member u64
//!  22 Disarm   alarm
//! ```
//! While there is no space, nothing is done that takes some: deletions and compactions go on. While a
//! member is corrupt, nothing is changed at all. Leases end all the same, since their owners rely on it.

use kernel::{Fault, Malformed, Reader, Reading, Wire, Writer};

use crate::{
    command::Command,
    store::alarms,
    transaction::{Operation, Transaction},
};

/// What a member has found wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    /// What.
    pub kind: AlarmKind,
    /// Who.
    pub member: u64,
}

/// What may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AlarmKind {
    /// The tables have outgrown their quota.
    NoSpace,
    /// Members do not hold the same.
    Corrupt,
}

impl AlarmKind {
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::NoSpace => 1,
            Self::Corrupt => 2,
        }
    }
}

/// True if a command is about keys, or about when they go.
pub(crate) const fn concerns_data(command: &Command) -> bool {
    matches!(
        command,
        Command::Put { .. }
            | Command::Delete { .. }
            | Command::Do(_)
            | Command::Compact { .. }
            | Command::Grant { .. }
            | Command::Revoke { .. }
    )
}

/// True if there is such an alarm.
///
/// # Errors
/// A [`Fault`] if the tables cannot be read.
pub fn is_raised(reading: &Reading, alarm: Alarm) -> Result<bool, Fault> {
    alarms::is_raised(reading, alarm)
}

impl Command {
    /// True if it may leave more than there was.
    #[must_use]
    pub fn takes_room(&self) -> bool {
        match self {
            Self::Put { .. } | Self::Grant { .. } => true,
            Self::Do(transaction) => transaction.puts(),
            Self::As { command, .. } => command.takes_room(),
            _ => false,
        }
    }
}

impl Transaction {
    /// True if one of its branches would put a key.
    fn puts(&self) -> bool {
        self.success.iter().chain(&self.failure).any(|operation| match operation {
            Operation::Range(_) | Operation::Delete(_) => false,
            Operation::Put(_) => true,
            Operation::Transaction(inner) => inner.puts(),
        })
    }
}

impl Wire for Alarm {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u8(self.kind.number());
        writer.put_u64(self.member);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let kind = match reader.take_u8()? {
            1 => AlarmKind::NoSpace,
            2 => AlarmKind::Corrupt,
            _ => return Err(Malformed("an alarm of kind 1 or 2")),
        };
        Ok(Self { kind, member: reader.take_u64()? })
    }
}

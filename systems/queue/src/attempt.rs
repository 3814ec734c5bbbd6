//! [`Attempt`]: a delivery of a task that did not complete it.
//!
//! ```text
//! attempt: delivery u64 | since u64 | ended u64 | how u8 | error
//! how: 1 failed · 2 timed out · 3 lost · 4 released · 5 buried
//! ```

use bytes::Bytes;
use kernel::{Malformed, Reader, Stamp, Wire, Writer};

/// A delivery of a task that did not complete it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which one, from 1.
    pub delivery: u64,
    /// When it began.
    pub since: Stamp,
    /// When it ended.
    pub ended: Stamp,
    /// How.
    pub how: AttemptEnd,
    /// What its holder said of it.
    pub error: Bytes,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// Its holder said that it failed.
    Failed,
    /// Its lease ran out.
    TimedOut,
    /// Its holder's connection was lost.
    Lost,
    /// Its holder gave it back.
    Released,
    /// Its holder buried it.
    Buried,
}

impl AttemptEnd {
    /// True if it counts as a failure of the task.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut | Self::Lost)
    }

    const fn number(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::TimedOut => 2,
            Self::Lost => 3,
            Self::Released => 4,
            Self::Buried => 5,
        }
    }

    const fn from_number(number: u8) -> Result<Self, Malformed> {
        match number {
            1 => Ok(Self::Failed),
            2 => Ok(Self::TimedOut),
            3 => Ok(Self::Lost),
            4 => Ok(Self::Released),
            5 => Ok(Self::Buried),
            _ => Err(Malformed("an end of an attempt from 1 to 5")),
        }
    }
}

impl Wire for Attempt {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.delivery);
        self.since.encode(writer);
        self.ended.encode(writer);
        writer.put_u8(self.how.number());
        writer.put_bytes(&self.error);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            delivery: reader.take_u64()?,
            since: Stamp::decode(reader)?,
            ended: Stamp::decode(reader)?,
            how: AttemptEnd::from_number(reader.take_u8()?)?,
            error: reader.take_bytes()?,
        })
    }
}

//! [`Settings`] of a queue, and [`Counts`] of what is in it.
//!
//! ```text
//! settings: length u64 | lease ms u64 | retry | retention ms u64
//! counts:   15 numbers of u64, in the order of the fields
//! ```

use kernel::{Malformed, Reader, Wire, Writer};

use crate::retry::Retry;

/// What holds for the tasks of a queue unless they say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many tasks may be ready, delayed or reserved before puts are refused; 0 for no bound.
    pub length_max: u64,
    /// How long a lease lasts, in milliseconds.
    pub lease_ms: u64,
    /// What follows a failed attempt.
    pub retry: Retry,
    /// How long a task is remembered once it is over, in milliseconds.
    pub retention_ms: u64,
}

impl Default for Settings {
    /// No bound, leases of a minute, retries as [`Retry::default`], an hour of remembrance.
    fn default() -> Self {
        Self { length_max: 0, lease_ms: 60_000, retry: Retry::default(), retention_ms: 3_600_000 }
    }
}

/// How many tasks of a queue stand where, and what has happened to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ready now.
    pub ready: u64,
    /// Ready now with a priority below [`URGENT_BELOW`](crate::URGENT_BELOW).
    pub urgent: u64,
    /// Delayed now.
    pub delayed: u64,
    /// Reserved now.
    pub reserved: u64,
    /// Dead letters now.
    pub buried: u64,
    /// Completed, and remembered now.
    pub completed: u64,
    /// Expired, and remembered now.
    pub expired: u64,
    /// Ever put.
    pub puts: u64,
    /// Ever handed out.
    pub deliveries: u64,
    /// Ever completed.
    pub completions: u64,
    /// Attempts that ever failed, in any way.
    pub failures: u64,
    /// Leases that ever ran out.
    pub timeouts: u64,
    /// Tasks that ever expired.
    pub expirations: u64,
    /// Tasks that were ever deleted by somebody.
    pub deletions: u64,
    /// Times that the queue was ever paused.
    pub pauses: u64,
}

impl Counts {
    /// Tasks that are still to be done: ready, delayed or reserved.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.ready + self.delayed + self.reserved
    }

    /// Tasks that are known now.
    #[must_use]
    pub const fn known(&self) -> u64 {
        self.length() + self.buried + self.completed + self.expired
    }

    /// Adds what another queue counts.
    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.fields_mut().into_iter().zip(other.fields()) {
            *mine += theirs;
        }
    }

    /// What stays when all tasks are gone.
    pub(crate) fn ever(mut self) -> Self {
        for now in self.fields_mut().into_iter().take(7) {
            *now = 0;
        }
        self
    }

    fn fields(&self) -> [u64; 15] {
        let mut copy = *self;
        copy.fields_mut().map(|field| *field)
    }

    fn fields_mut(&mut self) -> [&mut u64; 15] {
        [
            &mut self.ready,
            &mut self.urgent,
            &mut self.delayed,
            &mut self.reserved,
            &mut self.buried,
            &mut self.completed,
            &mut self.expired,
            &mut self.puts,
            &mut self.deliveries,
            &mut self.completions,
            &mut self.failures,
            &mut self.timeouts,
            &mut self.expirations,
            &mut self.deletions,
            &mut self.pauses,
        ]
    }
}

impl Wire for Settings {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u64(self.length_max);
        writer.put_u64(self.lease_ms);
        self.retry.encode(writer);
        writer.put_u64(self.retention_ms);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            length_max: reader.take_u64()?,
            lease_ms: reader.take_u64()?,
            retry: Retry::decode(reader)?,
            retention_ms: reader.take_u64()?,
        })
    }
}

impl Wire for Counts {
    fn encode(&self, writer: &mut Writer) {
        self.fields().into_iter().for_each(|field| writer.put_u64(field));
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        let mut counts = Self::default();
        for field in counts.fields_mut() {
            *field = reader.take_u64()?;
        }
        Ok(counts)
    }
}

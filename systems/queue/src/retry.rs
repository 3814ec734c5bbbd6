//! [`Retry`]: what follows a failed attempt.
//!
//! ```text
//! retry: attempts u32 | first ms u64 | limit ms u64 | jitter percent u8
//! ```

use kernel::{Malformed, Reader, Rng, Wire, Writer};

use crate::task::TaskId;

/// What follows a failed attempt. An attempt fails when its holder says so, when its lease runs out,
/// and when its holder's connection is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many attempts there are before the task is a dead letter; 0 for no end of them.
    pub attempts_max: u32,
    /// How long the task waits after its first failure, in milliseconds. Each wait doubles the one before.
    pub first_ms: u64,
    /// The longest wait, in milliseconds.
    pub limit_ms: u64,
    /// By how much a wait may be longer, in percent of it, so that what failed together is not tried
    /// again together.
    pub jitter_percent: u8,
}

impl Retry {
    /// At once, without end: what beanstalkd does.
    pub const ENDLESS: Self = Self { attempts_max: 0, first_ms: 0, limit_ms: 0, jitter_percent: 0 };

    /// True if a task that has failed so often is a dead letter.
    #[must_use]
    pub const fn is_over(&self, failures: u32) -> bool {
        self.attempts_max > 0 && failures >= self.attempts_max
    }

    /// How long a task waits that has failed so often, at least once, in milliseconds. Chance comes from
    /// the task and its failure: every replica draws the same.
    #[must_use]
    pub fn wait_ms(&self, task: TaskId, failures: u32) -> u64 {
        let doublings = failures.saturating_sub(1).min(63);
        let wait_ms = self.first_ms.saturating_mul(1 << doublings).min(self.limit_ms);
        let most_ms = u128::from(wait_ms) * u128::from(self.jitter_percent) / 100;
        let most_ms = u64::try_from(most_ms).unwrap_or(u64::MAX);
        let seed = task.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(failures);
        wait_ms.saturating_add(Rng::new(seed).between(0, most_ms))
    }
}

impl Default for Retry {
    /// Three attempts; waits of 1 s, 2 s, ... up to a minute, and up to a quarter more.
    fn default() -> Self {
        Self { attempts_max: 3, first_ms: 1000, limit_ms: 60_000, jitter_percent: 25 }
    }
}

impl Wire for Retry {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u32(self.attempts_max);
        writer.put_u64(self.first_ms);
        writer.put_u64(self.limit_ms);
        writer.put_u8(self.jitter_percent);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self {
            attempts_max: reader.take_u32()?,
            first_ms: reader.take_u64()?,
            limit_ms: reader.take_u64()?,
            jitter_percent: reader.take_u8()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Retry, TaskId};

    #[test]
    fn waits_double_up_to_their_limit() {
        let retry = Retry { attempts_max: 0, first_ms: 100, limit_ms: 350, jitter_percent: 0 };
        assert_eq!([1, 2, 3, 99].map(|n| retry.wait_ms(TaskId(1), n)), [100, 200, 350, 350]);
        assert_eq!(Retry::ENDLESS.wait_ms(TaskId(1), 3), 0);
    }

    #[test]
    fn jitter_adds_up_to_its_share_and_differs_from_task_to_task() {
        let retry = Retry { attempts_max: 0, first_ms: 1000, limit_ms: 9000, jitter_percent: 25 };
        let waits: [u64; 50] = core::array::from_fn(|task| retry.wait_ms(TaskId(task as u64), 1));
        assert!(waits.iter().all(|wait_ms| (1000..=1250).contains(wait_ms)));
        assert!(waits.iter().any(|wait_ms| *wait_ms < 1060));
        assert!(waits.iter().any(|wait_ms| *wait_ms > 1190));
        assert_eq!(waits[7], retry.wait_ms(TaskId(7), 1));
    }

    #[test]
    fn nothing_overflows() {
        let all = Retry {
            attempts_max: 1,
            first_ms: u64::MAX,
            limit_ms: u64::MAX,
            jitter_percent: u8::MAX,
        };
        assert_eq!(all.wait_ms(TaskId(u64::MAX), u32::MAX), u64::MAX);
    }
}

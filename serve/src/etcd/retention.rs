//! How long history is kept: whoever leads gives up what is older.
//!
//! Every node notes from time to time which revision it has reached, so that whoever leads next goes on with what it
//! has seen itself. A node that has just started has seen nothing: history is kept longer then, never shorter.

use std::{collections::VecDeque, time::Duration};

use kernel::Wire;
use kv::{Command, events};
use raft::Request;
use tokio::time::{Instant, sleep};

use crate::front::Node;

/// Into how many notes the time for which history is kept is divided.
const NOTES: u32 = 60;

/// The revisions that were reached, and when; the oldest first.
#[derive(Debug)]
struct Notes {
    kept: Duration,
    reached: VecDeque<(Instant, u64)>,
}

impl Notes {
    /// Notes a revision. Gives the newest one that is older than history is kept.
    fn take(&mut self, now: Instant, revision: u64) -> Option<u64> {
        self.reached.push_back((now, revision));
        let old = |(then, _): &(Instant, u64)| now.duration_since(*then) >= self.kept;
        let passed = self.reached.iter().take_while(|note| old(note)).count();
        self.reached.drain(..passed).next_back().map(|(_, revision)| revision)
    }
}

/// Keeps the history of the store behind `node` for so long, until the process ends.
pub(super) fn start(node: Node, kept: Duration) {
    tokio::spawn(async move {
        let mut notes = Notes { kept, reached: VecDeque::new() };
        loop {
            sleep(kept / NOTES).await;
            // Who cannot read or write now tries again later; nothing is lost by waiting.
            let Ok(reading) = node.stale().await else { continue };
            let Ok(revision) = events::revision(&reading) else { continue };
            let Some(old) = notes.take(Instant::now(), revision) else { continue };
            let is_compacted =
                events::compacted(&reading).is_ok_and(|compacted| compacted >= Some(old));
            if is_compacted || node.status().leader != Some(node.me().node) {
                continue;
            }
            tracing::debug!(
                "History before revision {old} is given up, since it is older than {kept:?}."
            );
            let data = Command::Compact { revision: old }.to_bytes();
            let _ = node.request(Request::Command { data, session: None }).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_revision_that_is_old_enough_is_given_up_once() {
        let start = Instant::now();
        let mut notes = Notes { kept: Duration::from_secs(10), reached: VecDeque::new() };
        let mut take = |second, revision| notes.take(start + Duration::from_secs(second), revision);
        assert_eq!([take(0, 5), take(4, 7), take(8, 9)], [None; 3]);
        assert_eq!(take(12, 11), Some(5));
        assert_eq!(take(13, 11), None);
        assert_eq!(take(30, 20), Some(11));
    }
}

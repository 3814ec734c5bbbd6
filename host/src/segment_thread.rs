//! Makes segments ahead of need and removes those that are needed no more, beside the log thread.
//!
//! A full disk shows here, before anything was acknowledged, and is no fault: the segment is tried
//! again when there is room.

use std::{io, sync::Arc, time::Duration};

use kernel::Node;
use log::DiskOperation;

use crate::{
    disk::{create_segment, is_full, remove_segment, room},
    log_thread::LogWork,
    running::yield_to_others,
    shared::Shared,
};

/// How often a full disk is asked for room.
const ROOM_POLL: Duration = Duration::from_secs(1);

/// How an operation went.
#[derive(Debug)]
pub(crate) enum SegmentOutcome {
    Done,
    /// There is no room for it now. It was not carried out; [`LogWork::Room`] follows in time.
    NoRoom,
    Failed(io::Error),
}

/// What the segment thread works with.
pub(crate) struct SegmentThread<N: Node> {
    pub(crate) shared: Arc<Shared<N>>,
}

impl<N: Node> SegmentThread<N> {
    pub(crate) fn run(&self) {
        yield_to_others();
        let mut operations = Vec::new();
        while self.shared.mail.segments.take(&mut operations) {
            for operation in operations.drain(..) {
                let outcome = self.carry_out(&operation);
                let needs_room = match (&outcome, &operation) {
                    (SegmentOutcome::NoRoom, DiskOperation::Create { bytes_len, .. }) => {
                        Some(*bytes_len)
                    }
                    // Some file systems need room even to remove a file.
                    (SegmentOutcome::NoRoom, _) => Some(0),
                    _ => None,
                };
                self.shared.mail.log.push(LogWork::Segment { operation, outcome });
                if let Some(bytes_len) = needs_room {
                    self.wait_for_room(bytes_len);
                }
            }
        }
    }

    fn carry_out(&self, operation: &DiskOperation) -> SegmentOutcome {
        let result = match operation {
            DiskOperation::Create { bytes_len, .. } if !self.has_room(*bytes_len) => {
                return SegmentOutcome::NoRoom;
            }
            DiskOperation::Create { segment, bytes_len } => {
                create_segment(&self.shared.layout, *segment, *bytes_len)
            }
            DiskOperation::Remove { segment } => remove_segment(&self.shared.layout, *segment),
            DiskOperation::Write { .. } | DiskOperation::Flush { .. } => {
                unreachable!("writes and flushes belong to the log thread")
            }
        };
        match result {
            Ok(()) => SegmentOutcome::Done,
            Err(error) if is_full(&error) => SegmentOutcome::NoRoom,
            Err(error) => SegmentOutcome::Failed(error),
        }
    }

    fn has_room(&self, bytes_len: u64) -> bool {
        room(self.shared.layout.root())
            .is_ok_and(|room| room >= bytes_len + self.shared.limits.reserve_bytes)
    }

    /// Waits until there is room, then says so. Ends early when the node stops.
    fn wait_for_room(&self, bytes_len: u64) {
        while !self.shared.mail.segments.closes_within(ROOM_POLL) {
            if self.has_room(bytes_len) {
                self.shared.mail.log.push(LogWork::Room);
                return;
            }
        }
    }
}

//! Carries flushes into the base, beside the applier: writing to the tables never waits for the disk.

use std::{
    sync::Arc,
    time::{Duration, Instant as SystemInstant},
};

use kernel::{BaseReading, Fault, Node, tables::Flush};

use super::GenerationFile;
use crate::{applier_thread::ApplierWork, disk::room, running::yield_to_others, shared::Shared};

/// How often a full disk is asked for room.
const ROOM_POLL: Duration = Duration::from_secs(1);

/// By then who read the tables as they were before the flush has read, mostly.
const READERS_PATIENCE: Duration = Duration::from_millis(100);

/// What a changed key may take in new pages of the engine, bytes.
const PAGES_BYTES: u64 = 8 << 10;

/// What any flush may take besides, bytes.
const SPARE_BYTES: u64 = 4 << 20;

/// A flush to carry out.
#[derive(Debug)]
pub(crate) struct FlushWork {
    pub(crate) file: Arc<GenerationFile>,
    pub(crate) flush: Flush,
}

/// How a flush went.
#[derive(Debug)]
pub(crate) struct Flushed {
    pub(crate) file: Arc<GenerationFile>,
    /// The base since then.
    pub(crate) base: Result<Arc<dyn BaseReading>, Fault>,
}

/// What the flush thread works with.
pub(crate) struct FlushThread<N: Node> {
    pub(crate) shared: Arc<Shared<N>>,
}

impl<N: Node> FlushThread<N> {
    pub(crate) fn run(&self) {
        yield_to_others();
        let mut flushes = Vec::new();
        while self.shared.mail.flushes.take(&mut flushes) {
            for work in flushes.drain(..) {
                if !self.wait_for_room(&work) {
                    return;
                }
                let base = self.carry_out(&work);
                self.shared.mail.flushed.push(Flushed { file: work.file, base });
                self.shared.mail.applier.push(ApplierWork::FlushEnded);
                self.forget(work.flush);
            }
        }
    }

    /// To give so many writes back to the memory takes tens of milliseconds. Whoever lets go of them last has to do
    /// it: that must not be the applier, nor a request.
    fn forget(&self, flush: Flush) {
        self.shared.mail.flushes.closes_within(READERS_PATIENCE);
        drop(flush);
    }

    fn carry_out(&self, work: &FlushWork) -> Result<Arc<dyn BaseReading>, Fault> {
        let start = SystemInstant::now();
        work.file.commit(&work.flush)?;
        let took_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.shared.metrics.table_flush_ms_last.set(took_ms);
        self.shared.metrics.table_flushes.add(1);
        self.shared.metrics.tables_file_bytes.set(work.file.place().bytes());
        work.file.moment()
    }

    /// The engine cannot go on after it has met a full disk, so it must not meet one: the flush waits
    /// until there is room even for the worst case. False if the node stops meanwhile.
    fn wait_for_room(&self, work: &FlushWork) -> bool {
        let folder = work.file.place().folder();
        let wanted = room_for(work);
        let mut was_said = false;
        while room(folder).is_ok_and(|room| room < wanted) {
            if !was_said {
                was_said = true;
                self.shared.metrics.tables_lack_room.set(1);
                self.shared.notify.say(
                    "The disk is too full to flush the tables; the log grows until there is room. \
                     Free some space; nothing is lost.",
                );
            }
            if self.shared.mail.flushes.closes_within(ROOM_POLL) {
                return false;
            }
        }
        self.shared.metrics.tables_lack_room.set(0);
        true
    }
}

/// What a flush takes at most: each key in pages of its own, but never more than the whole file anew.
fn room_for(work: &FlushWork) -> u64 {
    let changes = &work.flush.changes;
    let bytes: u64 = changes
        .iter()
        .map(|(key, value)| (key.len() + value.map_or(0, |value| value.len())) as u64)
        .sum();
    let pages = PAGES_BYTES * changes.len() as u64;
    SPARE_BYTES + bytes + bytes / 2 + pages.min(work.file.place().bytes())
}

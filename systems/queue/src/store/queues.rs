//! The queues: their settings, what is in them, and whether they are paused.
//!
//! ```text
//! queue ─▶ settings
//! queue ─▶ layout u8 = 1 | counts | buried ever u64 | buried from u64 | paused until (0, or 1 and u64)
//!          idle since a date (0, or 1 and u64)
//! ```
//! A queue without a row is empty, and was so for a while. What queues that have gone had counted stands
//! under the empty name, which no queue has.

use bytes::Bytes;
use kernel::{Fault, Malformed, Reader, Stamp, TableId, Tables, Wire, Writer};

use super::{View, corrupt};
use crate::settings::{Counts, Settings};

/// What holds for the tasks of a queue.
pub(crate) const SETTINGS: TableId = TableId(33);
/// What is in a queue.
pub(crate) const QUEUES: TableId = TableId(34);

/// The name under which stands what queues that have gone had counted.
pub(crate) const GONE: &[u8] = b"";

const LAYOUT: u8 = 1;

/// What is written of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Queue {
    /// How many tasks stand where.
    pub(crate) counts: Counts,
    /// How many places among the dead letters have been given.
    pub(crate) buried_ever: u64,
    /// Before this place there is no dead letter.
    pub(crate) buried_from: u64,
    /// Until when nothing is taken from it.
    pub(crate) paused_until: Option<Stamp>,
    /// When it is looked at whether it is idle.
    pub(crate) idle_date: Option<Stamp>,
}

/// The settings of a queue.
pub(crate) fn settings(view: &impl View, queue: &[u8]) -> Result<Settings, Fault> {
    Ok(own_settings(view, queue)?.unwrap_or_default())
}

/// The settings of a queue, if it has some of its own.
pub(crate) fn own_settings(view: &impl View, queue: &[u8]) -> Result<Option<Settings>, Fault> {
    view.get(SETTINGS, queue)?.map(Settings::from_bytes).transpose().map_err(corrupt)
}

/// What is known of a queue; nothing if it has no row.
pub(crate) fn find(view: &impl View, queue: &[u8]) -> Result<Option<Queue>, Fault> {
    view.get(QUEUES, queue)?.map(decode).transpose()
}

/// What is known of a queue, also if it has no row.
pub(crate) fn load(view: &impl View, queue: &[u8]) -> Result<Queue, Fault> {
    Ok(find(view, queue)?.unwrap_or_default())
}

/// Writes what is known of a queue.
pub(crate) fn save(tables: &mut Tables, name: &[u8], queue: &Queue) -> Result<(), Fault> {
    tables.put(QUEUES, name, &queue.to_bytes())
}

/// Reads a queue's row.
pub(crate) fn decode(row: Bytes) -> Result<Queue, Fault> {
    Queue::from_bytes(row).map_err(corrupt)
}

impl Queue {
    /// True if nothing is taken from it at `stamp`.
    pub(crate) fn is_paused(&self, stamp: Stamp) -> bool {
        self.paused_until.is_some_and(|until| until > stamp)
    }
}

impl Wire for Queue {
    fn encode(&self, writer: &mut Writer) {
        writer.put_u8(LAYOUT);
        self.counts.encode(writer);
        writer.put_u64(self.buried_ever);
        writer.put_u64(self.buried_from);
        writer.put_option(self.paused_until.as_ref());
        writer.put_option(self.idle_date.as_ref());
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        if reader.take_u8()? != LAYOUT {
            return Err(Malformed("a queue of layout 1"));
        }
        Ok(Self {
            counts: Counts::decode(reader)?,
            buried_ever: reader.take_u64()?,
            buried_from: reader.take_u64()?,
            paused_until: reader.take_option()?,
            idle_date: reader.take_option()?,
        })
    }
}

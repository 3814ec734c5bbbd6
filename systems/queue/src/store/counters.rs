//! What the queues know of themselves, a number under each name.

use bytes::Bytes;
use kernel::{Fault, Malformed, TableId, Tables};

use super::{View, corrupt};

/// The counters.
pub(crate) const COUNTERS: TableId = TableId(32);

/// The task that was put last.
pub(crate) const LAST_TASK: &[u8] = b"last task";

/// The stamp of the first entry of the present term.
pub(crate) const TERM_BEGAN: &[u8] = b"term began";

/// The counter of that name; 0 if it was never set.
pub(crate) fn counter(view: &impl View, name: &[u8]) -> Result<u64, Fault> {
    find(view, name).map(Option::unwrap_or_default)
}

/// The counter of that name; nothing if it was never set.
pub(crate) fn find(view: &impl View, name: &[u8]) -> Result<Option<u64>, Fault> {
    view.get(COUNTERS, name)?.map(|row| decode(&row)).transpose()
}

/// Sets the counter of that name.
pub(crate) fn set_counter(tables: &mut Tables, name: &[u8], number: u64) -> Result<(), Fault> {
    tables.put(COUNTERS, name, &number.to_le_bytes())
}

fn decode(row: &Bytes) -> Result<u64, Fault> {
    let bytes = (**row).try_into().map_err(|_| corrupt(Malformed("a counter of eight bytes")))?;
    Ok(u64::from_le_bytes(bytes))
}

//! What the store knows of itself, a number under each name.

use bytes::Bytes;
use kernel::{Fault, Malformed, TableId, Tables};

use super::{View, corrupt};

/// The counters.
pub(crate) const COUNTERS: TableId = TableId(17);

/// The store's revision.
pub(crate) const REVISION: &[u8] = b"revision";

/// The revision up to which history may be gone.
pub(crate) const COMPACTED: &[u8] = b"compacted";

/// The stamp of the compaction that did it, while rows are left that it has given up.
pub(crate) const COMPACTED_AT: &[u8] = b"compacted at";

/// The change up to which history that may be gone is gone: its key among the changes.
pub(crate) const SCRUBBED: &[u8] = b"scrubbed";

/// The stamp of the first entry of the present term.
pub(crate) const TERM_BEGAN: &[u8] = b"term began";

/// How often users and roles have changed.
pub(crate) const AUTH_REVISION: &[u8] = b"auth revision";

/// The key that makes tokens: bytes.
pub(crate) const TOKEN_KEY: &[u8] = b"token key";

/// What stands between a command and the store.
pub(crate) const GUARDS: &[u8] = b"guards";

/// The revision of a store in which nothing was ever changed, as in etcd.
const REVISION_MIN: u64 = 1;

/// The counter of that name; nothing if it was never set.
pub(crate) fn counter(view: &impl View, name: &[u8]) -> Result<Option<u64>, Fault> {
    view.get(COUNTERS, name)?.map(|row| decode(&row)).transpose()
}

/// Sets the counter of that name.
pub(crate) fn set_counter(tables: &mut Tables, name: &[u8], number: u64) -> Result<(), Fault> {
    tables.put(COUNTERS, name, &number.to_le_bytes())
}

/// The store's revision.
pub(crate) fn revision(view: &impl View) -> Result<u64, Fault> {
    Ok(counter(view, REVISION)?.unwrap_or(REVISION_MIN))
}

/// The revision at which the store was last compacted; nothing if it never was.
pub(crate) fn compacted(view: &impl View) -> Result<Option<u64>, Fault> {
    counter(view, COMPACTED)
}

/// How often users and roles have changed, from 1.
pub(crate) fn auth_revision(view: &impl View) -> Result<u64, Fault> {
    Ok(counter(view, AUTH_REVISION)?.unwrap_or(REVISION_MIN))
}

/// Users or roles have changed.
pub(crate) fn advance_auth_revision(tables: &mut Tables) -> Result<(), Fault> {
    let next = auth_revision(tables)? + 1;
    set_counter(tables, AUTH_REVISION, next)
}

/// The key that makes tokens; empty if none was ever drawn.
pub(crate) fn token_key(view: &impl View) -> Result<Bytes, Fault> {
    Ok(view.get(COUNTERS, TOKEN_KEY)?.unwrap_or_default())
}

/// Sets the key that makes tokens.
pub(crate) fn set_token_key(tables: &mut Tables, key: &[u8]) -> Result<(), Fault> {
    tables.put(COUNTERS, TOKEN_KEY, key)
}

fn decode(row: &Bytes) -> Result<u64, Fault> {
    let bytes = (**row).try_into().map_err(|_| corrupt(Malformed("a counter of eight bytes")))?;
    Ok(u64::from_le_bytes(bytes))
}

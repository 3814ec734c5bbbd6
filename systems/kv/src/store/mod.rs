//! How the store lies in its tables.
//!
//! ```text
//! table 16 items     key                      what is there: head and value
//! table 17 counters  name                     u64
//! table 18 changes   revision, place          what each revision changed: put or deletion, and the key
//! table 19 history   key, revision backwards  what was there, from each change to the next
//! table 20 leases    lease                    how long it lasts, and when it is due
//! table 21 leased    lease, key               nothing: the key goes with the lease
//! table 22 due       time, lease              nothing: the lease may be due then
//! table 24 users     user's name              hash of the password, roles
//! table 25 roles     role's name              what the role may do with which keys
//! table 26 alarms    kind, member             nothing
//! ```
//! A value lies in one place: in the items while it is there, in the history once something else is.
//! So the latest state is read without a look at the history, and a put writes its value once.

pub(crate) mod alarms;
pub(crate) mod changes;
mod counters;
pub(crate) mod guards;
pub(crate) mod history;
pub(crate) mod items;
pub(crate) mod leases;
pub(crate) mod users;

use alloc::vec::Vec;

use bytes::Bytes;
use kernel::{Fault, Malformed, Reading, TableId, Tables};

use crate::keys::successor;

pub(crate) use changes::{CHANGES, Change};
pub(crate) use counters::{
    COMPACTED, COMPACTED_AT, COUNTERS, GUARDS, REVISION, SCRUBBED, TERM_BEGAN,
};
pub(crate) use counters::{advance_auth_revision, auth_revision, set_token_key, token_key};
pub(crate) use counters::{compacted, counter, revision, set_counter};
pub(crate) use history::{HISTORY, Past};
pub(crate) use items::{Head, ITEMS};
pub(crate) use leases::{DUE, LEASED, LEASES, Lease};

/// A moment of the tables to read: of a replica that applies, or as its readers see it.
pub(crate) trait View {
    /// The value of a key.
    fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Bytes>, Fault>;

    /// Pairs in the order of their keys, from one on to before another, so many at most.
    fn scan(
        &self,
        table: TableId,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault>;
}

impl View for Tables {
    fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        Self::get(self, table, key)
    }

    fn scan(
        &self,
        table: TableId,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        Self::scan(self, table, from, to, limit)
    }
}

impl View for Reading {
    fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Bytes>, Fault> {
        Self::get(self, table, key)
    }

    fn scan(
        &self,
        table: TableId,
        from: &[u8],
        to: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Fault> {
        Self::scan(self, table, from, to, limit)
    }
}

/// How many rows are read at once, so that long values do not take much memory.
const ROWS_AT_ONCE: usize = 64;

/// Goes through the rows of a table, from one key on to before another, in order.
pub(crate) fn each_row<E: From<Fault>>(
    view: &impl View,
    table: TableId,
    (from, to): (&[u8], Option<&[u8]>),
    mut take: impl FnMut(Bytes, Bytes) -> Result<(), E>,
) -> Result<(), E> {
    let mut from = Bytes::copy_from_slice(from);
    loop {
        let rows = view.scan(table, &from, to, ROWS_AT_ONCE)?;
        let is_last = rows.len() < ROWS_AT_ONCE;
        if let Some((last, _)) = rows.last() {
            from = successor(last);
        }
        for (key, row) in rows {
            take(key, row)?;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// A row that nobody wrote so.
pub(crate) fn corrupt(malformed: Malformed) -> Fault {
    Fault::Corrupt(alloc::format!("a row of the store is malformed: {malformed}"))
}

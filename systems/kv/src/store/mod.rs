//! How the store lies in its tables.
//!
//! ```text
//! table 16 items     key                      what is there: all but the value
//! table 17 counters  name                     u64
//! table 18 changes   revision, place          what each revision changed: put or deletion, the key and the value
//! table 19 history   key, revision backwards  where among the changes what was there lies
//! table 20 leases    lease                    how long it lasts, and when it is due
//! table 21 leased    lease, key               nothing: the key goes with the lease
//! table 22 due       time, lease              nothing: the lease may be due then
//! table 24 users     user's name              hash of the password, roles
//! table 25 roles     role's name              what the role may do with which keys
//! table 26 alarms    kind, member             nothing
//! ```
//! A value lies in one place, with the change that put it, from the put to the compaction: so it is written once,
//! at the end of a table that only grows there. Whoever asks by key is led to it.

pub(crate) mod alarms;
pub(crate) mod changes;
mod counters;
pub(crate) mod guards;
pub(crate) mod history;
pub(crate) mod items;
pub(crate) mod leases;
pub(crate) mod users;

use kernel::{Fault, Malformed};

pub(crate) use changes::{CHANGES, Change};
pub(crate) use counters::{
    COMPACTED, COMPACTED_AT, COUNTERS, GUARDS, REVISION, SCRUBBED, TERM_BEGAN,
};
pub(crate) use counters::{advance_auth_revision, auth_revision, set_token_key, token_key};
pub(crate) use counters::{compacted, counter, revision, set_counter};
pub(crate) use history::HISTORY;
pub(crate) use items::{Head, ITEMS};
pub(crate) use kernel::tables::{View, each_row};
pub(crate) use leases::{DUE, LEASED, LEASES, Lease};

/// A row that nobody wrote so.
pub(crate) fn corrupt(malformed: Malformed) -> Fault {
    Fault::Corrupt(alloc::format!("a row of the store is malformed: {malformed}"))
}

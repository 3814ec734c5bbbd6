//! [`Loading`]: a store made of what another one held, with its revisions: what [`dump`](crate::dump) gives, or what
//! a snapshot of etcd holds.

use alloc::{collections::BTreeSet, format, string::String};

use bytes::Bytes;
use kernel::{Fault, Stamp, Tables};

use crate::{
    auth::{Permission, User},
    dump::Left,
    item::LeaseId,
    store::{
        self, CHANGES, COMPACTED, COUNTERS, Head, ITEMS, LEASED, Lease, REVISION, SCRUBBED,
        changes, history, items, leases, users,
    },
};

/// The tables of a new store while they are filled: leases first, then changes in their order.
#[derive(Debug)]
pub struct Loading {
    compacted: u64,
    /// Revision and place of the last change.
    last: (u64, u32),
    /// Keys whose lease has ended: they must have gone with it.
    without_lease: BTreeSet<Bytes>,
}

impl Loading {
    /// Begins with empty tables. Up to the compacted revision only what was still there then is taken.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn begin(compacted: Option<u64>, tables: &mut Tables) -> Result<Self, Fault> {
        if let Some(compacted) = compacted {
            store::set_counter(tables, COMPACTED, compacted)?;
            tables.put(COUNTERS, SCRUBBED, &changes::place_of(compacted, u32::MAX))?;
        }
        Ok(Self {
            compacted: compacted.unwrap_or(0),
            last: (1, u32::MAX),
            without_lease: BTreeSet::new(),
        })
    }

    /// A lease, which has its whole time from when somebody leads.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn lease(&self, id: LeaseId, seconds: u64, tables: &mut Tables) -> Result<(), Fault> {
        let due = Stamp(seconds.saturating_mul(1_000_000_000));
        leases::set(tables, id, Lease { seconds, due })
    }

    /// What the next change left.
    ///
    /// # Errors
    /// [`Fault::Corrupt`] if it makes no sense after those before it.
    pub fn change(&mut self, left: &Left, tables: &mut Tables) -> Result<(), Fault> {
        let here = (left.revision, left.place);
        if here <= self.last {
            return Err(senseless(left, "it does not come after the change before it"));
        }
        self.last = here;
        let key = left.item.as_ref().map_or_else(|key| key, |item| &item.key);
        let present = items::head(tables, key)?;
        let is_given_up = left.revision <= self.compacted;
        self.without_lease.remove(key);
        if let Some(head) = present {
            replace(key, head, is_given_up, tables)?;
        }
        let item = match &left.item {
            Ok(item) => {
                let head = head_of(left, item)?;
                self.bind(key, head.lease, tables)?;
                tables.put(ITEMS, key, &items::encode(head))?;
                Some((head, &item.value[..]))
            }
            Err(_) => {
                tables.delete(ITEMS, key)?;
                // Of a deletion that was given up nothing is left.
                if is_given_up {
                    return Ok(());
                }
                history::note_deletion(tables, key, here);
                None
            }
        };
        let row = changes::encode(present.filter(|_| !is_given_up), key, item);
        tables.append(CHANGES, &changes::place_of(left.revision, left.place), &row);
        Ok(())
    }

    fn bind(&mut self, key: &Bytes, lease: LeaseId, tables: &mut Tables) -> Result<(), Fault> {
        if leases::find(tables, lease)?.is_some() {
            return tables.put(LEASED, &leases::bond(lease, key), &[]);
        }
        if lease.is_some() {
            self.without_lease.insert(key.clone());
        }
        Ok(())
    }

    /// A user.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn user(&self, name: &str, user: &User, tables: &mut Tables) -> Result<(), Fault> {
        users::set_user(tables, name, user)
    }

    /// A role.
    ///
    /// # Errors
    /// A [`Fault`] if the tables cannot be read.
    pub fn role(
        &self,
        name: &str,
        permissions: &[Permission],
        tables: &mut Tables,
    ) -> Result<(), Fault> {
        users::set_role(tables, name, permissions)
    }

    /// Ends; gives the store's revision.
    ///
    /// # Errors
    /// [`Fault::Corrupt`] if a key goes with a lease that is not there.
    pub fn end(self, tables: &mut Tables) -> Result<u64, Fault> {
        if let Some(key) = self.without_lease.first() {
            return Err(Fault::Corrupt(format!("the lease of the key {key:?} is not there")));
        }
        let revision = self.last.0.max(self.compacted);
        store::set_counter(tables, REVISION, revision)?;
        Ok(revision)
    }
}

/// What is there gives way to a change, and is history unless that is given up.
fn replace(key: &Bytes, head: Head, is_given_up: bool, tables: &mut Tables) -> Result<(), Fault> {
    if is_given_up {
        tables.delete(CHANGES, &changes::place_of(head.modified, head.place))?;
    } else {
        history::shelve(tables, key, head);
    }
    if head.lease.is_some() {
        tables.delete(LEASED, &leases::bond(head.lease, key))?;
    }
    Ok(())
}

fn head_of(left: &Left, item: &crate::Item) -> Result<Head, Fault> {
    let (created, modified, version) = (item.created, item.modified, item.version);
    let is_sound = modified == left.revision
        && created <= modified
        && (1..=modified - created + 1).contains(&version)
        && (version == 1) == (created == modified);
    if !is_sound {
        return Err(senseless(left, "its revisions and its version contradict each other"));
    }
    Ok(Head { created, modified, place: left.place, version, lease: item.lease })
}

fn senseless(left: &Left, why: &str) -> Fault {
    let Left { revision, place, .. } = left;
    let text: String = format!("change {place} of revision {revision} makes no sense: {why}");
    Fault::Corrupt(text)
}

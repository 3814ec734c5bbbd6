//! [`Write`]: the changes of one revision, as they are made.

use bytes::Bytes;
use kernel::{Fault, Stamp, Tables};

use crate::{
    item::LeaseId,
    store::{
        self, CHANGES, DUE, Head, ITEMS, LEASED, LEASES, Lease, REVISION, changes, history, items,
        leases,
    },
};

/// The changes of one revision. The revision begins with the first of them; without one there is none.
/// A key is changed once at most.
pub(crate) struct Write<'a> {
    pub(crate) tables: &'a mut Tables,
    before: u64,
    changes: u32,
}

impl<'a> Write<'a> {
    /// Begins after the store's present revision.
    pub(crate) fn begin(tables: &'a mut Tables) -> Result<Self, Fault> {
        let before = store::revision(tables)?;
        Ok(Self { tables, before, changes: 0 })
    }

    /// The revision that the changes so far have led to.
    pub(crate) const fn revision(&self) -> u64 {
        if self.changes == 0 { self.before } else { self.before + 1 }
    }

    /// Writes a key where `present` is there; gives what is known of it now.
    pub(crate) fn put(
        &mut self,
        key: &Bytes,
        value: &[u8],
        lease: LeaseId,
        present: Option<Head>,
    ) -> Result<Head, Fault> {
        let revision = self.before + 1;
        let head = Head {
            created: present.map_or(revision, |head| head.created),
            modified: revision,
            place: self.changes,
            version: present.map_or(1, |head| head.version + 1),
            lease,
        };
        if let Some(before) = present {
            self.shelve(key, before);
        }
        let held = present.map_or(LeaseId::NONE, |head| head.lease);
        if held != lease {
            self.release(key, held)?;
            if lease.is_some() {
                self.tables.put(LEASED, &leases::bond(lease, key), &[])?;
            }
        }
        self.tables.put(ITEMS, key, &items::encode(head))?;
        self.note(&changes::encode(present, key, Some((head, value))));
        Ok(head)
    }

    /// Deletes a key where `present` is there.
    pub(crate) fn delete(&mut self, key: &Bytes, present: Head) -> Result<(), Fault> {
        self.shelve(key, present);
        self.release(key, present.lease)?;
        let was_there = self.tables.delete(ITEMS, key)?;
        assert!(was_there, "only a key that is there is deleted");
        history::note_deletion(self.tables, key, (self.before + 1, self.changes));
        self.note(&changes::encode(Some(present), key, None));
        Ok(())
    }

    /// Ends a lease, and deletes the keys that go with it.
    pub(crate) fn revoke(&mut self, id: LeaseId, lease: Lease) -> Result<(), Fault> {
        for key in leases::keys_of(self.tables, id)? {
            let present = items::head(self.tables, &key)?;
            self.delete(&key, present.expect("a key that goes with a lease is there"))?;
        }
        let was_there = self.tables.delete(LEASES, &id.to_key())?
            && self.tables.delete(DUE, &leases::date(lease.due, id))?;
        assert!(was_there, "a lease that is there has a date");
        Ok(())
    }

    /// Ends the revision. Gives the store's.
    pub(crate) fn end(self) -> Result<u64, Fault> {
        let revision = self.revision();
        if self.changes > 0 {
            store::set_counter(self.tables, REVISION, revision)?;
        }
        Ok(revision)
    }

    /// What was there is history from now on.
    fn shelve(&mut self, key: &Bytes, head: Head) {
        assert!(head.modified <= self.before, "a key is changed once in a revision");
        history::shelve(self.tables, key, head);
    }

    fn release(&mut self, key: &Bytes, lease: LeaseId) -> Result<(), Fault> {
        if lease.is_some() {
            let was_there = self.tables.delete(LEASED, &leases::bond(lease, key))?;
            assert!(was_there, "a key that has a lease goes with it");
        }
        Ok(())
    }

    fn note(&mut self, row: &[u8]) {
        let place = changes::place_of(self.before + 1, self.changes);
        self.changes += 1;
        self.tables.append(CHANGES, &place, row);
    }
}

/// Lets a lease be due at another time.
pub(crate) fn put_off(
    tables: &mut Tables,
    id: LeaseId,
    lease: Lease,
    due: Stamp,
) -> Result<(), Fault> {
    let was_there = tables.delete(DUE, &leases::date(lease.due, id))?;
    assert!(was_there, "a lease that is there has a date");
    leases::set(tables, id, Lease { due, ..lease })
}

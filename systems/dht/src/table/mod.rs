//! The routing table: whom this node knows, more of those the nearer they are (Kademlia §2.2, §2.4; BEP 5).
//!
//! ```text
//!   bucket 0     shares no bit with us       half of all nodes, and we know 8 of them
//!   bucket 1     shares exactly one bit      a quarter
//!   ...
//!   last bucket  shares that many or more    splits when it is full: it is where we are
//! ```
//! Only who has answered a query of ours gets in. A full bucket that may not split keeps its old nodes, which
//! tend to stay, and remembers newcomers for when one of them is gone.

mod bucket;

use alloc::{vec, vec::Vec};

use kernel::{Endpoint, Instant};

use self::bucket::Bucket;
use crate::{
    contact::Contact,
    id::{ID_BITS, Id},
};

/// Nodes of a bucket, copies of a value, nodes in a reply: Kademlia's k, as BEP 5 sets it.
pub const K: usize = 8;

/// The nodes that this one knows.
#[derive(Debug)]
pub struct Table {
    own: Id,
    buckets: Vec<Bucket>,
    /// Of addresses whose first three bytes are equal only one gets in: many ids cost an attacker nothing, many
    /// networks do.
    one_per_network: bool,
}

impl Table {
    /// The table of a node that knows nobody.
    #[must_use]
    pub fn new(own: Id, one_per_network: bool) -> Self {
        Self { own, buckets: vec![Bucket::default()], one_per_network }
    }

    /// A node has answered. Gives true if it is new here.
    pub fn answered(&mut self, now: Instant, contact: Contact) -> bool {
        if contact.id == self.own || self.is_impostor(contact) {
            return false;
        }
        loop {
            let place = self.place(contact.id);
            let is_last = place + 1 == self.buckets.len();
            if !is_last
                || !self.buckets[place].must_split(contact.id)
                || self.is_as_deep_as_can_be()
            {
                return self.buckets[place].answered(now, contact);
            }
            self.split();
        }
    }

    /// A node that has once answered asks something: it lives.
    pub fn asked(&mut self, now: Instant, contact: Contact) {
        let place = self.place(contact.id);
        self.buckets[place].asked(now, contact);
    }

    /// A node has not answered.
    pub fn failed(&mut self, contact: Contact) {
        let place = self.place(contact.id);
        self.buckets[place].failed(contact);
    }

    /// True if a node that is not known yet would find room, now or when an old one is gone.
    #[must_use]
    pub fn has_use_for(&self, contact: Contact) -> bool {
        let place = self.place(contact.id);
        let may_split = place + 1 == self.buckets.len() && !self.is_as_deep_as_can_be();
        contact.id != self.own
            && !self.is_impostor(contact)
            && (may_split || self.buckets[place].has_use_for(contact.id))
    }

    /// The nodes nearest to `target` that are not known to be bad, nearest first.
    #[must_use]
    pub fn nearest(&self, target: Id, count: usize) -> Vec<Contact> {
        let mut contacts: Vec<Contact> = self.buckets.iter().flat_map(Bucket::usable).collect();
        contacts.sort_by_key(|contact| contact.id.distance(target));
        contacts.truncate(count);
        contacts
    }

    /// Of each bucket the node that has been silent longest, if that is long enough to doubt it.
    pub fn questionable(&self, now: Instant) -> impl Iterator<Item = Contact> {
        self.buckets.iter().filter_map(move |bucket| bucket.questionable(now))
    }

    /// A point in each bucket in which nothing has happened for a quarter of an hour; `chance` chooses it.
    pub fn stale(&mut self, now: Instant, mut chance: impl FnMut() -> Id) -> Vec<Id> {
        let mut points = Vec::new();
        for (bits, bucket) in (0..).zip(&mut self.buckets) {
            if bucket.is_stale(now) {
                bucket.touch(now);
                points.push(chance().in_bucket(self.own, bits));
            }
        }
        points
    }

    /// How many nodes are in the table.
    #[must_use]
    pub fn len(&self) -> usize {
        self.buckets.iter().map(Bucket::len).sum()
    }

    /// True if nobody is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many nodes each bucket has.
    #[must_use]
    pub fn fill(&self) -> Vec<usize> {
        self.buckets.iter().map(Bucket::len).collect()
    }

    /// Asserts that every node is in the one bucket it belongs in, that no bucket is over its size, and that
    /// nobody is there twice.
    pub fn check(&self) {
        for (place, bucket) in self.buckets.iter().enumerate() {
            bucket.check();
            let is_home = |contact: &Contact| self.place(contact.id) == place;
            assert!(
                bucket.everybody().all(|contact| is_home(&contact)),
                "a node is in its own bucket"
            );
        }
    }

    fn place(&self, id: Id) -> usize {
        let shared = usize::try_from(id.shared_bits(self.own)).expect("160 fits");
        shared.min(self.buckets.len() - 1)
    }

    fn is_as_deep_as_can_be(&self) -> bool {
        self.buckets.len() >= ID_BITS as usize
    }

    fn split(&mut self) {
        let bits = u32::try_from(self.buckets.len() - 1).expect("there are at most 160 buckets");
        let own = self.own;
        let last = self.buckets.last_mut().expect("there is always a bucket");
        let nearer = last.split_off(|id| id.shared_bits(own) > bits);
        self.buckets.push(nearer);
    }

    /// Another node of the same address or network is there already.
    fn is_impostor(&self, contact: Contact) -> bool {
        let is_same = |other: Endpoint| match self.one_per_network {
            true => other.ip[..3] == contact.endpoint.ip[..3],
            false => other == contact.endpoint,
        };
        let others = self.buckets.iter().flat_map(Bucket::everybody);
        others.into_iter().any(|other| other.id != contact.id && is_same(other.endpoint))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use kernel::{Endpoint, Instant, Rng};

    use super::{Contact, Id, K, Table};

    #[test]
    fn near_nodes_are_all_known_and_far_ones_are_eight() {
        let own = Id::hash(&[b"own"]);
        let mut table = Table::new(own, false);
        let all: Vec<Contact> = (0..2000).map(Contact::of_number).collect();
        for contact in &all {
            table.answered(Instant(0), *contact);
        }
        table.check();
        assert_eq!(table.fill()[..5], [K; 5]);
        let mut nearest = all;
        nearest.sort_by_key(|contact| contact.id.distance(own));
        assert_eq!(table.nearest(own, K), nearest[..K]);
    }

    #[test]
    fn a_dead_node_makes_room_for_the_newest_that_waits() {
        let own = Id([0; 20]);
        let mut table = Table::new(own, false);
        let far: Vec<Contact> =
            (0..200).map(Contact::of_number).filter(|contact| contact.id.0[0] >= 128).collect();
        for contact in &far {
            table.answered(Instant(0), *contact);
        }
        let dead = far[0];
        assert!(table.nearest(dead.id, K).contains(&dead));
        (0..5).for_each(|_| table.failed(dead));
        let left = table.nearest(dead.id, K);
        assert!(!left.contains(&dead) && left.contains(far.last().unwrap()), "{left:?}");
    }

    #[test]
    fn nobody_takes_the_place_of_another_by_his_id_or_address() {
        let mut table = Table::new(Id([0; 20]), true);
        let old = Contact::of_number(1);
        table.answered(Instant(0), old);
        let thief = Contact { endpoint: Contact::of_number(99_999).endpoint, ..old };
        table.answered(Instant(1), thief);
        assert_eq!(table.nearest(old.id, K), [old]);
        let crowd =
            Contact { endpoint: Endpoint { port: 9, ..old.endpoint }, ..Contact::of_number(2) };
        assert!(!table.answered(Instant(1), crowd));
    }

    #[test]
    fn whatever_happens_the_table_is_in_order() {
        for seed in 0..50 {
            let mut rng = Rng::new(seed);
            let mut table = Table::new(Id::hash(&[&seed.to_be_bytes()]), false);
            for step in 0..2000 {
                let (now, contact) =
                    (Instant(step * 1_000_000_000), Contact::of_number(rng.below(300)));
                match rng.below(3) {
                    0 => table.asked(now, contact),
                    1 => drop(table.answered(now, contact)),
                    _ => table.failed(contact),
                }
            }
            table.check();
            assert!(table.len() <= 300);
        }
    }
}

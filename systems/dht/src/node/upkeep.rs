//! What a node does of its own accord: join, refresh, doubt, republish, expire, and hand values over.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use core::time::Duration;

use kernel::{Datagram, Effect, Effects, Instant, Ticket, Wire};

use super::{
    Dht,
    asking::Purpose,
    tasks::{Goal, put},
};
use crate::{
    contact::Contact,
    id::Id,
    item::Item,
    krpc::{Method, Reply, Want},
    request::Outcome,
    table::K,
};

/// How often a node looks around.
const ROUND: Duration = Duration::from_secs(5);
/// What this process wants kept is put again this often (BEP 44).
const REPUBLISH: Duration = Duration::from_secs(3600);
/// How often a node that has somebody to join asks, before requests are carried out without anybody.
const JOINS_MAX: u32 = 3;
/// The most values offered to one newcomer.
const OFFERS_MAX: usize = 64;
/// The most values that this process has kept.
const KEPT_MAX: usize = 1024;

/// What is due, and when.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    pub(super) next: Instant,
    joins: u32,
    has_met_somebody: bool,
    kept: BTreeMap<Id, (Instant, Item)>,
    leaving: Option<Leaving>,
}

#[derive(Debug)]
struct Leaving {
    ticket: Option<Ticket>,
    items: u32,
    left: VecDeque<Item>,
    first_task: u64,
}

impl Upkeep {
    pub(super) fn keep(&mut self, now: Instant, item: Item) {
        if self.kept.len() < KEPT_MAX {
            self.kept.insert(item.target(), (now.after(REPUBLISH), item));
        }
    }

    pub(super) const fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }
}

impl Dht {
    /// True while there is somebody to join who has not been asked often enough.
    pub(super) fn is_new(&self) -> bool {
        let may_join = !self.settings.bootstrap.is_empty() && self.table.is_empty();
        may_join && (self.upkeep.joins < JOINS_MAX || self.asking.is_joining())
    }

    /// Does what is due.
    pub(super) fn keep_up(&mut self, now: Instant, effects: &mut Effects<Datagram>) {
        if now < self.upkeep.next {
            return;
        }
        self.upkeep.next = now.after(ROUND);
        self.items.expire(now);
        self.peers.expire(now);
        if self.table.is_empty() {
            self.join(now, effects);
        }
        self.doubt(now, effects);
        self.refresh(now);
        self.republish(now);
    }

    fn join(&mut self, now: Instant, effects: &mut Effects<Datagram>) {
        self.upkeep.joins = self.upkeep.joins.saturating_add(1);
        self.upkeep.has_met_somebody = false;
        for endpoint in self.settings.bootstrap.clone() {
            let method =
                Method::FindNode { target: self.settings.id, want: Want { n4: true, n6: false } };
            self.ask(now, endpoint, Purpose::Join, &method, effects);
        }
    }

    fn doubt(&mut self, now: Instant, effects: &mut Effects<Datagram>) {
        let silent: Vec<Contact> = self.table.questionable(now).collect();
        for contact in silent {
            if self.asking.may_meet(contact.endpoint) {
                self.ask(now, contact.endpoint, Purpose::Meet(contact), &Method::Ping, effects);
            }
        }
    }

    fn refresh(&mut self, now: Instant) {
        if self.table.is_empty() || !self.has_room() {
            return;
        }
        let secret = &mut self.secret;
        for point in self.table.stale(now, || secret.draw()) {
            if self.has_room() {
                self.begin(None, point, Goal::Nodes);
            }
        }
    }

    fn republish(&mut self, now: Instant) {
        let due = self.upkeep.kept.iter().filter(|(_, (when, _))| *when <= now);
        let due: Vec<Item> = due.map(|(_, (_, item))| item.clone()).collect();
        for item in due {
            if self.has_room() {
                self.upkeep.keep(now, item.clone());
                self.begin(None, item.target(), Goal::Store { item, compare: None });
            }
        }
    }

    /// Somebody new is in the table. The first one shows the way to our own neighbourhood; each may be nearer to
    /// some of our values than we are.
    pub(super) fn welcome(
        &mut self,
        now: Instant,
        newcomer: Contact,
        effects: &mut Effects<Datagram>,
    ) {
        if !self.upkeep.has_met_somebody {
            self.upkeep.has_met_somebody = true;
            self.begin(None, self.settings.id, Goal::Nodes);
        }
        let is_his = |target: &Id| self.should_hand_over(*target, newcomer);
        let targets: Vec<Id> =
            self.items.iter().map(|(target, _)| target).filter(is_his).take(OFFERS_MAX).collect();
        for target in targets {
            let method =
                Method::Get { target, newer_than: None, want: Want { n4: false, n6: false } };
            self.ask(
                now,
                newcomer.endpoint,
                Purpose::Offer { contact: newcomer, target },
                &method,
                effects,
            );
        }
    }

    /// Of those who have a value the nearest hands it over, so that a newcomer gets it once.
    fn should_hand_over(&self, target: Id, newcomer: Contact) -> bool {
        let own = self.settings.id.distance(target);
        let nearest = self.table.nearest(target, K);
        let others = nearest.iter().filter(|contact| contact.id != newcomer.id);
        nearest.contains(&newcomer)
            && others.into_iter().all(|contact| own < contact.id.distance(target))
    }

    /// A newcomer has said what it has under an id.
    pub(super) fn hand_over(
        &mut self,
        now: Instant,
        newcomer: Contact,
        target: Id,
        reply: &Reply<'_>,
        effects: &mut Effects<Datagram>,
    ) {
        let (Some(item), Some(token)) = (self.items.get(target).cloned(), reply.token) else {
            return;
        };
        let has_it = match &item.seal {
            None => reply.value.is_some(),
            Some(seal) => reply.sequence.is_some_and(|sequence| sequence >= seal.sequence),
        };
        if !has_it {
            let method = Method::Put(put(&item, token, None));
            self.ask(now, newcomer.endpoint, Purpose::HandOver(newcomer), &method, effects);
        }
    }

    /// Begins to leave: every value goes to the nodes nearest to it. Announcements of peers stay behind, since
    /// nobody can announce for others.
    pub(super) fn leave(&mut self, ticket: Option<Ticket>) {
        let left: VecDeque<Item> = self.items.iter().map(|(_, item)| item.clone()).collect();
        let items = u32::try_from(left.len()).expect("values are bounded");
        self.upkeep.leaving = Some(Leaving { ticket, items, left, first_task: self.last_task + 1 });
    }

    /// Goes on with leaving; answers when the last value has been offered.
    pub(super) fn finish_leaving(&mut self, effects: &mut Effects<Datagram>) {
        while self.has_room()
            && let Some(item) =
                self.upkeep.leaving.as_mut().and_then(|leaving| leaving.left.pop_front())
        {
            self.begin(None, item.target(), Goal::Store { item, compare: None });
            // The deadline comes at once: what the task asks first leaves then.
            self.upkeep.next = Instant(0);
        }
        let Some(leaving) = &mut self.upkeep.leaving else {
            return;
        };
        let is_over =
            leaving.left.is_empty() && self.tasks.range(leaving.first_task..).next().is_none();
        if let Some(ticket) = leaving.ticket.filter(|_| is_over) {
            leaving.ticket = None;
            effects.push(Effect::Answer {
                ticket,
                answer: Outcome::Left { items: leaving.items }.to_bytes(),
            });
        }
    }
}

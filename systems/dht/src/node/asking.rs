//! Queries of ours under way: each is answered once, by whom it was sent to, or given up.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
};
use core::time::Duration;

use kernel::{Datagram, Effects, Endpoint, Instant};

use super::{Dht, send};
use crate::{
    contact::Contact,
    id::Id,
    krpc::{Method, Query, Reply, encode_query},
    request::Refused,
};

/// The most queries under way.
pub(super) const QUERIES_MAX: usize = 512;
/// The most of them to those who have asked us something: a flood of askers must not stop our own work.
const MEETINGS_MAX: usize = 64;
/// How long to wait for a reply.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a query is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// To get to know somebody by the address alone.
    Join,
    /// To get to know somebody who has asked us, or whom we begin to doubt.
    Meet(Contact),
    /// To get on with a lookup.
    Lookup { task: u64, contact: Contact },
    /// To store something at the end of a lookup.
    Store { task: u64, contact: Contact },
    /// To offer a newcomer the value under this id.
    Offer { contact: Contact, target: Id },
    /// To hand it over.
    HandOver(Contact),
}

impl Purpose {
    /// Whom it is meant for, if his id is known.
    const fn contact(&self) -> Option<Contact> {
        match self {
            Self::Join => None,
            Self::Meet(contact) | Self::HandOver(contact) => Some(*contact),
            Self::Lookup { contact, .. }
            | Self::Store { contact, .. }
            | Self::Offer { contact, .. } => Some(*contact),
        }
    }
}

#[derive(Debug)]
struct UnderWay {
    to: Endpoint,
    until: Instant,
    purpose: Purpose,
}

/// The queries under way, by transaction.
#[derive(Debug, Default)]
pub(super) struct Asking {
    queries: BTreeMap<[u8; 4], UnderWay>,
}

impl Asking {
    pub(super) fn len(&self) -> usize {
        self.queries.len()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.queries.values().map(|query| query.until).min()
    }

    /// True if an asker may be asked back.
    pub(super) fn may_meet(&self, asker: Endpoint) -> bool {
        let meetings =
            self.queries.values().filter(|query| matches!(query.purpose, Purpose::Meet(_)));
        meetings.count() < MEETINGS_MAX && self.queries.values().all(|query| query.to != asker)
    }

    /// True if somebody is being asked for the first time.
    pub(super) fn is_joining(&self) -> bool {
        self.queries.values().any(|query| matches!(query.purpose, Purpose::Join))
    }

    fn take(&mut self, from: Endpoint, transaction: &[u8]) -> Option<Purpose> {
        let name: [u8; 4] = transaction.try_into().ok()?;
        self.queries.get(&name).filter(|query| query.to == from)?;
        self.queries.remove(&name).map(|query| query.purpose)
    }
}

impl Dht {
    /// Sends a query, or fails it at once if too many are under way.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        to: Endpoint,
        purpose: Purpose,
        method: &Method<'_>,
        effects: &mut Effects<Datagram>,
    ) {
        if self.asking.len() >= QUERIES_MAX || !self.settings.may_talk_to(to) {
            self.failed(&purpose, None);
            return;
        }
        let name: [u8; 4] = *self.secret.draw().0.first_chunk().expect("an id is longer");
        let query = Query { sender: self.settings.id, method: method.clone() };
        let datagram = encode_query(&name, &query, self.settings.is_read_only);
        let replaced =
            self.asking.queries.insert(name, UnderWay { to, until: now.after(PATIENCE), purpose });
        if let Some(replaced) = replaced {
            self.failed(&replaced.purpose, None);
        }
        send(effects, to, datagram);
    }

    pub(super) fn replied(
        &mut self,
        now: Instant,
        from: Endpoint,
        transaction: &[u8],
        reply: &Reply<'_>,
        effects: &mut Effects<Datagram>,
    ) {
        let Some(purpose) = self.asking.take(from, transaction) else {
            return;
        };
        let sender = Contact { id: reply.sender, endpoint: from };
        if purpose.contact().is_some_and(|contact| contact != sender) {
            // Somebody else lives there now, or pretends to.
            self.failed(&purpose, None);
            return;
        }
        if self.settings.may_be(sender.id, from) && self.table.answered(now, sender) {
            self.welcome(now, sender, effects);
        }
        match purpose {
            Purpose::Join | Purpose::Meet(_) | Purpose::HandOver(_) => {}
            Purpose::Lookup { task, contact } => self.heard(task, contact, reply),
            Purpose::Store { task, .. } => self.stored(task, None),
            Purpose::Offer { contact, target } => {
                self.hand_over(now, contact, target, reply, effects);
            }
        }
    }

    pub(super) fn refused(&mut self, from: Endpoint, transaction: &[u8], code: i64, text: &[u8]) {
        if let Some(purpose) = self.asking.take(from, transaction) {
            let text: String = String::from_utf8_lossy(text).chars().take(200).collect();
            // Who refuses lives: it is not held against him.
            match purpose {
                Purpose::Store { task, .. } => self.stored(task, Some(Refused { code, text })),
                Purpose::Lookup { task, contact } => self.silent(task, contact),
                _ => {}
            }
        }
    }

    /// Gives up what nobody has answered in time.
    pub(super) fn give_up(&mut self, now: Instant) {
        let late = |query: &UnderWay| query.until <= now;
        let (over, waiting) = core::mem::take(&mut self.asking.queries)
            .into_iter()
            .partition(|(_, query)| late(query));
        self.asking.queries = waiting;
        let over: BTreeMap<[u8; 4], UnderWay> = over;
        for query in over.into_values() {
            if let Some(contact) = query.purpose.contact() {
                self.table.failed(contact);
            }
            self.failed(&query.purpose, Some("no reply came in time"));
        }
    }

    fn failed(&mut self, purpose: &Purpose, why: Option<&str>) {
        match purpose {
            Purpose::Lookup { task, contact } => self.silent(*task, *contact),
            Purpose::Store { task, .. } => {
                let text = why.unwrap_or("the node is not who it was").to_string();
                self.stored(*task, Some(Refused { code: 0, text }));
            }
            _ => {}
        }
    }
}

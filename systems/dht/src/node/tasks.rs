//! Lookups and what follows them: the requests of this process, and upkeep.
//!
//! ```text
//!   request ─▶ looking ─▶ the nearest nodes have all answered ─▶ answer
//!                                                            └─▶ storing on them ─▶ answer
//! ```

use alloc::{collections::BTreeSet, vec::Vec};

use bytes::Bytes;
use kernel::{Datagram, Effect, Effects, Endpoint, Instant, Refusal, Ticket, Wire};

use super::{Dht, asking::Purpose};
use crate::{
    bencode::Raw,
    contact::Contact,
    id::Id,
    item::{Item, Seal},
    krpc::{Method, Put, RawSeal, Reply, Want},
    lookup::Lookup,
    request::{Outcome, Refused, Request},
    table::K,
};

/// The most lookups and puts under way.
pub(super) const TASKS_MAX: usize = 64;
/// The most peers that a search gathers.
const PEERS_MAX: usize = 1000;
/// Nodes that a lookup begins with: many more than eight, since the nearest may all have died of late.
const SEEDS: usize = 4 * K;
/// Nodes of IPv4, as always.
const WANT: Want = Want { n4: true, n6: false };

/// What a task is for.
#[derive(Debug)]
pub(super) enum Goal {
    /// To know the nodes near an id.
    Nodes,
    /// To find peers of a torrent.
    Peers { found: BTreeSet<Endpoint> },
    /// To find a value.
    Item { salt: Bytes, found: Option<Item> },
    /// To announce a peer.
    Announce { port: Option<u16> },
    /// To store a value.
    Store { item: Item, compare: Option<i64> },
}

/// A lookup, and what has come of it so far.
#[derive(Debug)]
pub(super) struct Task {
    ticket: Option<Ticket>,
    goal: Goal,
    lookup: Lookup,
    storing: Option<Storing>,
    /// The answer is there before the lookup has come to its end.
    is_answered: bool,
}

/// How far storing has come.
#[derive(Debug, Default)]
struct Storing {
    under_way: u32,
    copies: u32,
    refusals: Vec<Refused>,
}

impl Dht {
    pub(super) fn request(
        &mut self,
        now: Instant,
        ticket: Ticket,
        request: Request,
        effects: &mut Effects<Datagram>,
    ) {
        if self.tasks.len() + self.early.len() >= TASKS_MAX {
            effects.push(Effect::Refused { ticket, refusal: Refusal::Busy });
        } else if self.upkeep.is_leaving() {
            effects.push(Effect::Refused { ticket, refusal: Refusal::Stopping });
        } else if self.is_new() && !matches!(request, Request::Leave) {
            self.early.push((ticket, request));
        } else {
            self.begin_request(now, ticket, request, effects);
        }
    }

    fn begin_request(
        &mut self,
        now: Instant,
        ticket: Ticket,
        request: Request,
        effects: &mut Effects<Datagram>,
    ) {
        let ticket = Some(ticket);
        match request {
            Request::Put { item, .. } if !item.is_genuine() => {
                let why = "the value is too long, not bencode, or not signed by its key";
                let refusal = Refusal::BadChange(why.into());
                effects.extend(ticket.map(|ticket| Effect::Refused { ticket, refusal }));
            }
            Request::Put { item, compare, is_kept } => {
                if is_kept {
                    self.upkeep.keep(now, item.clone());
                }
                self.begin(ticket, item.target(), Goal::Store { item, compare });
            }
            Request::Get { target, salt } => {
                let found = self.items.get(target).cloned();
                self.begin(ticket, target, Goal::Item { salt, found });
            }
            Request::Announce { info_hash, port } => {
                self.begin(ticket, info_hash, Goal::Announce { port });
            }
            Request::Peers { info_hash } => {
                let found = self.peers.get(info_hash, now.0).into_iter().collect();
                self.begin(ticket, info_hash, Goal::Peers { found });
            }
            Request::Leave => self.leave(ticket),
        }
    }

    /// Begins a task; what it asks first leaves with the end of this input.
    pub(super) fn begin(&mut self, ticket: Option<Ticket>, target: Id, goal: Goal) {
        let lookup = Lookup::new(target, &self.table.nearest(target, SEEDS));
        let task = Task { ticket, goal, lookup, storing: None, is_answered: false };
        self.last_task += 1;
        self.tasks.insert(self.last_task, task);
    }

    /// True if there is room for upkeep beside the requests.
    pub(super) fn has_room(&self) -> bool {
        self.tasks.len() < TASKS_MAX / 2
    }

    /// A node has answered on the way of a lookup.
    pub(super) fn heard(&mut self, task: u64, contact: Contact, reply: &Reply<'_>) {
        let settings = &self.settings;
        let Some(task) = self.tasks.get_mut(&task) else {
            return;
        };
        let token = reply.token.map(Bytes::copy_from_slice);
        let nodes = Contact::list(reply.nodes);
        let nodes = nodes.filter(|node| {
            settings.may_talk_to(node.endpoint) && settings.may_be(node.id, node.endpoint)
        });
        task.lookup.answered(contact, token, nodes);
        task.take(reply);
    }

    /// A node has not answered on the way of a lookup.
    pub(super) fn silent(&mut self, task: u64, contact: Contact) {
        if let Some(task) = self.tasks.get_mut(&task) {
            task.lookup.failed(contact);
        }
    }

    /// A node has taken what was to be stored, or has not.
    pub(super) fn stored(&mut self, task: u64, refused: Option<Refused>) {
        let Some(storing) = self.tasks.get_mut(&task).and_then(|task| task.storing.as_mut()) else {
            return;
        };
        storing.under_way -= 1;
        match refused {
            None => storing.copies += 1,
            Some(refused) => storing.refusals.push(refused),
        }
    }

    /// Gets all tasks on as far as they can.
    pub(super) fn go_on(&mut self, now: Instant, effects: &mut Effects<Datagram>) {
        if !self.is_new() {
            for (ticket, request) in core::mem::take(&mut self.early) {
                self.begin_request(now, ticket, request, effects);
            }
        }
        let names: Vec<u64> = self.tasks.keys().copied().collect();
        for name in names {
            self.get_on(now, name, effects);
        }
        self.finish_leaving(effects);
    }

    fn get_on(&mut self, now: Instant, name: u64, effects: &mut Effects<Datagram>) {
        loop {
            let task = self.tasks.get_mut(&name).expect("nobody else ends tasks");
            if task.is_over() {
                let task = self.tasks.remove(&name).expect("it was just there");
                effects.extend(task.answer());
                return;
            }
            if task.storing.is_some() {
                return;
            }
            if task.lookup.is_done() {
                self.begin_storing(now, name, effects);
                continue;
            }
            let contacts = task.lookup.ask();
            let method = task.method();
            if contacts.is_empty() {
                return;
            }
            for contact in contacts {
                self.ask(
                    now,
                    contact.endpoint,
                    Purpose::Lookup { task: name, contact },
                    &method,
                    effects,
                );
            }
        }
    }

    fn begin_storing(&mut self, now: Instant, name: u64, effects: &mut Effects<Datagram>) {
        let own_is_near = self.stores_itself(name);
        let task = self.tasks.get_mut(&name).expect("it goes on");
        let nearest =
            task.lookup.nearest().filter_map(|(contact, token)| Some((contact, token?.clone())));
        let copies = if own_is_near { K - 1 } else { K };
        let nearest: Vec<(Contact, Bytes)> = nearest.take(copies).collect();
        let under_way = u32::try_from(nearest.len()).expect("there are at most eight");
        task.storing = Some(Storing { under_way, ..Storing::default() });
        let target = task.lookup.target();
        let store = |contact| Purpose::Store { task: name, contact };
        match &task.goal {
            Goal::Announce { port } => {
                let port = *port;
                for (contact, token) in nearest {
                    let method = Method::AnnouncePeer { info_hash: target, port, token: &token };
                    self.ask(now, contact.endpoint, store(contact), &method, effects);
                }
                if own_is_near {
                    let peer = Endpoint {
                        port: port.unwrap_or(self.settings.endpoint.port),
                        ..self.settings.endpoint
                    };
                    self.peers.announce(now, self.settings.id, target, peer);
                    self.stored_here(name, None);
                }
            }
            Goal::Store { item, compare } => {
                let (item, compare) = (item.clone(), *compare);
                for (contact, token) in nearest {
                    let method = Method::Put(put(&item, &token, compare));
                    self.ask(now, contact.endpoint, store(contact), &method, effects);
                }
                if own_is_near {
                    let stored = self.items.put(now, self.settings.id, item, compare);
                    let refused = stored.err().map(|error| Refused {
                        code: error.code(),
                        text: alloc::format!("{error}"),
                    });
                    self.stored_here(name, refused);
                }
            }
            Goal::Nodes | Goal::Peers { .. } | Goal::Item { .. } => {
                unreachable!("a search stores nothing")
            }
        }
    }

    fn stored_here(&mut self, name: u64, refused: Option<Refused>) {
        if let Some(storing) = self.tasks.get_mut(&name).and_then(|task| task.storing.as_mut()) {
            storing.under_way += 1;
        }
        self.stored(name, refused);
    }

    /// True if this node is itself among the nearest.
    fn stores_itself(&self, name: u64) -> bool {
        let lookup = &self.tasks[&name].lookup;
        let own = self.settings.id.distance(lookup.target());
        let nearer =
            lookup.nearest().filter(|(contact, _)| contact.id.distance(lookup.target()) < own);
        !self.settings.is_read_only && !self.upkeep.is_leaving() && nearer.count() < K
    }
}

impl Task {
    fn method(&self) -> Method<'static> {
        let target = self.lookup.target();
        match &self.goal {
            Goal::Nodes => Method::FindNode { target, want: WANT },
            Goal::Peers { .. } | Goal::Announce { .. } => {
                Method::GetPeers { info_hash: target, want: WANT }
            }
            Goal::Item { .. } | Goal::Store { .. } => {
                Method::Get { target, newer_than: None, want: WANT }
            }
        }
    }

    /// Takes what a reply says about what is looked for.
    fn take(&mut self, reply: &Reply<'_>) {
        let target = self.lookup.target();
        match &mut self.goal {
            Goal::Peers { found } => {
                let room = PEERS_MAX.saturating_sub(found.len());
                found.extend(reply.peers.take(room));
            }
            Goal::Item { salt, found } => {
                let item = item_in(reply, salt)
                    .filter(|item| item.target() == target && is_newer(item, found.as_ref()));
                if let Some(item) = item.filter(Item::is_genuine) {
                    // A hash has one value: nobody can know a newer one.
                    self.is_answered = item.seal.is_none();
                    *found = Some(item);
                }
            }
            Goal::Nodes | Goal::Announce { .. } | Goal::Store { .. } => {}
        }
    }

    fn is_over(&self) -> bool {
        let stores = matches!(self.goal, Goal::Announce { .. } | Goal::Store { .. });
        match &self.storing {
            Some(storing) => storing.under_way == 0,
            None => self.is_answered || (!stores && self.lookup.is_done()),
        }
    }

    fn answer(self) -> Option<Effect<Datagram>> {
        let ticket = self.ticket?;
        let outcome = match self.goal {
            Goal::Nodes => return None,
            Goal::Peers { found } => Outcome::Peers(found.into_iter().collect()),
            Goal::Item { found, .. } => Outcome::Found(found),
            Goal::Announce { .. } | Goal::Store { .. } => {
                let storing = self.storing.expect("it is over");
                let mut refusals = storing.refusals;
                refusals.sort();
                Outcome::Stored { target: self.lookup.target(), copies: storing.copies, refusals }
            }
        };
        Some(Effect::Answer { ticket, answer: outcome.to_bytes() })
    }
}

/// The item that a reply carries, if it carries one.
fn item_in(reply: &Reply<'_>, salt: &Bytes) -> Option<Item> {
    let value = Bytes::copy_from_slice(reply.value?.bytes());
    let Some(key) = reply.key else {
        return Some(Item::immutable(value));
    };
    let (sequence, signature) = (reply.sequence?, reply.signature?);
    Some(Item { value, seal: Some(Seal { key, salt: salt.clone(), sequence, signature }) })
}

fn is_newer(item: &Item, found: Option<&Item>) -> bool {
    let sequence = |item: &Item| item.seal.as_ref().map(|seal| seal.sequence);
    found.is_none_or(|found| sequence(item) > sequence(found))
}

/// The query that stores an item.
pub(super) fn put<'a>(item: &'a Item, token: &'a [u8], compare: Option<i64>) -> Put<'a> {
    let seal = item.seal.as_ref().map(|seal| RawSeal {
        key: seal.key,
        salt: &seal.salt,
        sequence: seal.sequence,
        signature: seal.signature,
    });
    let value = Raw::parse(&item.value).expect("what is stored is well-formed");
    Put { token, value, seal, compare }
}

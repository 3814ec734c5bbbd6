//! The node: who comes in, and which file handles it.
//!
//! ```text
//!   Message  query ─▶ serve.rs      answered from table and storage, at once
//!            reply ─▶ asking.rs     matched with the query under way ─▶ tasks.rs
//!   Request ───────▶ tasks.rs       a lookup, then perhaps a put on the nearest nodes
//!   Timeout ───────▶ asking.rs      queries without a reply
//!                    upkeep.rs      join, refresh, doubt, republish, expire, hand over
//! ```
//! It has no log: what others keep here they put again, so a node that restarts is a new node.

mod asking;
mod serve;
mod settings;
mod status;
mod tasks;
mod upkeep;

use alloc::{collections::BTreeMap, vec::Vec};

use kernel::{Datagram, Effect, Effects, Endpoint, Input, Instant, Node, PersistNumber, Ticket};

use self::{asking::Asking, tasks::Task, upkeep::Upkeep};
pub use self::{
    settings::{Scope, Settings},
    status::Status,
};
use crate::{
    id::Id,
    krpc::{self, Body},
    request::Request,
    secret::Secret,
    storage::{Items, Peers},
    table::Table,
};

/// A node of the distributed hash table.
#[derive(Debug)]
pub struct Dht {
    settings: Settings,
    secret: Secret,
    table: Table,
    items: Items,
    peers: Peers,
    asking: Asking,
    tasks: BTreeMap<u64, Task>,
    last_task: u64,
    upkeep: Upkeep,
    /// Requests that came before anybody was known.
    early: Vec<(Ticket, Request)>,
}

impl Dht {
    /// A node that knows nobody yet but the addresses in its settings. `secret` must be drawn anew for each
    /// life, from a source that nobody can foretell.
    #[must_use]
    pub fn new(settings: Settings, secret: [u8; 20]) -> Self {
        let one_per_network = settings.scope == Scope::Public;
        Self {
            table: Table::new(settings.id, one_per_network),
            settings,
            secret: Secret::new(secret),
            items: Items::default(),
            peers: Peers::default(),
            asking: Asking::default(),
            tasks: BTreeMap::new(),
            last_task: 0,
            upkeep: Upkeep::default(),
            early: Vec::new(),
        }
    }

    /// True if this node keeps the value under `target`.
    #[must_use]
    pub fn has(&self, target: Id) -> bool {
        self.items.get(target).is_some()
    }

    fn datagram(
        &mut self,
        now: Instant,
        from: Endpoint,
        datagram: &Datagram,
        effects: &mut Effects<Datagram>,
    ) {
        if !self.settings.may_talk_to(from) {
            return;
        }
        let Some(message) = krpc::decode(&datagram.0) else {
            return;
        };
        let transaction = message.transaction;
        match message.body {
            Body::Query { query, is_read_only } => {
                self.serve(now, from, transaction, query, is_read_only, effects);
            }
            Body::Reply(reply) => self.replied(now, from, transaction, &reply, effects),
            Body::Error { code, text } => self.refused(from, transaction, code, text),
        }
    }
}

impl Node for Dht {
    type Message = Datagram;
    type Request = Request;
    type Status = Status;

    fn handle(
        &mut self,
        now: Instant,
        input: Input<Datagram, Request>,
        effects: &mut Effects<Datagram>,
    ) {
        match input {
            Input::Message { from, message } => {
                if let Some(endpoint) = Endpoint::of_node(from.node) {
                    self.datagram(now, endpoint, &message, effects);
                }
            }
            Input::Request { ticket, request, .. } => self.request(now, ticket, request, effects),
            Input::Timeout => {
                self.give_up(now);
                self.keep_up(now, effects);
            }
            // What a node without a log never asks for.
            _ => {}
        }
        self.go_on(now, effects);
    }

    fn deadline(&self) -> Option<Instant> {
        self.asking.deadline().into_iter().chain([self.upkeep.next]).min()
    }

    fn status(&self) -> Status {
        Status {
            id: self.settings.id,
            nodes: self.table.len(),
            buckets: self.table.fill(),
            items: self.items.len(),
            torrents: self.peers.len(),
            queries: self.asking.len(),
            tasks: self.tasks.len(),
        }
    }

    fn check(&self) {
        self.table.check();
        assert!(self.asking.len() <= asking::QUERIES_MAX, "queries under way are bounded");
        assert!(self.tasks.len() <= tasks::TASKS_MAX, "tasks are bounded");
        assert!(self.items.len() <= crate::storage::ITEMS_MAX, "values are bounded");
    }
}

/// Lets a datagram leave. Nothing is written, so nothing has to be durable before.
fn send(effects: &mut Effects<Datagram>, to: Endpoint, message: Datagram) {
    effects.push(Effect::Send { to: to.node(), message, after: PersistNumber::NONE });
}

//! The requests of this process that have not ended. Each ends exactly once.

use alloc::collections::{BTreeMap, VecDeque};

use kernel::{Instant, Ticket};

use crate::image::image;

/// What can still be said about a request if its time runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It has gone nowhere, or it changes nothing: it can be refused.
    Refusable,
    /// It may be in somebody's log: nobody can say.
    Open,
}

/// The open requests, in the order of their deadlines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tickets {
    fates: BTreeMap<Ticket, Fate>,
    deadlines: VecDeque<(Instant, Ticket)>,
}

impl Tickets {
    /// A request has been accepted and must end by `deadline`; deadlines never go back.
    pub(crate) fn accept(&mut self, ticket: Ticket, deadline: Instant) {
        let before = self.fates.insert(ticket, Fate::Refusable);
        assert!(before.is_none(), "ticket {ticket} is used twice");
        assert!(
            self.deadlines.back().is_none_or(|(last, _)| *last <= deadline),
            "deadlines never go back"
        );
        self.deadlines.push_back((deadline, ticket));
    }

    /// The request may now be in somebody's log. False if it has ended.
    pub(crate) fn open(&mut self, ticket: Ticket) -> bool {
        self.fates.get_mut(&ticket).map(|fate| *fate = Fate::Open).is_some()
    }

    /// The request ends now; what could be said of it, if it had not ended before.
    pub(crate) fn end(&mut self, ticket: Ticket) -> Option<Fate> {
        self.fates.remove(&ticket)
    }

    /// True if the request has not ended.
    pub(crate) fn contains(&self, ticket: Ticket) -> bool {
        self.fates.contains_key(&ticket)
    }

    /// Ends the next request whose time has run out.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<(Ticket, Fate)> {
        while let Some((_, ticket)) = self.deadlines.pop_front_if(|(deadline, _)| *deadline <= now)
        {
            if let Some(fate) = self.fates.remove(&ticket) {
                return Some((ticket, fate));
            }
        }
        None
    }

    /// When the next request may run out of time; perhaps one that has ended.
    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.deadlines.front().map(|(deadline, _)| *deadline)
    }

    /// How many have not ended.
    pub(crate) fn len(&self) -> u64 {
        self.fates.len() as u64
    }
}

image!(struct Tickets { fates, deadlines });

image!(enum Fate {
    0 => Refusable,
    1 => Open,
});

//! What a node is told at its start.

use alloc::vec::Vec;

use kernel::Endpoint;

use crate::id::Id;

/// With whom a node talks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// With nodes of this machine only, any number of them on one address.
    Loopback,
    /// With everybody but this machine. Of each network of 256 addresses one node gets into the table, and ids
    /// must be those of their addresses (BEP 42).
    Public,
}

/// What a node is told at its start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its id.
    pub id: Id,
    /// Where it is, as it knows itself.
    pub endpoint: Endpoint,
    /// With whom it talks.
    pub scope: Scope,
    /// Some who may be there already.
    pub bootstrap: Vec<Endpoint>,
    /// It asks and answers nothing, and nobody remembers it (BEP 43).
    pub is_read_only: bool,
}

impl Settings {
    /// True if datagrams may come from and go to this address.
    #[must_use]
    pub fn may_talk_to(&self, endpoint: Endpoint) -> bool {
        let is_in_scope = match self.scope {
            Scope::Loopback => endpoint.is_loopback(),
            Scope::Public => !endpoint.is_loopback() && (1..224).contains(&endpoint.ip[0]),
        };
        is_in_scope && endpoint.port != 0 && endpoint != self.endpoint
    }

    /// True if a node there may have this id.
    #[must_use]
    pub fn may_be(&self, id: Id, endpoint: Endpoint) -> bool {
        id != self.id
            && (self.scope == Scope::Loopback
                || is_private(endpoint.ip)
                || id.is_bound_to(endpoint.ip))
    }
}

/// Networks whose addresses say nothing about who somebody is (BEP 42 exempts them).
const fn is_private(ip: [u8; 4]) -> bool {
    matches!(ip, [10, ..] | [192, 168, ..] | [169, 254, ..] | [172, 16..=31, ..])
}

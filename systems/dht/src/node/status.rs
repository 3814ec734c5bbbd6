//! What people want to know of a node.

use alloc::vec::Vec;

use crate::id::Id;

/// How a node does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its id.
    pub id: Id,
    /// How many nodes it knows.
    pub nodes: usize,
    /// How many of them share no bit with it, one bit, and so on.
    pub buckets: Vec<usize>,
    /// How many values it keeps for others.
    pub items: usize,
    /// Of how many torrents it knows peers.
    pub torrents: usize,
    /// Queries under way.
    pub queries: usize,
    /// Lookups and puts under way.
    pub tasks: usize,
}

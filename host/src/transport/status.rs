//! What people see of the connections to other nodes.

use kernel::NodeId;

/// The state of the connection over which this node sends to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Messages go over it.
    Connected,
    /// It is being made.
    Connecting,
    /// It could not be made, or broke; it will be tried again.
    Down,
    /// One of the two nodes refuses the other, for this reason; it will be tried again.
    Refused(String),
}

/// The connection over which this node sends to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkStatus {
    /// The other node.
    pub node: NodeId,
    /// Where it is reached.
    pub address: String,
    /// How it is.
    pub state: LinkState,
}

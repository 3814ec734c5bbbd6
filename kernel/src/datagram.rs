//! What travels as one datagram, and the addresses it travels between.
//!
//! Nodes of a cluster know each other by ids that a membership maps to addresses. Nodes of an open network
//! have no membership: who they are is where they are. So an IPv4 address and a port are a [`NodeId`] there,
//! and the contract stays as it is.

use core::fmt;

use bytes::Bytes;

use crate::{
    codec::{Malformed, Reader, Wire, Writer},
    ids::NodeId,
};

/// An IPv4 address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// The address, most significant byte first.
    pub ip: [u8; 4],
    /// The port.
    pub port: u16,
}

impl Endpoint {
    /// The endpoint's name among nodes: the address in bits 16 to 47, the port below it.
    #[must_use]
    pub fn node(self) -> NodeId {
        NodeId(u64::from(u32::from_be_bytes(self.ip)) << 16 | u64::from(self.port))
    }

    /// The endpoint of that name; nothing if the name is not one of an endpoint.
    #[must_use]
    pub fn of_node(node: NodeId) -> Option<Self> {
        let ip = u32::try_from(node.0 >> 16).ok()?;
        let port = u16::try_from(node.0 & 0xffff).ok()?;
        Some(Self { ip: ip.to_be_bytes(), port })
    }

    /// True for 127.0.0.0/8.
    #[must_use]
    pub const fn is_loopback(self) -> bool {
        self.ip[0] == 127
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.ip;
        write!(formatter, "{a}.{b}.{c}.{d}:{}", self.port)
    }
}

/// The bytes of one datagram, whatever they mean. It comes whole or not at all, perhaps twice, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram(pub Bytes);

impl Wire for Datagram {
    fn encode(&self, writer: &mut Writer) {
        writer.put_bytes(&self.0);
    }

    fn decode(reader: &mut Reader) -> Result<Self, Malformed> {
        Ok(Self(reader.take_bytes()?))
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, NodeId};

    #[test]
    fn an_endpoint_is_a_name_and_back() {
        let endpoint = Endpoint { ip: [255, 0, 2, 1], port: 65_535 };
        assert_eq!(Endpoint::of_node(endpoint.node()), Some(endpoint));
        assert_eq!(Endpoint::of_node(NodeId(1 << 48)), None);
    }
}

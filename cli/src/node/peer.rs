//! The other first members of a cluster, as people write them.

use std::str::FromStr;

use super::options::PEER_PORT_OFFSET;

/// One other first member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its name.
    pub(crate) name: String,
    /// The host at which it is reached.
    pub(crate) host: String,
    /// Its port for clients.
    pub(crate) client_port: u16,
    /// Its port for other nodes.
    pub(crate) peer_port: u16,
    /// True if it was written as in the course: the name is the host.
    pub(crate) is_short: bool,
}

impl FromStr for Peer {
    type Err = String;

    /// Reads `name:port`, `name=host:port` or `name=host:port/peer-port`.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |what: &str| format!("{what}; write name:port or name=host:port");
        let (name, address) = match text.split_once('=') {
            Some((name, address)) => (Some(name), address),
            None => (None, text),
        };
        let (host, ports) = address.rsplit_once(':').ok_or_else(|| wrong("the port is missing"))?;
        let port = |text: &str| {
            let port = text.parse::<u16>().ok().filter(|port| *port > 0);
            port.ok_or_else(|| wrong(&format!("{text:?} is not a port (1 to 65535)")))
        };
        let (client_port, peer_port) = match ports.split_once('/') {
            Some((client, peer)) => (port(client)?, port(peer)?),
            None => {
                let client = port(ports)?;
                let peer = client.checked_add(PEER_PORT_OFFSET).ok_or_else(|| {
                    wrong("the port for other nodes would be over 65535: add /peer-port")
                })?;
                (client, peer)
            }
        };
        let named = name.unwrap_or(host);
        if named.is_empty() || host.is_empty() {
            return Err(wrong("the name or the host is missing"));
        }
        Ok(Self {
            name: named.to_owned(),
            host: host.to_owned(),
            client_port,
            peer_port,
            is_short: name.is_none(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Peer;

    fn parts(text: &str) -> Option<(String, String, u16, u16)> {
        let peer: Peer = text.parse().ok()?;
        Some((peer.name, peer.host, peer.client_port, peer.peer_port))
    }

    #[test]
    fn a_peer_may_be_written_in_three_ways() {
        let of = |name: &str, host: &str, client, peer| {
            Some((name.to_owned(), host.to_owned(), client, peer))
        };
        assert_eq!(parts("node2:3000"), of("node2", "node2", 3000, 4000));
        assert_eq!(parts("node2=127.0.0.1:3002"), of("node2", "127.0.0.1", 3002, 4002));
        assert_eq!(parts(" n2=[::1]:3002/9 "), of("n2", "[::1]", 3002, 9));
    }

    #[test]
    fn everything_else_is_refused() {
        for wrong in
            ["", "node2", "node2:", "node2:0", ":3000", "a=:1", "=b:1", "a=b:65000", "a:1/x"]
        {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}

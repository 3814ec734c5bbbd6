//! How a process takes part: where it is bound, whom it knows, and with whom it talks.

use std::net::SocketAddrV4;

use clap::Args;
use dht::{Dht, Id, Scope, Settings};
use host::{DatagramHost, DatagramSocket, draw_secret};
use kernel::Endpoint;

use crate::exit::{Exit, Failure, Outcome};

/// Where BitTorrent's nodes are by custom.
pub(super) const PORT: u16 = 6881;

/// With whom to talk.
#[derive(Args, Clone, Debug)]
pub(super) struct JoinOptions {
    /// A node that is there already; may be given several times.
    #[arg(long = "node", value_name = "ADDRESS:PORT")]
    pub(super) nodes: Vec<SocketAddrV4>,
    /// Talk with nodes of the internet, and only with them: BitTorrent's own, if the node above is one.
    #[arg(long)]
    pub(super) on_the_public_network: bool,
}

impl JoinOptions {
    fn scope(&self) -> Scope {
        if self.on_the_public_network { Scope::Public } else { Scope::Loopback }
    }
}

/// Binds to `bind` and starts a node there.
pub(super) fn start(
    bind: Endpoint,
    join: &JoinOptions,
    is_read_only: bool,
) -> Outcome<(DatagramHost<Dht>, Endpoint, Id)> {
    check_scope(bind, join)?;
    let socket = DatagramSocket::bind(bind).map_err(|error| {
        Failure::usage(format!("The address {bind} cannot be bound: {error}. Try another port."))
    })?;
    let endpoint = socket.endpoint();
    let id = Id(draw_secret());
    let id = if join.on_the_public_network { id.bound_to(endpoint.ip) } else { id };
    let settings = Settings {
        id,
        endpoint,
        scope: join.scope(),
        bootstrap: join.nodes.iter().map(of_socket).collect(),
        is_read_only,
    };
    let host = DatagramHost::start(Dht::new(settings, draw_secret()), socket).map_err(|error| {
        Failure::new(Exit::Broken, format!("The node does not start: {error}."))
    })?;
    Ok((host, endpoint, id))
}

/// The loopback, any port; or any address if the public network is wanted.
pub(super) fn any_port(join: &JoinOptions) -> Endpoint {
    let ip = if join.on_the_public_network { [0; 4] } else { [127, 0, 0, 1] };
    Endpoint { ip, port: 0 }
}

/// A socket's address as nodes know it.
pub(super) fn of_socket(address: &SocketAddrV4) -> Endpoint {
    Endpoint { ip: address.ip().octets(), port: address.port() }
}

/// Nothing leaves this machine by accident.
fn check_scope(bind: Endpoint, join: &JoinOptions) -> Outcome<()> {
    let strangers = join.nodes.iter().any(|node| !node.ip().is_loopback());
    if !join.on_the_public_network && (strangers || !bind.is_loopback()) {
        return Err(Failure::usage(
            "Only addresses of this machine, 127.0.0.0/8, are talked to. For others say \
             --on-the-public-network.",
        ));
    }
    Ok(())
}

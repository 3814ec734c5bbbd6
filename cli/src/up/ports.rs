//! Ports that somebody else has are found before anything is started.

use std::net::{Ipv4Addr, TcpListener};

use crate::{
    exit::{Failure, Outcome},
    node::PEER_PORT_OFFSET,
};

/// All ports of a cluster must be free.
pub(super) fn check(port: u16, nodes: u16) -> Outcome<()> {
    for node in 0..nodes {
        for port in [port + node, port + node + PEER_PORT_OFFSET] {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
                Failure::usage(format!(
                    "Port {port} on 127.0.0.1 cannot be used: {error}. Stop the program that has it \
                     (perhaps another `archipel up`), or start a new cluster on other ports in a \
                     folder of its own: archipel up --port 3101 --dir ./archipel-other."
                ))
            })?;
        }
    }
    Ok(())
}

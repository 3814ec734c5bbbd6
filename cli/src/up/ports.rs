//! Ports that somebody else has are found before anything is started.

use std::net::{Ipv4Addr, TcpListener};

use serve::System;

use super::folder::ClusterFolder;
use crate::{
    exit::{Failure, Outcome},
    node::PEER_PORT_OFFSET,
};

/// How far a node's port for clients of beanstalkd is from its port for HTTP: so the first node has beanstalkd's own,
/// 11300.
const BEANSTALKD_PORT_OFFSET: u16 = 8299;

/// The port of a node for clients of beanstalkd, if there is one for a node whose port for HTTP is `port`.
pub(super) fn beanstalkd(system: System, port: u16) -> Option<u16> {
    match system {
        System::Kv => None,
        System::Queue => port.checked_add(BEANSTALKD_PORT_OFFSET),
    }
}

/// All ports of a cluster must be free.
pub(super) fn check(folder: &ClusterFolder) -> Outcome<()> {
    let first = folder.port();
    for port in first..first + folder.nodes() {
        let ports = [Some(port), Some(port + PEER_PORT_OFFSET), beanstalkd(folder.system(), port)];
        for port in ports.into_iter().flatten() {
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

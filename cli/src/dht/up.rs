//! `archipel dht up`.

use std::net::{Ipv4Addr, SocketAddrV4};

use clap::Args;
use dht::{Dht, Id};
use host::DatagramHost;
use kernel::Endpoint;

use super::{
    joined::{JoinOptions, PORT, start},
    node::wait_for_end,
};
use crate::{
    exit::{Exit, Failure, Outcome},
    table::Table,
};

/// Runs many nodes in this process, each on a port of its own, the first one on the first port.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel dht up --nodes 20
  archipel dht put hello --node 127.0.0.1:6885")]
pub(crate) struct UpOptions {
    /// How many.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=500))]
    nodes: u16,
    /// The port of the first; the others have those that follow.
    #[arg(long, default_value_t = PORT, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
}

struct Started {
    host: DatagramHost<Dht>,
    endpoint: Endpoint,
    id: Id,
}

pub(super) fn run(options: &UpOptions) -> Outcome {
    let nodes = start_all(options)?;
    println!(
        "{} nodes are up, the first at {}. Ctrl-C stops them.",
        nodes.len(),
        nodes[0].endpoint
    );
    wait_for_end(|| nodes.iter().all(|node| node.host.is_running()))?;
    let is_well = nodes.iter().all(|node| node.host.is_running());
    show(&nodes);
    if !is_well {
        return Err(Failure::new(Exit::Broken, "A node has stopped: an invariant is broken."));
    }
    Ok(Exit::Done)
}

/// Each node joins by the one before it: they find each other from there.
fn start_all(options: &UpOptions) -> Outcome<Vec<Started>> {
    let mut nodes: Vec<Started> = Vec::new();
    for number in 0..options.nodes {
        let port = options.port.checked_add(number).ok_or_else(|| {
            Failure::usage("There are not so many ports above the first one. Give a lower --port.")
        })?;
        let known =
            nodes.last().map(|node| SocketAddrV4::new(Ipv4Addr::LOCALHOST, node.endpoint.port));
        let join = JoinOptions { nodes: known.into_iter().collect(), on_the_public_network: false };
        let bind = Endpoint { ip: [127, 0, 0, 1], port };
        let (host, endpoint, id) = start(bind, &join, false)?;
        nodes.push(Started { host, endpoint, id });
    }
    Ok(nodes)
}

/// What each of them knew and kept at the end.
fn show(nodes: &[Started]) {
    let mut table = Table::new(&["port", "id", "knows", "values", "torrents"]);
    for node in nodes {
        let Some(status) = node.host.status() else {
            continue;
        };
        table.row(vec![
            node.endpoint.port.to_string(),
            node.id.to_string(),
            status.nodes.to_string(),
            status.items.to_string(),
            status.torrents.to_string(),
        ]);
    }
    table.print();
}

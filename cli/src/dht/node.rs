//! `archipel dht node`.

use std::{net::Ipv4Addr, time::Duration};

use clap::Args;
use dht::{Dht, Outcome as Came, Request};
use host::DatagramHost;
use kernel::{Endpoint, Wire as _};
use tokio::signal::unix::{SignalKind, signal};

use super::joined::{JoinOptions, PORT, start};
use crate::exit::{Exit, Failure, Outcome};

/// Whoever stops a node does not want to wait longer for it to hand its values over.
const LEAVING: Duration = Duration::from_secs(8);

/// Runs one node until it is stopped; then it hands over what it keeps.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  archipel dht node
  archipel dht node --port 6882 --node 127.0.0.1:6881")]
pub(crate) struct NodeOptions {
    /// The address to be bound to.
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST)]
    bind: Ipv4Addr,
    /// The port; 0 draws a free one.
    #[arg(long, default_value_t = PORT)]
    port: u16,
    #[command(flatten)]
    join: JoinOptions,
}

pub(super) fn run(options: &NodeOptions) -> Outcome {
    let bind = Endpoint { ip: options.bind.octets(), port: options.port };
    let (host, endpoint, id) = start(bind, &options.join, false)?;
    println!("Node {id} is at {endpoint}.");
    wait_for_end(|| host.is_running())?;
    if !host.is_running() {
        return Err(Failure::new(Exit::Broken, "The node has stopped: an invariant is broken."));
    }
    println!("{}", left(&host));
    Ok(Exit::Done)
}

/// Has a node leave; says in a sentence how that went.
pub(super) fn left(host: &DatagramHost<Dht>) -> String {
    let answer = host.ask(Request::Leave, LEAVING).and_then(Result::ok);
    match answer.and_then(|bytes| Came::from_bytes(bytes).ok()) {
        Some(Came::Left { items: 0 }) => "The node kept nothing and has left.".to_owned(),
        Some(Came::Left { items }) => format!("The node has handed over {items} values and left."),
        _ => "The node has left; not all of its values could be handed over in time.".to_owned(),
    }
}

/// Waits for Ctrl-C or a signal to stop, for as long as `is_running` says so.
pub(super) fn wait_for_end(is_running: impl Fn() -> bool) -> Outcome<()> {
    crate::wait_for(async {
        let hear = |kind| {
            let message = |error| format!("Signals cannot be received: {error}.");
            signal(kind).map_err(|error| Failure::new(Exit::Broken, message(error)))
        };
        let mut interrupt = hear(SignalKind::interrupt())?;
        let mut terminate = hear(SignalKind::terminate())?;
        while is_running() {
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
        Ok(Exit::Done)
    })
    .map(|_| ())
}

//! Which cluster, and how long to try: the options that all client commands share.

use std::time::Duration;

use clap::Args;

use super::Cluster;
use crate::exit::{Failure, Outcome};

/// The port of a node when only its host is given.
const PORT: u16 = 3001;

/// Which cluster, and how to answer.
#[derive(Args, Clone, Debug)]
pub(crate) struct ClusterOptions {
    /// The nodes to ask, host:port, separated by commas: the next one is asked when one does not
    /// answer. A port alone means this machine.
    #[arg(
        long,
        value_name = "HOST:PORT,...",
        env = "ARCHIPEL_CLUSTER",
        value_delimiter = ',',
        default_value = "127.0.0.1:3001,127.0.0.1:3002,127.0.0.1:3003",
        help_heading = "Cluster"
    )]
    cluster: Vec<String>,

    /// How many seconds to try before giving up.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=3600),
        help_heading = "Cluster"
    )]
    timeout: u64,

    /// Print the answer as JSON.
    #[arg(long, help_heading = "Cluster")]
    pub(crate) json: bool,
}

impl ClusterOptions {
    /// The cluster that they name.
    pub(crate) fn cluster(&self) -> Outcome<Cluster> {
        let addresses: Result<Vec<String>, Failure> =
            self.cluster.iter().map(|text| address(text.trim())).collect();
        let addresses = addresses?;
        if addresses.is_empty() {
            return Err(Failure::usage("Name at least one node with --cluster host:port."));
        }
        Ok(Cluster { addresses, patience: Duration::from_secs(self.timeout) })
    }
}

/// `host:port` from an address, a URL, a host alone or a port alone.
fn address(text: &str) -> Outcome<String> {
    let text = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    if text.is_empty() || text.contains(['/', ' ']) {
        return Err(Failure::usage(format!(
            "{text:?} is not an address; write host:port, for example 127.0.0.1:3001."
        )));
    }
    if text.parse::<u16>().is_ok() {
        return Ok(format!("127.0.0.1:{text}"));
    }
    match text.rsplit_once(':') {
        None => Ok(format!("{text}:{PORT}")),
        Some((_, port)) if port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        Some((_, port)) => {
            Err(Failure::usage(format!("{port:?} in {text:?} is not a port (1 to 65535).")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_may_be_written_in_several_ways() {
        assert_eq!(address("10.0.0.7:3001").unwrap(), "10.0.0.7:3001");
        assert_eq!(address("http://node1:3000/").unwrap(), "node1:3000");
        assert_eq!(address("node1").unwrap(), "node1:3001");
        assert_eq!(address("3002").unwrap(), "127.0.0.1:3002");
        for wrong in ["", "a b", "node1:port", "node1:70000", "x/y"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}

//! Clients. All are in this process and ask with the same gRPC client, whoever is asked.

mod keys;
mod rates;
mod status;
mod watchers;

pub(crate) use keys::{fill, wait_until_served};
pub(crate) use rates::{Kind, Load, Measured, run};
pub(crate) use status::terms;
pub(crate) use watchers::{Delivered, deliver};

use tonic::transport::{Channel, Endpoint};

/// Values have as many bytes.
pub(crate) const VALUE_BYTES: usize = 256;
/// So many connections, spread evenly over the members.
///
/// # Errors
/// If a member cannot be reached.
async fn connect(addresses: &[String], count: usize) -> Result<Vec<Channel>, String> {
    let mut channels = Vec::new();
    for address in addresses.iter().cycle().take(count) {
        let endpoint = Endpoint::from_shared(address.clone()).map_err(|error| error.to_string())?;
        let endpoint = endpoint.tcp_nodelay(true);
        let channel = endpoint.connect().await.map_err(|error| format!("{address}: {error}"))?;
        channels.push(channel);
    }
    Ok(channels)
}

//! Which term each member is in: an election changes it.

use etcd::etcdserverpb::{StatusRequest, maintenance_client::MaintenanceClient};

/// The term of each member, and who it takes for the leader.
///
/// # Errors
/// If a member does not say.
pub(crate) async fn terms(addresses: &[String]) -> Result<Vec<(u64, u64)>, String> {
    let mut terms = Vec::new();
    for channel in super::connect(addresses, addresses.len()).await? {
        let status = MaintenanceClient::new(channel).status(StatusRequest {}).await;
        let status = status.map_err(|status| format!("the status: {status}"))?.into_inner();
        terms.push((status.raft_term, status.leader));
    }
    Ok(terms)
}

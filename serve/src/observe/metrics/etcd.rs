//! The names that dashboards for etcd look for.

use super::Page;
use crate::{etcd::VERSION, front::Front};

const MICROSECONDS: f64 = 1e6;

/// Writes them.
pub(super) fn write(front: &Front, page: &mut Page) {
    page.prefix = "etcd_";
    server(front, page);
    disk(front, page);
}

fn server(front: &Front, page: &mut Page) {
    let (status, host) = (front.node.status(), front.node.metrics());
    let flag = u64::from;
    let leads = status.leader == Some(status.me.node);
    page.gauge("server_has_leader", "1 if a leader is known.", flag(status.leader.is_some()));
    page.gauge("server_is_leader", "1 if this node leads.", flag(leads));
    let is_learner = status.membership.learners.contains(&status.me.node);
    page.gauge("server_is_learner", "1 if this node has no vote.", flag(is_learner));
    // Each term has at most one leader, and a term without one is rare.
    page.counter("server_leader_changes_seen_total", "Changes of the leader.", status.term.0);
    page.gauge("server_proposals_committed_total", "Entries committed.", status.commit.0);
    page.gauge("server_proposals_applied_total", "Entries applied.", status.applied.0);
    page.gauge("server_proposals_pending", "Requests that wait.", host.requests_waiting);
    page.counter("server_proposals_failed_total", "Requests refused.", host.requests_refused);
    page.head("server_version", "The version of the interface.", "gauge");
    page.line("server_version", &[("server_version", VERSION)], 1);
    page.counter(
        "network_peer_sent_bytes_total",
        "Bytes sent to other members.",
        host.message_bytes_out,
    );
    page.counter(
        "network_peer_received_bytes_total",
        "Bytes received from other members.",
        host.message_bytes_in,
    );
}

fn disk(front: &Front, page: &mut Page) {
    let host = front.node.metrics();
    let size = host.tables_file_bytes;
    page.gauge("mvcc_db_total_size_in_bytes", "The file of the tables.", size);
    page.gauge("mvcc_db_total_size_in_use_in_bytes", "The file of the tables.", size);
    let name = "disk_wal_fsync_duration_seconds";
    page.head(name, "How long a flush of the log takes.", "summary");
    let flush = &host.fsync_us;
    for (quantile, microseconds) in [("0.5", flush.p50), ("0.99", flush.p99)] {
        let seconds = seconds(microseconds);
        page.decimal(name, &[("quantile", quantile)], seconds);
    }
    page.line(&format!("{name}_count"), &[], flush.count);
    let name = "disk_backend_commit_duration_seconds";
    page.head(name, "How long the last flush of the tables took.", "summary");
    page.decimal(name, &[("quantile", "1")], seconds(host.table_flush_ms_last * 1000));
    page.line(&format!("{name}_count"), &[], host.table_flushes);
}

fn seconds(microseconds: u64) -> f64 {
    // Shown, and never so long that a float could not tell.
    f64::from(u32::try_from(microseconds).unwrap_or(u32::MAX)) / MICROSECONDS
}

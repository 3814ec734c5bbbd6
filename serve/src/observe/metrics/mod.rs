//! `GET /metrics`: the numbers of one node in Prometheus's text format.
//!
//! The numbers already stand in the host's counters; writing them out is less code than a registry.

mod etcd;
mod queue;

use std::{fmt::Write as _, fs, sync::atomic::Ordering};

use crate::{answer::Answer, front::Front, members::name_of, system::System};

/// All numbers.
pub(crate) async fn metrics(front: &Front) -> Answer {
    let mut page = Page::default();
    group(front, &mut page);
    host(front, &mut page);
    http(front, &mut page);
    match front.system {
        System::Kv => etcd::write(front, &mut page),
        System::Queue => queue::write(front, &mut page).await,
    }
    process(&mut page);
    Answer::metrics(page.text)
}

fn group(front: &Front, page: &mut Page) {
    let status = front.node.status();
    let flag = u64::from;
    page.gauge("raft_term", "The term.", status.term.0);
    page.gauge(
        "raft_is_leader",
        "1 if this node leads.",
        flag(status.leader == Some(status.me.node)),
    );
    page.gauge("raft_has_leader", "1 if this node knows a leader.", flag(status.leader.is_some()));
    page.gauge("raft_commit_index", "The last entry known to be committed.", status.commit.0);
    page.gauge("raft_applied_index", "The last entry applied.", status.applied.0);
    page.gauge("raft_last_index", "The last entry of the log.", status.last.0);
    page.gauge("raft_durable_index", "The last entry on this disk.", status.durable.0);
    page.gauge("raft_base_index", "The entry at which the log begins.", status.base.0);
    page.gauge("raft_requests_waiting", "Requests that wait for an end.", status.waiting);
    page.gauge("raft_voters", "Members with a vote.", status.membership.voters.len() as u64);
    page.gauge("raft_disk_full", "1 if the disk is full.", flag(status.disk_full));
    page.head("raft_peer_matched_index", "The last entry on another member's disk.", "gauge");
    for (node, peer) in &status.peers {
        let name = name_of(&status.membership, *node);
        page.line("raft_peer_matched_index", &[("peer", &name)], peer.matched.0);
    }
}

fn host(front: &Front, page: &mut Page) {
    let host = front.node.metrics();
    page.counter("log_flushes_total", "Flushes of the log (fdatasync).", host.fsyncs);
    page.head("log_flush_microseconds", "How long a flush of the log takes.", "summary");
    let flush = &host.fsync_us;
    for (quantile, value) in [("0.5", flush.p50), ("0.99", flush.p99), ("0.999", flush.p999)] {
        page.line("log_flush_microseconds", &[("quantile", quantile)], value);
    }
    page.line("log_flush_microseconds_count", &[], flush.count);
    page.counter("log_bytes_written_total", "Bytes written to the log.", host.log_bytes_written);
    page.counter("messages_received_total", "Messages from other members.", host.messages_in);
    page.counter("messages_sent_total", "Messages to other members.", host.messages_out);
    page.counter("message_bytes_received_total", "Their bytes.", host.message_bytes_in);
    page.counter("message_bytes_sent_total", "Their bytes.", host.message_bytes_out);
    page.counter("messages_dropped_total", "Messages given up.", host.messages_dropped);
    page.counter("frames_damaged_total", "Messages that arrived damaged.", host.frames_damaged);
    page.counter("requests_total", "Requests of clients.", host.requests);
    page.counter("requests_refused_total", "Requests refused.", host.requests_refused);
    page.counter("entries_applied_total", "Entries applied.", host.entries_applied);
    page.counter("elections_started_total", "Elections started here.", host.elections_started);
    page.counter("leaderships_total", "Elections won here.", host.leaderships);
    page.gauge("log_queue_bytes", "Bytes that wait for the log.", host.log_queue_bytes);
    page.gauge("apply_queue_bytes", "Bytes that wait to be applied.", host.apply_queue_bytes);
    page.gauge("tables_durable_index", "The last entry in the durable tables.", host.durable_index);
    page.counter("tables_flushes_total", "Flushes of the tables.", host.table_flushes);
    page.counter(
        "tables_verified_total",
        "Times that the tables were read through and found whole.",
        host.tables_verified,
    );
    page.counter("snapshots_sent_total", "Snapshots sent.", host.snapshots_sent);
    page.counter("snapshots_received_total", "Snapshots received.", host.snapshots_received);
}

fn http(front: &Front, page: &mut Page) {
    let traffic = &front.traffic;
    let open = traffic.connections.load(Ordering::Relaxed);
    page.gauge("http_connections", "Connections open.", open);
    let turned_away = traffic.turned_away.load(Ordering::Relaxed);
    page.counter("http_connections_turned_away_total", "Connections over the limit.", turned_away);
    page.head("http_answers_total", "Answers by class of status.", "counter");
    for (class, count) in ["2xx", "4xx", "5xx"].iter().zip(&traffic.answers) {
        page.line("http_answers_total", &[("class", class)], count.load(Ordering::Relaxed));
    }
    let uptime = front.started.elapsed().as_secs();
    page.gauge("uptime_seconds", "Seconds since the start.", uptime);
}

fn process(page: &mut Page) {
    page.prefix = "process_";
    if let Some(bytes) = resident_bytes() {
        page.gauge("resident_memory_bytes", "Memory of this process.", bytes);
    }
}

/// How much memory the system says that this process has.
fn resident_bytes() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// A page of numbers.
struct Page {
    text: String,
    /// What every name begins with.
    prefix: &'static str,
}

impl Default for Page {
    fn default() -> Self {
        Self { text: String::new(), prefix: "archipel_" }
    }
}

impl Page {
    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        self.line(name, &[], value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "gauge");
        self.line(name, &[], value);
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        let prefix = self.prefix;
        let head = format!("# HELP {prefix}{name} {help}\n# TYPE {prefix}{name} {kind}\n");
        self.text.push_str(&head);
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.write(name, labels, &value.to_string());
    }

    fn decimal(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.write(name, labels, &value.to_string());
    }

    fn write(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.text.push_str(self.prefix);
        self.text.push_str(name);
        for (place, (label, text)) in labels.iter().enumerate() {
            self.text.push(if place == 0 { '{' } else { ',' });
            // Rust escapes quotes, backslashes and line ends as Prometheus wants them.
            write!(self.text, "{label}={text:?}").expect("writing to a string does not fail");
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        writeln!(self.text, " {value}").expect("writing to a string does not fail");
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_page_is_prometheus_text() {
        let mut page = Page::default();
        page.counter("a_total", "All.", 3);
        page.line("b", &[("peer", "node\"1\""), ("way", "in")], 4);
        assert_eq!(
            page.text,
            "# HELP archipel_a_total All.\n# TYPE archipel_a_total counter\narchipel_a_total 3\n\
             archipel_b{peer=\"node\\\"1\\\"\",way=\"in\"} 4\n"
        );
    }
}
